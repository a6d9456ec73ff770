# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What EMQX makes of the answer of a discovery service, and how that differs from the wish.

The rules are those of ekka 0.13 to 0.23 (EMQX 5.0 to 6.3). Who asks a service hands over an
answer of this form, whatever the service is:

* ``entries``: what the service holds for the cluster, each a dictionary. static ``name``; dns
  ``address`` (a, aaaa) or ``target`` (srv); etcd ``key``, ``value`` and ``leased`` (whether a node
  that runs keeps it alive); k8s ``ip``, ``hostname``
  ("" for none) and ``ready``;
* ``asked``: the servers that were asked, for people;
* ``failure``: "" or a key of FAILURES, and ``detail``: the error's text.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.service_account import (
    SERVICE_ACCOUNT,
)

Answer = t.Mapping[str, t.Any]
Entry = t.Mapping[str, t.Any]
Item = t.Dict[str, str]
Node = t.Mapping[str, t.Any]
# What was found, what is expected, and the remedy.
Phrases = t.Tuple[str, str, str]
Report = t.Dict[str, t.Any]
Settings = t.Mapping[str, t.Any]

_NAME = re.compile(r"[^@\s]+@[^@\s]+")

# {names} are those of nodes, {values} what the service holds or lacks for them, {source} what was
# asked, {listed} all of its values.
_ENTRIES_LACK = ("{source} are {listed}", "also {values}")
REASONS: dict[str, Phrases] = {
    "not_a_seed": (*_ENTRIES_LACK, "run the playbook site, which writes the seeds of all members"),
    "seed_of_nobody": (
        "{source} are {listed}",
        "none of {values}, which is no core of this cluster",
        "run the playbook site, which writes the seeds of all members",
    ),
    "needs_address": (
        "the node is named {names}",
        "an IP address after the @, as EMQX makes names of addresses only from {source}",
        "set emqx_node_address to the node's address, or emqx_dns_record_type to srv",
    ),
    "needs_fqdn": (
        "the node is named {names}",
        "a FQDN after the @, as EMQX makes names of targets only from {source}",
        "set emqx_node_address to the node's FQDN, or emqx_dns_record_type to a or aaaa",
    ),
    "short_names_differ": (
        "the node is named {names}",
        "{own_short} before the @, which {own} looks for at every address of {source}",
        "give all nodes the same part before the @, emqx is the usual one",
    ),
    "address_form": (
        "the node is named {names}",
        "{values}, as EMQX writes the address it finds",
        "set emqx_node_address to the address in this form",
    ),
    "no_record": (*_ENTRIES_LACK, "add the record (the role bind does), low TTL"),
    "record_of_nobody": (
        "{source} are {listed}",
        "none of {values}, which is no core of this cluster",
        "remove the record, else EMQX never stops looking there and joins who answers",
    ),
    "target_not_fqdn": (
        "the SRV record leads to {values}",
        "the very host part of the node's name, {names}",
        "write that as the target of the record, or set emqx_node_address to the target",
    ),
    "no_key": (
        "{source} have none of {names}",
        "one of each core, which the node itself keeps there while it runs",
        "start the node, or restart it where it runs (EMQX before 6.2.4 does not write its key "
        "again once etcd was away), else see in its log why it cannot write to etcd",
    ),
    "key_of_nobody": (
        "{source} have {values}, of no core of this cluster",
        "keys of its own cores only",
        "stop that node, or set an emqx_etcd_prefix that no other cluster has",
    ),
    "stale_key": (
        "{source} have {values}, which no node keeps alive",
        "keys of its own cores only",
        "run the playbook site with emqx_etcd_clean_keys, or delete each by etcdctl del KEY",
    ),
    "no_endpoint": (
        *_ENTRIES_LACK,
        "add the address to the Endpoints object, or have the service select the node's pod",
    ),
    "endpoint_not_ready": (
        "the endpoint {values} is not ready",
        "a ready one, as EMQX takes no other",
        "mend the pod's readiness, or set publishNotReadyAddresses on the service",
    ),
    "endpoint_without_hostname": (
        "the endpoint {values} has no hostname",
        "one, with emqx_k8s_address_type hostname",
        "name the service as serviceName of the StatefulSet, or use address type ip or dns",
    ),
    "endpoint_of_nobody": (
        "{source} are {listed}",
        "none of {values}, which is no core of this cluster",
        "take it out of the Endpoints object, or have the service select the cluster's pods only",
    ),
    "endpoint_form": (
        "the node is named {names}",
        "{values}, which EMQX makes of its endpoint",
        "set emqx_node_name to that, or correct emqx_k8s_address_type and emqx_k8s_suffix",
    ),
    "no_name": (
        "{values}",
        "name@host",
        "remove or correct it, EMQX makes no node name of it",
    ),
}


def _no_connection(
    prefix: str, service: str, server: str, start: str, variable: str, ca: str
) -> dict[str, Phrases]:
    """Return what may stand in the way to a service, by prefix and kind of ExchangeError."""
    return {
        f"{prefix}_refused": (
            "{asked} refuses the connection ({detail})",
            f"{service} that answers with {{source}}",
            f"start {start}, or correct the port in {variable}",
        ),
        f"{prefix}_filtered": (
            "{asked} gives no answer, so packets are dropped on the way ({detail})",
            "a connection",
            "start that host, or open the port for this host in the firewalls between them",
        ),
        f"{prefix}_unresolved": (
            "the name of {asked} has no address on this host ({detail})",
            "an address",
            f"correct it in {variable}, or its record",
        ),
        f"{prefix}_closed": (
            "{asked} closes the connection before it answers ({detail})",
            f"{service} that answers",
            f"write https in {variable} where {server} talks TLS, or see its log",
        ),
        f"{prefix}_no_tls": (
            "{asked} does not talk TLS ({detail})",
            f"TLS, as {variable} says",
            f"write http there, or have {server} talk TLS",
        ),
        f"{prefix}_other_ca": (
            "the certificate of {asked} is signed by another CA ({detail})",
            f"one signed by {ca}",
            f"set it to the CA that signed the certificates of {server}",
        ),
        f"{prefix}_other_name": (
            "the certificate of {asked} is for another name ({detail})",
            f"one for the host that {variable} names",
            "write the name that the certificate has, or request one with it",
        ),
        f"{prefix}_expired": (
            "the certificate of {asked} is not valid now ({detail})",
            "a valid one",
            "renew it, or set the clock of this host right",
        ),
    }


# {asked} is the server, {detail} the text of the error.
FAILURES: dict[str, Phrases] = {
    # DNS
    "no_such_name": (
        "DNS ({asked}) does not know the name of {source}",
        "records of all cores",
        "create them (the role bind does), or correct emqx_dns_name",
    ),
    "no_records": (
        "DNS ({asked}) has none of {source}",
        "one for each core",
        "create them (the role bind does), or correct emqx_dns_record_type",
    ),
    "dns_silent": (
        "DNS ({asked}) gives no answer for {source} ({detail})",
        "an answer",
        "start the DNS server and open its port 53, or correct the nameserver in /etc/resolv.conf",
    ),
    "no_resolver": (
        "there is no DNS server to ask for {source} ({detail})",
        "a nameserver in /etc/resolv.conf, the only thing that EMQX reads (it ignores /etc/hosts)",
        "add one",
    ),
    # etcd
    **_no_connection(
        "etcd",
        "an etcd",
        "etcd",
        "etcd on that host (journalctl -u etcd tells why it is down)",
        "emqx_etcd_servers",
        "emqx_etcd_ca",
    ),
    "etcd_no_certificate": (
        "{asked} asks for a client certificate, and this host has none ({detail})",
        "one that etcd takes",
        "set emqx_etcd_certificate and emqx_etcd_key",
    ),
    "etcd_certificate_refused": (
        "{asked} does not take the client certificate of this host ({detail})",
        "one signed by the CA that etcd trusts, and valid",
        "set emqx_etcd_certificate and emqx_etcd_key to such a one",
    ),
    "etcd_file": (
        "a file to talk TLS with {asked} cannot be used ({detail})",
        "PEM files on this host",
        "correct emqx_etcd_ca, emqx_etcd_certificate or emqx_etcd_key, and run the playbook site",
    ),
    "etcd_no_leader": (
        "{asked} is there, but its members have no leader ({detail})",
        "more than half of the members of etcd running",
        "start the others, and open the peer port between them",
    ),
    "etcd_user": (
        "{asked} asks for a user name ({detail})",
        "an etcd without its own authentication, as EMQX has no way to give one",
        "switch it off in etcd and use client certificates",
    ),
    "etcd_locked": (
        "a lock that no node keeps alive keeps all of them waiting ({detail})",
        "locks of nodes that run only",
        "run the playbook site with emqx_etcd_clean_keys, or delete it by etcdctl del KEY",
    ),
    "etcd_other": (
        "{asked} is no etcd ({detail})",
        "an etcd of 3.3 or newer",
        "write the client URLs of etcd in emqx_etcd_servers, port 2379 as a rule",
    ),
    # k8s
    **_no_connection(
        "k8s",
        "a Kubernetes API",
        "the API server",
        "the API server on that host",
        "emqx_k8s_apiserver",
        "emqx_k8s_ca",
    ),
    "k8s_silent": (
        "{asked} takes the connection and gives no answer ({detail})",
        "a Kubernetes API that answers with {source}",
        "see the log of the API server, and whether its etcd is healthy",
    ),
    "k8s_certificate_refused": (
        "{asked} asks for a client certificate ({detail})",
        "a Kubernetes API that takes a token, as EMQX has nothing else to show",
        "write the URL of the API server itself in emqx_k8s_apiserver",
    ),
    "k8s_address": (
        "EMQX cannot verify {asked} by {detail}",
        "a name there, as Erlang compares no address with a certificate (erlang/otp#7968)",
        "write a name that the certificate of the API has in emqx_k8s_apiserver",
    ),
    "k8s_file": (
        "the CA for {asked} cannot be used ({detail})",
        "a certificate in a PEM file",
        "correct emqx_k8s_ca, and run the playbook site",
    ),
    "k8s_other": (
        "{asked} cannot be asked ({detail})",
        "the URL of a Kubernetes API",
        "correct emqx_k8s_apiserver",
    ),
    "no_token": (
        "this host has no token to show to {asked} ({detail})",
        f"one in {SERVICE_ACCOUNT}/token, the only place where EMQX looks",
        "set emqx_k8s_token, and run the playbook site",
    ),
    "unauthorized": (
        "{asked} does not take the token of this host ({detail})",
        "one that is valid, of a ServiceAccount that exists",
        "make a new one (kubectl create token), set emqx_k8s_token to it, and run the playbook "
        "site",
    ),
    "forbidden": (
        "the token may not get {source} ({detail})",
        "a Role with the verb get on endpoints, bound to its ServiceAccount",
        "apply the manifests of the playbook kubernetes, or have your administrator grant it",
    ),
    "no_service": (
        "{asked} has none of {source} ({detail})",
        "an Endpoints object of that name",
        "create the service (the playbook kubernetes does), or correct emqx_k8s_service_name and "
        "emqx_k8s_namespace",
    ),
    "bad_answer": (
        "{asked} answers something else than {source} ({detail})",
        "a Kubernetes API",
        "see what stands between, or correct emqx_k8s_apiserver",
    ),
}


def source(strategy: str, settings: Settings) -> str:
    """Return in words what a node asks for; ``settings`` are the keys that EMQX is given."""
    if strategy == "dns":
        return f"the {settings['record_type'].upper()} records of {settings['name']}"
    if strategy == "etcd":
        return f"the keys below {etcd_folder(settings)}"
    if strategy == "k8s":
        namespace = settings["namespace"]
        return f"the endpoints of service {settings['service_name']} in namespace {namespace}"
    return "the seeds"


def etcd_folder(settings: Settings) -> str:
    """Return what the keys of nodes begin with."""
    return f"{settings['prefix']}/ekkacl/nodes/"


def form(strategy: str, settings: Settings, short_name: str, entry: Entry) -> str:
    """Return the node name that EMQX makes of an entry, "" where it makes none."""
    if strategy == "static":
        return str(entry["name"])
    if strategy == "etcd":
        return str(entry["value"])
    if strategy == "dns":
        return f"{short_name}@{entry.get('target') or entry['address']}"
    host = _endpoint_host(settings, entry)
    return f"{short_name}@{host}" if host and entry["ready"] else ""


def _endpoint_host(settings: Settings, entry: Entry) -> str:
    kind, suffix = settings["address_type"], settings["suffix"]
    host = str(entry["hostname"] if kind == "hostname" else entry["ip"])
    if not host or not suffix or kind == "ip":
        return host
    if kind == "dns":
        return f"{host.replace('.', '-')}.{settings['namespace']}.{suffix}"
    return f"{host}.{settings['service_name']}.{settings['namespace']}.{suffix}"


def _value(strategy: str, entry: Entry) -> str:
    """Return an entry as the one who keeps the service knows it."""
    keys = {"static": "name", "etcd": "key", "k8s": "ip"}
    return str(entry.get("target") or entry[keys.get(strategy, "address")])


def report(
    strategy: str, settings: Settings, node: str, nodes: t.Sequence[Node], answer: Answer
) -> Report:
    """Return what a node discovers and how it differs from the cores among ``nodes``.

    ``nodes`` are those of the topology (name, inventory_host, role). The result has ``strategy``,
    ``source``, ``asked``, ``failure``, ``detail``, ``names`` (those formed), ``entries`` (in words,
    sorted), ``missing``, ``extra``, ``malformed`` (each with name, host, reason, value, remedy and
    message) and ``problems``: a sentence for each cause.
    """
    short_name = node.partition("@")[0]
    formed = [(entry, form(strategy, settings, short_name, entry)) for entry in answer["entries"]]
    names = sorted({name for _entry, name in formed if _NAME.fullmatch(name)})
    hosts = {each["name"]: str(each["inventory_host"]) for each in nodes}
    cores = [each["name"] for each in nodes if each["role"] == "core"]
    known = {
        "strategy": strategy,
        "source": source(strategy, settings),
        "asked": answer["asked"],
        "failure": answer["failure"],
        "detail": answer["detail"],
        "entries": sorted(_value(strategy, entry) for entry in answer["entries"]),
        "names": names,
    }
    missing: list[Item] = []
    extra: list[Item] = []
    malformed: list[Item] = []
    if not answer["failure"]:
        judge = _Judge(strategy, settings, short_name, formed)
        for name in cores:
            if name not in names:
                missing.append(_item(hosts[name], name, judge.missing(name)))
        explained = {item["value"] for item in missing if item["reason"] in _EXPLAINS_EXTRA}
        for entry, name in formed:
            value = _value(strategy, entry)
            if name and not _NAME.fullmatch(name):
                malformed.append(_item("", name, ("no_name", f"{value} ({name})")))
            elif not name and entry.get("ready", True):
                malformed.append(_item("", "", ("endpoint_without_hostname", value)))
            elif name and name not in hosts:
                found = judge.extra(entry, value)
                if name not in explained and value not in explained:
                    extra.append(_item("", name, found))
    context = _context(known, node)
    for item in (*missing, *extra, *malformed):
        item["remedy"] = REASONS[item["reason"]][2]
        item["message"] = _sentence(REASONS[item["reason"]], [item], context)
    return {
        **known,
        "missing": missing,
        "extra": extra,
        "malformed": malformed,
        "problems": _problems([*missing, *extra, *malformed], known, context, hosts.get(node, "")),
    }


def is_settled(found: Report) -> bool:
    """Tell whether there is no node of others that may be about to go."""
    return all(item["reason"] == "stale_key" for item in found["extra"])


# Reasons of a missing node whose value is what the service has in its place.
_EXPLAINS_EXTRA = ("target_not_fqdn", "endpoint_form", "short_names_differ", "address_form")


def _item(host: str, name: str, found: tuple[str, str]) -> Item:
    return {"name": name, "host": host, "reason": found[0], "value": found[1]}


class _Judge:
    """Why a wanted name is not among the formed ones, and what an unwanted one is."""

    def __init__(
        self,
        strategy: str,
        settings: Settings,
        short_name: str,
        formed: t.Sequence[tuple[Entry, str]],
    ) -> None:
        self.strategy = strategy
        self.settings = settings
        self.short_name = short_name
        self.formed = formed

    def missing(self, name: str) -> tuple[str, str]:
        """Return the reason and the value that is missing, or is there in its place."""
        if self.strategy == "static":
            return "not_a_seed", name
        if self.strategy == "etcd":
            return "no_key", f"{etcd_folder(self.settings)}{name}"
        short_name, _at, host = name.partition("@")
        same_host = f"{self.short_name}@{host}"
        if short_name != self.short_name and same_host in (formed for _e, formed in self.formed):
            return "short_names_differ", same_host
        return self._k8s(host) if self.strategy == "k8s" else self._dns(host)

    def _dns(self, host: str) -> tuple[str, str]:
        if self.settings["record_type"] == "srv":
            if _ip(host):
                return "needs_fqdn", host
            for entry, _name in self.formed:
                if _label(entry["target"]) == _label(host):
                    return "target_not_fqdn", str(entry["target"])
            return "no_record", host
        address = _ip(host)
        if not address:
            return "needs_address", host
        for entry, name in self.formed:
            if _ip(entry["address"]) == address:
                return "address_form", name
        return "no_record", host

    def _k8s(self, host: str) -> tuple[str, str]:
        for entry, name in self.formed:
            own = {str(entry["ip"]), str(entry["ip"]).replace(".", "-"), str(entry["hostname"])}
            if host in own or host.partition(".")[0] in own:
                if not entry["ready"]:
                    return "endpoint_not_ready", _value(self.strategy, entry)
                if not name:
                    return "endpoint_without_hostname", _value(self.strategy, entry)
                return "endpoint_form", name
        return "no_endpoint", host

    def extra(self, entry: Entry, value: str) -> tuple[str, str]:
        """Return the reason and the value of an entry that leads to no member."""
        reasons = {
            "static": "seed_of_nobody",
            "dns": "record_of_nobody",
            "etcd": "key_of_nobody",
            "k8s": "endpoint_of_nobody",
        }
        if self.strategy == "etcd" and not entry["leased"]:
            return "stale_key", value
        return reasons[self.strategy], value


def _ip(text: t.Any) -> t.Any:
    try:
        return ipaddress.ip_address(str(text))
    except ValueError:
        return None


def _label(host: t.Any) -> str:
    return str(host).partition(".")[0].lower()


def _context(known: t.Mapping[str, t.Any], node: str) -> dict[str, str]:
    return {
        "source": known["source"],
        "asked": known["asked"] or "nobody",
        "detail": known["detail"],
        "listed": ", ".join(known["entries"]) or "none",
        "own": node,
        "own_short": node.partition("@")[0],
    }


def _problems(
    items: t.Sequence[Item], known: Report, context: t.Mapping[str, str], own_host: str
) -> list[str]:
    """Return a sentence for each cause, with all the nodes it concerns."""
    if known["failure"]:
        own = {"host": own_host, "name": context["own"], "value": ""}
        return [_sentence(FAILURES[known["failure"]], [own], context)]
    by_reason: dict[str, list[Item]] = {}
    for item in items:
        by_reason.setdefault(item["reason"], []).append(item)
    return [_sentence(REASONS[reason], found, context) for reason, found in by_reason.items()]


def reasons(found: t.Mapping[str, t.Any]) -> list[tuple[str, str]]:
    """Return why a report differs from the wish: keys of FAILURES or REASONS, and their sentences.

    ``found`` is a report, or empty.
    """
    if found.get("failure"):
        return [(found["failure"], found["problems"][0])]
    items = [item for kind in ("missing", "extra", "malformed") for item in found.get(kind, ())]
    causes = dict.fromkeys(item["reason"] for item in items)
    return list(zip(causes, found.get("problems", ())))


def remedy(reason: str) -> str:
    """Return what mends a reason or a failure."""
    return {**FAILURES, **REASONS}[reason][2]


def _sentence(phrases: Phrases, items: t.Sequence[Item], context: t.Mapping[str, str]) -> str:
    values = {
        **context,
        "names": _list(item["name"] for item in items),
        "values": _list(item["value"] for item in items),
    }
    hosts = _list(item["host"] for item in items)
    found, expected = (phrase.format(**values) for phrase in phrases[:2])
    where = f"Host {hosts}" if hosts else "Cluster"
    return f"{where}: {found}, expected {expected}: {phrases[2]}."


def _list(texts: t.Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(text for text in texts if text))


def conclude(reports: t.Mapping[str, t.Mapping[str, t.Any]]) -> dict[str, list[str]]:
    """Put together what the hosts discover: ``seen``, a line for each, and ``causes``.

    ``reports`` has by inventory host a report, or ``msg`` where there is none. Hosts that are
    told something else than most others are named first: theirs is another service.
    """
    seen = [_line(host, found) for host, found in reports.items()]
    causes = [
        f"Host {host}: it cannot be asked: {found.get('msg', 'no answer')}"
        for host, found in reports.items()
        if "names" not in found
    ]
    told = {host: found for host, found in reports.items() if "names" in found}
    groups: dict[tuple[str, ...], list[str]] = {}
    for host, found in told.items():
        groups.setdefault((found["failure"], *found["entries"]), []).append(host)
    # Whoever is told what is right is the measure, else most hosts.
    ranked = sorted(groups.values(), key=lambda hosts: (_wrong(told[hosts[0]]), -len(hosts)))
    for hosts in ranked[1:]:
        causes.append(_differs(hosts, ranked[0], told))
    for hosts in ranked[:1]:
        first = told[hosts[0]]
        causes.extend([_failing(hosts, first)] if first["failure"] else first["problems"])
    if not causes:
        causes.append(
            f"Host {_list(reports)}: discovery finds the wanted members, so the cause is another: "
            "see in the logs of the nodes why they do not join (cookie, names, ports)."
        )
    return {"seen": seen, "causes": causes}


def before_start(reports: t.Mapping[str, t.Mapping[str, t.Any]]) -> list[str]:
    """Return what has to be put right before nodes start, a sentence for each cause.

    ``reports`` is as for conclude. With etcd that is all that ends their boot, and keys of others,
    whose cluster they would join. That keys of the own nodes are missing is as it should be.
    """
    asked = {host: found for host, found in reports.items() if found.get("strategy") == "etcd"}
    failing: dict[tuple[str, str], list[str]] = {}
    for host, found in asked.items():
        if found["failure"] not in ("", "etcd_locked"):
            failing.setdefault((found["failure"], found["asked"]), []).append(host)
    strangers = [
        {**item, "host": host}
        for host, found in asked.items()
        for item in found["extra"]
        if item["reason"] == "key_of_nobody"
    ]
    causes = [_failing(hosts, asked[hosts[0]]) for hosts in failing.values()]
    if strangers:
        context = _context(asked[strangers[0]["host"]], "")
        causes.append(_sentence(REASONS["key_of_nobody"], strangers, context))
    return causes


def _wrong(found: t.Mapping[str, t.Any]) -> bool:
    return bool(found["problems"])


def _line(host: str, found: t.Mapping[str, t.Any]) -> str:
    if "names" not in found:
        return f"{host} cannot be asked"
    asked = f" (asked {found['asked']})" if found["asked"] else ""
    names = ", ".join(found["names"]) or "no name"
    return f"{host} finds by {found['source']}{asked}: {names}"


def _failing(hosts: t.Sequence[str], found: t.Mapping[str, t.Any]) -> str:
    items = [{"host": host, "name": "", "value": ""} for host in hosts]
    return _sentence(FAILURES[found["failure"]], items, _context(found, ""))


def _differs(
    hosts: t.Sequence[str], others: t.Sequence[str], told: t.Mapping[str, t.Mapping[str, t.Any]]
) -> str:
    found, right = told[hosts[0]], told[others[0]]
    if found["failure"]:
        return _failing(hosts, found)
    remedies = {
        "dns": "correct the nameserver in /etc/resolv.conf, or the records of that server",
        "static": "run the playbook site, which writes the seeds of all members",
    }
    remedy = remedies.get(found["strategy"], "have all hosts ask the same service")
    return (
        f"Host {_list(hosts)}: {found['asked'] or 'its own file'} says that {found['source']} are "
        f"{_list(found['entries']) or 'none'}, expected {_list(right['entries']) or 'none'} as "
        f"{right['asked'] or 'the others'} tells {_list(others)}: {remedy}."
    )
