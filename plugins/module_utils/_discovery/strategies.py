# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Discovery strategies: what each is configured with, and what keeps it from finding the nodes.

The rules are those of ekka 0.13 to 0.23 (EMQX 5.0 to 6.3).
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx import versions

Node = t.Dict[str, t.Any]
Settings = t.Mapping[str, t.Any]
# code, host, variable, expected, found, remedy
Problems = t.Iterator[t.Tuple[str, str, str, str, str, str]]

# The settings of the strategies and their defaults: those of EMQX where it has any, but for the
# prefix, as clusters that share it become one.
DEFAULTS: dict[str, t.Any] = {
    "dns_name": None,
    "dns_record_type": "a",
    "etcd_servers": [],
    "etcd_prefix": "",
    "etcd_ssl": {},
    "k8s_apiserver": "",
    "k8s_service_name": "emqx",
    "k8s_namespace": "default",
    "k8s_address_type": "ip",
    "k8s_suffix": "",
    "k8s_token": False,
    "k8s_ca": "",
}

# EMQX's own default, pod.local, is no domain of a Kubernetes cluster.
_K8S_SUFFIXES = {"ip": "", "dns": "pod.cluster.local", "hostname": "svc.cluster.local"}

_URL = re.compile(r"(?P<scheme>https?)://(?:\[[0-9A-Fa-f:]+\]|[0-9A-Za-z._-]+)(?::[0-9]{1,5})?/?")

_IPV4 = re.compile(r"[0-9.]+")

# EMQX takes host and port apart at the only colon (ekka 0.13 to 0.23): no port, a path or an IPv6
# address keep it from booting.
_ETCD_URL = re.compile(r"https?://[0-9A-Za-z._-]+:[0-9]{1,5}")


def config(wanted: Settings, seeds: t.Sequence[str]) -> dict[str, t.Any]:
    """Return what stands below ``cluster`` for the strategy, as EMQX names it."""
    strategy = wanted["discovery_strategy"]
    if strategy == "static":
        return {"static": {"seeds": list(seeds)}}
    if strategy == "dns":
        name, record_type = wanted["dns_name"] or "", wanted["dns_record_type"]
        return {"dns": {"name": name, "record_type": record_type}}
    if strategy == "etcd":
        servers = _etcd_servers(wanted)
        etcd = {"server": ",".join(servers), "prefix": str(wanted["etcd_prefix"])}
        return {"etcd": {**etcd, **_etcd_tls(servers, wanted)}}
    if strategy == "k8s":
        keys = ("service_name", "namespace", "address_type")
        # EMQX puts a slash and the path after it.
        server = str(wanted["k8s_apiserver"]).rstrip("/")
        given = {key: wanted[f"k8s_{key}"] for key in keys}
        return {"k8s": {"apiserver": server, **given, "suffix": _suffix(wanted)}}
    return {}


def _etcd_servers(wanted: Settings) -> list[str]:
    given = wanted["etcd_servers"]
    servers = given.split(",") if isinstance(given, str) else given
    return [str(server).strip() for server in servers]


def _etcd_tls(servers: t.Sequence[str], wanted: Settings) -> dict[str, t.Any]:
    """EMQX strips the scheme: whether it talks TLS is decided by these options alone."""
    if not any(server.startswith("https:") for server in servers):
        return {}
    known = not wanted["version"] or versions.feature("etcd_ssl_options", wanted["version"])
    files = {key: path for key, path in wanted["etcd_ssl"].items() if path}
    verify = "verify_peer" if "cacertfile" in files else "verify_none"
    return {"ssl_options" if known else "ssl": {"enable": True, "verify": verify, **files}}


def _suffix(wanted: Settings) -> str:
    return str(wanted["k8s_suffix"] or _K8S_SUFFIXES.get(wanted["k8s_address_type"], ""))


def errors(nodes: t.Sequence[Node], wanted: Settings) -> Problems:
    """Yield what keeps these nodes from finding one another."""
    strategy = wanted["discovery_strategy"]
    if strategy == "singleton" and len(nodes) > 1:
        yield (
            "singleton_with_peers",
            "",
            "emqx_discovery_strategy",
            "a strategy that lets nodes join",
            f"singleton with {len(nodes)} nodes",
            "set it to static or manual",
        )
    short_names = sorted({node["short_name"] for node in nodes})
    if strategy in ("dns", "k8s") and len(short_names) > 1:
        yield (
            "short_names_differ",
            "",
            "emqx_node_name",
            f"the same part before the @ on all nodes with discovery strategy {strategy}",
            " and ".join(short_names),
            "use emqx on all of them, each node looks for its own short name at every address "
            "found; several nodes on one server need the static or etcd strategy",
        )
    check = {"dns": _dns_errors, "etcd": _etcd_errors, "k8s": _k8s_errors}.get(strategy)
    if check:
        yield from check(nodes, wanted)


def _dns_errors(nodes: t.Sequence[Node], wanted: Settings) -> Problems:
    if wanted["dns_name"] is not None and wanted["dns_name"] in ("", "localhost"):
        yield (
            "no_dns_name",
            "",
            "emqx_dns_name",
            "the name whose records list the nodes",
            wanted["dns_name"] or "empty",
            "set it, EMQX would ask for localhost",
        )
    record = wanted["dns_record_type"]
    version = {"a": 4, "aaaa": 6, "srv": 0}.get(record)
    for node in nodes:
        if version is None or node["ip_version"] == version:
            continue
        part = f"an IPv{version} address" if version else "the FQDN of its SRV target"
        yield (
            "dns_name_form",
            node["inventory_host"],
            "emqx_node_name",
            f"{part} after the @ with DNS records of type {record}",
            node["name"],
            f"set emqx_node_address of {node['inventory_host']} to it, or change "
            "emqx_dns_record_type",
        )


def _etcd_errors(_nodes: t.Sequence[Node], wanted: Settings) -> Problems:
    servers = _etcd_servers(wanted)
    if not servers:
        yield (
            "no_etcd_servers",
            "",
            "emqx_etcd_servers",
            "at least one URL such as https://etcd1.example.org:2379",
            "empty",
            "list the client URLs of the etcd members",
        )
    for server in servers:
        if not _ETCD_URL.fullmatch(server):
            yield (
                "bad_etcd_server",
                "",
                "emqx_etcd_servers",
                "URLs of the form http://HOST:PORT or https://HOST:PORT, no IPv6 address",
                server or "an empty one",
                "write the client URL of an etcd member",
            )
    if not str(wanted["etcd_prefix"]):
        yield (
            "no_etcd_prefix",
            "",
            "emqx_etcd_prefix",
            "a prefix that no other cluster has, as nodes with the same one become one cluster",
            "empty",
            "set emqx_cluster_name to a name of the cluster's own, which the prefix follows, or "
            "emqx_etcd_prefix (emqxcl is EMQX's own default)",
        )
    schemes = sorted(
        {server.partition(":")[0] for server in servers if _ETCD_URL.fullmatch(server)}
    )
    files = sorted(key for key, path in wanted["etcd_ssl"].items() if path)
    if len(schemes) > 1:
        yield (
            "mixed_etcd_schemes",
            "",
            "emqx_etcd_servers",
            "http or https for all servers",
            " and ".join(schemes),
            "write them all with the same scheme, EMQX talks TLS to all or to none",
        )
    elif files and schemes == ["http"]:
        yield (
            "etcd_tls_without_https",
            "",
            "emqx_etcd_servers",
            "URLs with https where emqx_etcd_ca or emqx_etcd_certificate is set",
            "http",
            "write https, or remove the certificates",
        )
    if ("certfile" in files) != ("keyfile" in files):
        found = "emqx_etcd_certificate" if "certfile" in files else "emqx_etcd_key"
        yield (
            "half_etcd_certificate",
            "",
            "emqx_etcd_certificate",
            "emqx_etcd_certificate and emqx_etcd_key, or neither",
            f"only {found}",
            "set both",
        )


def named_by_address(url: str) -> bool:
    """Tell whether a URL has an IP address for a host.

    With a CA that is an API which EMQX cannot verify: Erlang compares the host of a URL with the
    names of a certificate only (OTP 25 to 28, erlang/otp#7968).
    """
    host = url.partition("://")[2].partition("/")[0]
    return host.startswith("[") or bool(_IPV4.fullmatch(host.partition(":")[0]))


def _k8s_errors(nodes: t.Sequence[Node], wanted: Settings) -> Problems:
    if not _URL.fullmatch(str(wanted["k8s_apiserver"])):
        yield (
            "no_k8s_apiserver",
            "",
            "emqx_k8s_apiserver",
            "the URL of the Kubernetes API such as https://k8s.example.org:6443",
            wanted["k8s_apiserver"] or "empty",
            "set it, EMQX's own default resolves inside a pod only",
        )
    if wanted["k8s_ca"] and not wanted["k8s_token"]:
        yield (
            "k8s_ca_without_token",
            "",
            "emqx_k8s_token",
            "emqx_k8s_token and emqx_k8s_ca, or neither",
            "only emqx_k8s_ca",
            "set both, as they are put in place together",
        )
    elif wanted["k8s_ca"] and named_by_address(str(wanted["k8s_apiserver"])):
        yield (
            "k8s_ca_with_address",
            "",
            "emqx_k8s_apiserver",
            "a name with emqx_k8s_ca, as EMQX compares no address with a certificate",
            wanted["k8s_apiserver"],
            "write a name that the certificate of the API has, and that all hosts resolve",
        )
    kind, namespace = wanted["k8s_address_type"], wanted["k8s_namespace"]
    ends = {
        "dns": f".{namespace}.{_suffix(wanted)}",
        "hostname": f".{wanted['k8s_service_name']}.{namespace}.{_suffix(wanted)}",
    }
    for node in nodes:
        if kind == "ip" and not node["host_is_ip"]:
            part = "the IP address of its endpoint"
        elif kind in ends and not node["host"].endswith(ends[kind]):
            part = f"a name that ends in {ends[kind]}"
        else:
            continue
        yield (
            "k8s_name_form",
            node["inventory_host"],
            "emqx_node_name",
            f"{part} after the @ with emqx_k8s_address_type {kind}",
            node["name"],
            f"set emqx_node_address of {node['inventory_host']} to it, or change "
            "emqx_k8s_address_type",
        )


def warnings(wanted: Settings) -> Problems:
    """Yield what works but is not wise."""
    check = {"etcd": _etcd_warnings, "k8s": _k8s_warnings}.get(wanted["discovery_strategy"])
    if check:
        yield from check(wanted)


def _etcd_warnings(wanted: Settings) -> Problems:
    version = wanted["version"]
    if version and not versions.feature("etcd_prefix_safe", version):
        yield (
            "etcd_prefix_unsafe",
            "",
            "emqx_version",
            "EMQX 5.8.9, 5.10.1 or newer where an etcd is shared",
            version,
            "use an etcd that holds nothing else, as this version also reads all keys that sort "
            "after its own prefix",
        )
    if "verify_none" in str(_etcd_tls(_etcd_servers(wanted), wanted)):
        yield (
            "etcd_not_verified",
            "",
            "emqx_etcd_ca",
            "the CA certificate that signed those of etcd",
            "empty",
            "set it, else whoever answers in place of etcd can name the members",
        )


def _k8s_warnings(wanted: Settings) -> Problems:
    if not wanted["k8s_token"]:
        return
    if not str(wanted["k8s_apiserver"]).startswith("https:"):
        yield (
            "k8s_without_tls",
            "",
            "emqx_k8s_apiserver",
            "https, as the nodes show their token there",
            wanted["k8s_apiserver"],
            "write the URL with https, else whoever listens has the token",
        )
    elif not wanted["k8s_ca"]:
        yield (
            "k8s_not_verified",
            "",
            "emqx_k8s_ca",
            "the CA certificate that signed that of the Kubernetes API",
            "empty",
            "set it, else whoever answers in place of the API has the token and names the members",
        )
