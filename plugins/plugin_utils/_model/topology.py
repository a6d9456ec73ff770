# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The model of a cluster: names, roles, ports and addresses, and what is wrong with them.

Everything else (configuration, firewall, probes, doctor) reads this and computes none of it
again. The rules are those of ekka 0.13 to 0.23 and gen_rpc 2.8 to 3.5 (EMQX 5.0 to 6.3).
"""

from __future__ import annotations

import ipaddress
import itertools
import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._discovery import strategies
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx import ports as _ports
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx import versions as _versions
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError

ROLES = ("core", "replicant")

MEMBER_KEYS: tuple[str, ...] = (
    "ansible_host",
    "emqx_node_name",
    "emqx_node_address",
    "emqx_node_role",
    "emqx_node_addresses",
    "emqx_server",
    "emqx_instance",
    "emqx_firewall_listener_ports",
    "emqx_firewall_dashboard_ports",
    "emqx_rpc_port_discovery",
    "emqx_rpc_server_port",
    "emqx_version",
    "emqx_license",
)

SETTINGS_KEYS: tuple[str, ...] = (
    "discovery_strategy",
    "proto_dist",
    "rpc_port_discovery",
    "rpc_server_port",
    "rpc_tls",
    "version",
    "edition",
    "service_ports",
    *strategies.DEFAULTS,
)

Finding = t.Dict[str, str]
Findings = t.Iterator[Finding]
Node = t.Dict[str, t.Any]

_LARGE_SUFFIX = 50000
_DATE_LIKE_SUFFIX = 1000
_MAX_NAME = 255
_MAX_PORT = 65535
_MANY_CORES = 7

_SHORT_NAME = re.compile(r"[0-9A-Za-z_-]+")
_LABEL = r"[0-9A-Za-z_](?:[0-9A-Za-z_-]*[0-9A-Za-z_])?"
# A last label of digits only would be a broken IPv4 address.
_FQDN = re.compile(rf"(?:{_LABEL}\.)+(?![0-9]+$){_LABEL}")
_OTHER_FAMILY = {
    "inet_tcp": "inet6_tcp",
    "inet_tls": "inet6_tls",
    "inet6_tcp": "inet_tcp",
    "inet6_tls": "inet_tls",
}


def _finding(
    code: str, host: str, variable: str, expected: str, found: t.Any, remedy: str
) -> Finding:
    where = f"Host {host}: " if host else "Cluster: "
    return {
        "code": code,
        "host": host,
        "variable": variable,
        "expected": expected,
        "found": str(found),
        "remedy": remedy,
        "message": f"{where}{variable} is {found}, expected {expected}: {remedy}.",
    }


def unknown_host(host: str) -> Finding:
    """Return the finding for a member that is not in the inventory."""
    return _finding(
        "unknown_host",
        host,
        "emqx_cluster_hosts",
        "names of inventory hosts",
        f"a list with {host}, which the inventory does not have",
        "correct the name or add the host to the inventory",
    )


def build(members: t.Sequence[dict[str, t.Any]], settings: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the model of the cluster made of ``members`` under ``settings``.

    A member has ``inventory_host`` and may have the MEMBER_KEYS; settings may have the
    SETTINGS_KEYS. Empty text means the default everywhere. The result:

    * ``nodes``: inventory host -> name, short_name, host, inventory_host, server, role, offset,
      dist_port, rpc_port (the one in use), rpc_port_stateless, rpc_port_manual, addresses,
      host_is_ip, ip_version (4, 6 or 0), version, license (default, evaluation or given),
      instance (0 is the package's own node), listeners (tcp, ssl, ws, wss and dashboard -> port),
      listener_ports and dashboard_ports (those that the firewall keeps);
    * ``members``, ``cores``, ``replicants``, ``seeds``: node names in the order given;
    * ``cluster_ports``, ``addresses``: sorted and unique;
    * ``ipv6``: whether the nodes talk to one another over IPv6; ``rpc``: the keys of rpc that
      follow from the settings, under their names in this version;
    * ``discovery``: the keys of cluster that the discovery strategy takes;
    * ``errors``, ``warnings``: all findings, each with code, host ("" for the cluster),
      variable, expected, found, remedy and message.

    What the user wrote never raises, it is reported; InputError is for wrong types only.
    """
    wanted = _settings(settings)
    _check_types(members)
    nodes: dict[str, Node] = {}
    listed: list[Node] = []
    for member in members:
        node = _node(member, wanted)
        listed.append(node)
        nodes.setdefault(node["inventory_host"], node)
    unique = list(nodes.values())
    cores = [node["name"] for node in unique if node["role"] == "core"]
    ports = {node[port] for node in unique for port in ("dist_port", "rpc_port")}
    errors = itertools.chain(
        _setting_errors(wanted),
        _membership_errors(listed),
        *(_name_errors(node) for node in unique),
        *(_host_errors(node, wanted) for node in unique),
        _instance_errors(unique),
        _port_errors(unique, wanted),
        _rpc_errors(members),
        _family_errors(unique),
        _role_errors(unique, wanted),
        _license_errors(unique, wanted),
        itertools.starmap(_finding, strategies.errors(unique, wanted)),
    )
    return {
        "nodes": nodes,
        "members": [node["name"] for node in unique],
        "cores": cores,
        "replicants": [node["name"] for node in unique if node["role"] == "replicant"],
        "seeds": list(cores),
        "cluster_ports": sorted(ports),
        "addresses": sorted({address for node in unique for address in node["addresses"]}),
        "ipv6": _family(wanted) == 6,
        "rpc": _rpc(wanted),
        "discovery": strategies.config(wanted, cores),
        "errors": list(errors),
        "warnings": [*_warnings(unique, wanted)],
    }


def _check_types(members: t.Any) -> None:
    if isinstance(members, (str, dict)) or not isinstance(members, t.Sequence):
        raise InputError(f"The members are a list of dictionaries, found {members!r}.")
    for member in members:
        if not isinstance(member, dict) or not member.get("inventory_host"):
            raise InputError(
                f"A member is a dictionary with inventory_host, found {member!r}.",
            )


def _settings(settings: dict[str, t.Any]) -> dict[str, t.Any]:
    """Fill in the defaults of EMQX 5.8; unknown settings are a slip of the caller."""
    unknown = sorted(set(settings) - set(SETTINGS_KEYS))
    if unknown:
        raise InputError(
            f"Unknown topology settings: {', '.join(unknown)}; "
            f"expected some of {', '.join(SETTINGS_KEYS)}."
        )
    given = {key: value for key, value in settings.items() if value not in (None, "")}
    services = given.get("service_ports", [])
    if isinstance(services, (str, dict)) or not isinstance(services, t.Sequence):
        raise InputError(f"The service ports are a list of numbers, found {services!r}.")
    return {
        "discovery_strategy": "manual",
        "proto_dist": "inet_tcp",
        "rpc_port_discovery": "stateless",
        "rpc_server_port": _ports.RPC_SERVER_PORT,
        "rpc_tls": False,
        "version": "",
        "edition": "",
        "service_ports": [],
        **strategies.DEFAULTS,
        **given,
        "dns_name": settings.get("dns_name"),
        "bad_version": "",
        **_checked_version(str(given.get("version", ""))),
    }


def _checked_version(version: str) -> dict[str, str]:
    """Take what is no version for an unknown one, and keep it for the report."""
    if version:
        try:
            _versions.parse(version)
        except InputError:
            return {"version": "", "bad_version": version}
    return {"version": version}


def _node(member: dict[str, t.Any], wanted: dict[str, t.Any]) -> Node:
    inventory_host = str(member["inventory_host"])
    management = str(member.get("ansible_host") or inventory_host)
    address = str(member.get("emqx_node_address") or management)
    instance = _instance(member)
    name = str(member.get("emqx_node_name") or f"emqx{instance or ''}@{address}")
    short_name, _at, host = name.partition("@")
    offset = _ports.offset_of(name)
    manual = _port_number(wanted["rpc_server_port"])
    stateless = _ports.RPC_BASE_PORT + offset
    parsed = _ip(host)
    # A name on an address says which address its peers see; one on a FQDN does not.
    given = member.get("emqx_node_addresses") or ([host] if parsed else None)
    literals = [text for text in (address, management) if _ip(text)][:1]
    step = _ports.LISTENER_STEP * instance
    listeners = {kind: port + step for kind, port in _ports.LISTENERS.items()}
    dashboard = _ports.DASHBOARD_PORT + step
    return {
        "name": name,
        "short_name": short_name,
        "host": host,
        "inventory_host": inventory_host,
        "server": str(member.get("emqx_server") or management),
        "role": str(member.get("emqx_node_role") or "core"),
        "offset": offset,
        "dist_port": _ports.DIST_BASE_PORT + offset,
        "rpc_port": manual if wanted["rpc_port_discovery"] == "manual" else stateless,
        "rpc_port_stateless": stateless,
        "rpc_port_manual": manual,
        "addresses": [str(a) for a in given or member.get("host_addresses") or literals],
        "host_is_ip": parsed is not None,
        "ip_version": parsed.version if parsed else 0,
        "version": str(member.get("emqx_version") or wanted["version"]),
        "license": license_kind(str(member.get("emqx_license") or "")),
        "instance": instance,
        "listeners": {**listeners, "dashboard": dashboard},
        "listener_ports": member.get("emqx_firewall_listener_ports") or sorted(listeners.values()),
        "dashboard_ports": member.get("emqx_firewall_dashboard_ports") or [dashboard],
    }


def license_kind(value: str) -> str:
    """Return what is known of a licence without showing it: ``default`` (the community's, for a
    single node), ``evaluation`` or ``given``."""
    return {"": "default", "default": "default", "evaluation": "evaluation"}.get(value, "given")


def _family(wanted: dict[str, t.Any]) -> int:
    return 6 if "6" in str(wanted["proto_dist"]) else 4


def _rpc(wanted: dict[str, t.Any]) -> dict[str, t.Any]:
    version, tls = wanted["version"], wanted["rpc_tls"]
    keys: dict[str, t.Any] = {"port_discovery": wanted["rpc_port_discovery"]}
    if wanted["rpc_port_discovery"] == "manual":
        older = "ssl_server_port" if tls else "tcp_server_port"
        key = "server_port" if _versions.feature("rpc_server_port", version) else older
        keys[key] = _port_number(wanted["rpc_server_port"])
    if tls:
        keys["protocol" if _versions.feature("rpc_protocol", version) else "driver"] = "ssl"
    if _family(wanted) == 6 and _versions.feature("rpc_listen_address", version):
        # Without ipv6_only its clients would still try the IPv4 address of a name that has both.
        keys.update(listen_address="::", ipv6_only=True)
    return keys


def _port_number(value: t.Any) -> int:
    """Return a port as a number; 0 stands for what is not one and is reported apart."""
    return int(value) if re.fullmatch("[0-9]{1,9}", str(value)) else 0


def _instance(member: dict[str, t.Any]) -> int:
    """Return the number of an instance; -1 stands for what is none and is reported apart."""
    text = str(member.get("emqx_instance") or 0)
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else -1


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return None if "%" in text else ipaddress.ip_address(text)
    except ValueError:
        return None


def _setting_errors(wanted: dict[str, t.Any]) -> Findings:
    if wanted["bad_version"]:
        yield _finding(
            "bad_version",
            "",
            "emqx_version",
            "three numbers such as 5.8.9",
            wanted["bad_version"],
            "write the full version",
        )
    for setting in _versions.CHOICES:
        yield from _choice_errors(setting, str(wanted[setting]), wanted)
    if wanted["rpc_port_discovery"] not in _ports.PORT_DISCOVERIES:
        yield _finding(
            "bad_port_discovery",
            "",
            "emqx_rpc_port_discovery",
            "stateless or manual",
            wanted["rpc_port_discovery"],
            "set it to stateless, or to manual where all nodes share one rpc port",
        )
    if not 0 < _port_number(wanted["rpc_server_port"]) <= _MAX_PORT:
        yield _finding(
            "bad_port",
            "",
            "emqx_rpc_server_port",
            "a port from 1 to 65535",
            wanted["rpc_server_port"],
            f"set it to a free port, the default is {_ports.RPC_SERVER_PORT}",
        )


def _choice_errors(setting: str, value: str, wanted: dict[str, t.Any]) -> Findings:
    variable = f"emqx_{setting}"
    allowed = _versions.choices(setting, wanted["version"], wanted["edition"])
    if value in allowed:
        return
    one_of = "one of " + ", ".join(allowed)
    span = _versions.CHOICES[setting].get(value)
    if span is None:
        yield _finding(f"unknown_{setting}", "", variable, one_of, value, "correct its spelling")
    else:
        yield _finding(
            f"{setting}_not_in_version",
            "",
            variable,
            f"{one_of} in EMQX {wanted['version']}",
            value,
            f"{value} needs {_versions.describe(span)}, choose another or change emqx_version",
        )


def _membership_errors(listed: list[Node]) -> Findings:
    if not listed:
        yield _finding(
            "no_members",
            "",
            "emqx_cluster_hosts",
            "at least one host",
            "empty",
            "list the inventory hosts of the cluster, or put hosts into its group",
        )
    seen: set[str] = set()
    names: dict[str, str] = {}
    for node in listed:
        host, name = node["inventory_host"], node["name"]
        if host in seen:
            yield _finding(
                "host_listed_twice",
                host,
                "emqx_cluster_hosts",
                "every host once",
                f"a list with {host} more than once",
                "remove the repeated entry",
            )
        elif name in names:
            yield _finding(
                "duplicate_name",
                host,
                "emqx_node_name",
                "a name of its own for every node",
                f"{name}, also the name of {names[name]}",
                f"set emqx_node_name or emqx_node_address of {host} or {names[name]}; a second "
                "node on a server takes an emqx_instance, which makes its name emqx1 and so on",
            )
        seen.add(host)
        names.setdefault(name, host)


def _name_errors(node: Node) -> Findings:
    host, name, short = node["inventory_host"], node["name"], node["short_name"]
    variable = "emqx_node_name"
    if name.count("@") != 1:
        yield _finding(
            "bad_name", host, variable, "name@host with exactly one @", name, "write emqx@ADDRESS"
        )
    if not _SHORT_NAME.fullmatch(short):
        yield _finding(
            "bad_short_name",
            host,
            variable,
            "letters, digits, '_' and '-' before the @",
            name,
            "rename the part before the @, emqx is the usual one",
        )
    if short.startswith("remsh"):
        yield _finding(
            "remsh_name",
            host,
            variable,
            "a name that does not start with remsh",
            name,
            "rename it, EMQX opens no distribution port for its remote shells",
        )
    if len(name) > _MAX_NAME:
        yield _finding(
            "name_too_long",
            host,
            variable,
            f"at most {_MAX_NAME} characters",
            f"{len(name)} characters long",
            "choose a shorter name",
        )


def _host_errors(node: Node, wanted: dict[str, t.Any]) -> Findings:
    inventory_host, host = node["inventory_host"], node["host"]
    if node["name"].count("@") != 1:
        return
    address = _ip(host)
    remedy = f"set emqx_node_address of {inventory_host} to the IP address or FQDN its peers use"
    lowered = host.lower().rstrip(".")
    if address and address.is_unspecified:
        yield _finding(
            "unspecified_host", inventory_host, "emqx_node_name", "an address", node["name"], remedy
        )
    elif (address and address.is_loopback) or lowered.split(".")[0] == "localhost":
        yield _finding(
            "loopback_host",
            inventory_host,
            "emqx_node_name",
            "an address other hosts can reach",
            node["name"],
            remedy,
        )
    elif address is None and not _FQDN.fullmatch(host):
        yield _finding(
            "bad_host",
            inventory_host,
            "emqx_node_name",
            "an IP address or a FQDN (with a dot) after the @",
            node["name"],
            remedy,
        )
    proto_dist = wanted["proto_dist"]
    family = _family(wanted)
    if address and address.version != family and proto_dist in _OTHER_FAMILY:
        yield _finding(
            "address_family",
            inventory_host,
            "emqx_node_name",
            f"an IPv{family} address with emqx_proto_dist {proto_dist}",
            node["name"],
            f"set emqx_proto_dist to {_OTHER_FAMILY[proto_dist]}, or use IPv{family} addresses "
            "or FQDNs in the names",
        )


def _instance_errors(nodes: list[Node]) -> Findings:
    taken: dict[tuple[str, int], str] = {}
    for node in nodes:
        host, number = node["inventory_host"], node["instance"]
        if not 0 <= number <= _ports.MAX_INSTANCE:
            yield _finding(
                "bad_instance",
                host,
                "emqx_instance",
                f"a number from 1 to {_ports.MAX_INSTANCE}, or 0 for the package's own node",
                number if number > 0 else "no number",
                "choose another",
            )
            continue
        if number and _ports.suffix_of(node["name"]) != number:
            yield _finding(
                "instance_name",
                host,
                "emqx_node_name",
                f"a name with {number} before the @, as emqx_instance is {number}",
                node["name"],
                "leave it unset, or end the part before the @ in the number of the instance",
            )
        other = taken.setdefault((node["server"], number), host)
        if other != host:
            yield _finding(
                "instance_collision",
                host,
                "emqx_instance",
                f"a number of its own on server {node['server']}",
                f"{number}, also that of {other}",
                f"set emqx_instance of {host} to a number from 1 to {_ports.MAX_INSTANCE} that no "
                "other host of the server has, or emqx_server where hosts with one ansible_host "
                "are different servers",
            )


def _port_errors(nodes: list[Node], wanted: dict[str, t.Any]) -> Findings:
    taken: dict[tuple[str, int], tuple[Node, str]] = {}
    services = {_port_number(port) for port in wanted["service_ports"]}
    manual = wanted["rpc_port_discovery"] == "manual"
    for node in nodes:
        for kind, key in (("distribution", "dist_port"), ("rpc", "rpc_port")):
            port = node[key]
            variable, value, remedy = _port_origin(node, kind, port, manual)
            other, other_kind = taken.setdefault((node["server"], port), (node, kind))
            own = other is node and other_kind != kind
            # Two of the same number are one finding, which is made elsewhere.
            if own or other["instance"] != node["instance"]:
                yield _finding(
                    "port_collision",
                    node["inventory_host"],
                    variable,
                    f"ports of its own on server {node['server']}",
                    f"{value} with {kind} port {port}, also the {other_kind} port of "
                    f"{'this very node' if own else other['name']}",
                    remedy,
                )
            if port in services:
                yield _finding(
                    "service_port_collision",
                    node["inventory_host"],
                    variable,
                    f"a {kind} port that no listener uses",
                    f"{value} with {kind} port {port}, also the port of a listener",
                    remedy,
                )


def _port_origin(node: Node, kind: str, port: int, manual: bool) -> tuple[str, str, str]:
    """Return the variable a port comes from, its value, and how to get another port."""
    if manual and kind == "rpc":
        return (
            "emqx_rpc_server_port",
            str(port),
            "set emqx_rpc_port_discovery to stateless or emqx_rpc_server_port to a free port",
        )
    return (
        "emqx_node_name",
        node["name"],
        f"change the number before the @ of {node['name']}, or set emqx_server where hosts with "
        "one ansible_host are different servers",
    )


def _rpc_errors(members: t.Sequence[dict[str, t.Any]]) -> Findings:
    """What the hosts themselves say: each node derives the RPC port of a peer from its own."""
    for variable, only in (
        ("emqx_rpc_port_discovery", _ports.PORT_DISCOVERIES),
        ("emqx_rpc_server_port", ("manual",)),
    ):
        said: dict[str, list[str]] = {}
        for member in members:
            value = str(member.get(variable) or "")
            if value and member.get("emqx_rpc_port_discovery") in only:
                said.setdefault(value, []).append(str(member["inventory_host"]))
        if len(said) > 1:
            found = " and ".join(f"{value} on {', '.join(on)}" for value, on in said.items())
            yield _finding(
                "mixed_rpc_ports",
                "",
                variable,
                "the same on all hosts, as a node takes its peers to have the RPC ports that its "
                "own setting gives",
                found,
                f"set {variable} for the whole cluster; containers have manual port discovery "
                "unless told otherwise, packages stateless",
            )


def _family_errors(nodes: list[Node]) -> Findings:
    example = {node["ip_version"]: node["name"] for node in nodes}
    if 4 in example and 6 in example:
        yield _finding(
            "mixed_address_families",
            "",
            "emqx_node_name",
            "names of one address family",
            f"{example[4]} here and {example[6]} there",
            "use only IPv4 or only IPv6 addresses, or FQDNs",
        )


def _role_errors(nodes: list[Node], wanted: dict[str, t.Any]) -> Findings:
    for node in nodes:
        if node["role"] not in ROLES:
            yield _finding(
                "bad_role",
                node["inventory_host"],
                "emqx_node_role",
                "core or replicant",
                node["role"],
                "correct it",
            )
    replicants = [node for node in nodes if node["role"] == "replicant"]
    if nodes and not any(node["role"] == "core" for node in nodes):
        yield _finding(
            "no_core",
            "",
            "emqx_node_role",
            "at least one core, three for a cluster that survives a loss",
            "core on no host",
            "set it to core on three of the hosts",
        )
    if replicants and wanted["discovery_strategy"] in ("manual", "singleton"):
        yield _finding(
            "replicant_needs_discovery",
            "",
            "emqx_discovery_strategy",
            "static, dns, etcd or k8s, by which replicants find the cores",
            f"{wanted['discovery_strategy']} with replicants ({_hosts(replicants)})",
            "set it to static, the seeds are filled in",
        )
    version, edition = wanted["version"], wanted["edition"]
    if replicants and version and not _versions.feature("replicants", version, edition):
        yield _finding(
            "replicant_needs_enterprise",
            "",
            "emqx_node_role",
            f"only cores in the open source edition of EMQX {version}",
            f"replicant on {_hosts(replicants)}",
            "set it to core there, or use the enterprise edition",
        )

    yield from _replicant_version_errors(replicants, nodes, wanted)


def _replicant_version_errors(
    replicants: list[Node], nodes: list[Node], wanted: dict[str, t.Any]
) -> Findings:
    if not wanted["version"] or not _versions.feature("replicant_same_version", wanted["version"]):
        return
    versions = sorted({node["version"] for node in nodes if node["role"] == "core"})
    for node in replicants:
        if versions and node["version"] not in versions:
            yield _finding(
                "replicant_version",
                node["inventory_host"],
                "emqx_version",
                f"the version of a core ({' or '.join(versions)}) on a replicant",
                node["version"],
                "set it to that of a core, a replicant boots with a core of its own version only",
            )


def _license_errors(nodes: list[Node], wanted: dict[str, t.Any]) -> Findings:
    version, edition = wanted["version"], wanted["edition"]
    if not version:
        return
    without = [node for node in nodes if node["license"] == "default"]
    gated = _versions.feature("license_gates_cluster", version)
    if gated and without and len(nodes) > 1:
        yield _finding(
            "license_needed",
            "",
            "emqx_license",
            f"a licence on all nodes, as EMQX {version} clusters with one only",
            f"empty or default, the community licence for a single node, on {_hosts(without)}",
            "set it to your key, to file:///PATH on the hosts, or to evaluation (25 sessions, 30 "
            "days) for all nodes, or use EMQX 5.8, which clusters without",
        )
    holders = [node for node in nodes if node["license"] != "default"]
    evaluating = [node for node in nodes if node["license"] == "evaluation"]
    if holders and not gated and edition == _versions.OPENSOURCE:
        yield _finding(
            "license_in_opensource",
            "",
            "emqx_license",
            f"no licence with the open source edition of EMQX {version}",
            f"set on {_hosts(holders)}",
            "remove it, or set emqx_edition to enterprise",
        )
    elif evaluating and not _versions.feature("license_evaluation", version):
        yield _finding(
            "license_not_in_version",
            "",
            "emqx_license",
            f"a key, or file:///PATH with EMQX {version}",
            f"evaluation on {_hosts(evaluating)}",
            "leave it out, the default is a trial licence; evaluation needs EMQX 5.9.0 or newer",
        )


def _hosts(nodes: list[Node]) -> str:
    return ", ".join(node["inventory_host"] for node in nodes)


def _warnings(nodes: list[Node], wanted: dict[str, t.Any]) -> Findings:
    cores = sum(node["role"] == "core" for node in nodes)
    if cores == 1:
        yield _cores_warning("single_core", 1, "losing this node stops the cluster")
    elif cores and cores % 2 == 0:
        yield _cores_warning("even_cores", cores, "half of them do not make a majority")
    if cores > _MANY_CORES:
        yield _cores_warning("many_cores", cores, "every write waits for all cores")
    styles = {node["host_is_ip"] for node in nodes}
    if len(styles) > 1:
        example = {node["host_is_ip"]: node["name"] for node in nodes}
        yield _finding(
            "mixed_name_styles",
            "",
            "emqx_node_name",
            "IP addresses or FQDNs, one style for all",
            f"{example[True]} here and {example[False]} there",
            "use FQDNs everywhere, they survive a change of address",
        )
    for node in nodes:
        suffix = _ports.suffix_of(node["name"])
        if suffix >= _DATE_LIKE_SUFFIX:
            yield _suffix_warning(node, suffix)
    evaluating = [node for node in nodes if node["license"] == "evaluation"]
    if evaluating:
        yield _finding(
            "license_evaluation",
            "",
            "emqx_license",
            "a licence for use in production",
            f"evaluation on {_hosts(evaluating)}",
            "it takes 25 sessions, and each node 30 days at a time: set your key before that",
        )
    yield from itertools.starmap(_finding, strategies.warnings(wanted))


def _cores_warning(code: str, cores: int, why: str) -> Finding:
    return _finding(
        code,
        "",
        "emqx_node_role",
        "three, five or seven cores",
        f"core on {cores} {'host' if cores == 1 else 'hosts'}",
        f"change the number of cores, {why}",
    )


def _suffix_warning(node: Node, suffix: int) -> Finding:
    large = suffix > _LARGE_SUFFIX
    return _finding(
        "large_suffix" if large else "number_like_suffix",
        node["inventory_host"],
        "emqx_node_name",
        "a small number or none before the @",
        f"{node['name']}, which moves its ports to {node['dist_port']} and {node['rpc_port']}",
        "end the name in a letter if the number is a date or a version, or make it small",
    )
