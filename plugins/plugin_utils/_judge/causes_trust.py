# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What may keep nodes from accepting one another: certificates, transport, cookies."""

from __future__ import annotations

import datetime as dt
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import (
    WARNING,
    Finding,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.case import (
    PLAYBOOK,
    Case,
    names,
    several,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import (
    certificate_health,
)

Findings = t.Iterator[Finding]


def certificates(case: Case, now: dt.datetime | None) -> Findings:
    """``now`` is in UTC without a zone; without it nothing is judged."""
    reviews = {} if now is None else {host: _review(case, host, now) for host in case}
    for host, review in reviews.items():
        for use, found in _by_file(review["problems"]):
            yield Finding(
                f"certificate_{found['code']}",
                "a certificate that its peers accept",
                f"the {use} certificate of {host} is refused by its peers, and by its own command "
                f"line: expected {found['expected']}, found {found['found']}",
                f"{found['remedy']}; on {host}: openssl x509 -noout -text -in {found['path']}",
                hosts=(host,),
                subject=found["path"],
                evidence=(f"{host}: {found['path']}",),
                explains=case.all_of(host),
                mended=case[host].planned.renews,
            )
        for use, found in _by_file(review["ending"]):
            yield Finding(
                "certificate_ends",
                "a certificate that stays valid",
                f"the {use} certificate of {host} ends soon: {found['found']}",
                f"{PLAYBOOK}rotate_certs renews those of its own CA, or takes new ones of yours",
                hosts=(host,),
                subject=found["path"],
                evidence=(f"{host}: {found['path']}",),
                severity=WARNING,
            )
    yield from _foreign_ca(case, {host: str(review["ca"]) for host, review in reviews.items()})


def _review(case: Case, host: str, now: dt.datetime) -> Json:
    given = case.found(host).certificates
    try:
        return certificate_health.review(given, case.nodes[host].host, now)
    except Exception as error:
        # A certificate is a host's text: a parser may end on it in any way.
        unreadable = {
            "use": names(each["use"] for each in given),
            "path": given[0]["paths"]["certificate"],
            "code": "unreadable",
            "expected": "certificates that can be parsed",
            "found": f"what is none ({type(error).__name__})",
            "remedy": "give the nodes new certificates",
        }
        return {"problems": [unreadable], "ending": [], "ca": ""}


def _by_file(
    problems: t.Iterable[t.Mapping[str, str]],
) -> t.Iterator[tuple[str, t.Mapping[str, str]]]:
    """Yield what each certificate is for, and what is wrong with it."""
    found: dict[tuple[str, str], list[t.Mapping[str, str]]] = {}
    for problem in problems:
        found.setdefault((problem["path"], problem["code"]), []).append(problem)
    for same in found.values():
        yield names(problem["use"] for problem in same), same[0]


def _foreign_ca(case: Case, trusted: t.Mapping[str, str]) -> Findings:
    groups = case.by_value(lambda host: trusted.get(host, ""))
    # While the CA is replaced, some trust the old and the new one.
    if len(groups) > 1 and not frozenset.intersection(
        *(frozenset(ca.split()) for ca, _hosts in groups)
    ):
        sets = [hosts for _ca, hosts in groups]
        few = [host for hosts in sets[1:] for host in hosts]
        yield Finding(
            "certificate_other_ca",
            "one CA for all nodes",
            f"{names(few)} {several(few, 'trusts', 'trust')} another CA than {names(sets[0])}, so "
            "they refuse one another's certificates",
            f"give all nodes certificates of one CA: {PLAYBOOK}rotate_certs",
            hosts=tuple(few),
            evidence=tuple(f"{names(hosts)}: CA {ca}" for ca, hosts in groups),
            explains=case.across(sets),
            mended=any(case[host].planned.renews for host in case),
        )


# Settings in which all nodes have to agree to talk to one another: their name in a view, and
# EMQX's default.
AGREED = {
    "cluster.proto_dist": ("proto_dist", "inet_tcp"),
    "rpc.protocol": ("rpc_protocol", "tcp"),
    "rpc.port_discovery": ("rpc_port_discovery", "stateless"),
}


def transport(case: Case) -> Findings:
    for key, (in_view, default) in AGREED.items():

        def value(host: str, key: str = key, in_view: str = in_view, default: str = default) -> str:
            running = str(getattr(case.views[host], in_view))
            return running or (case.setting(host, key, default) if case.found(host).read else "")

        groups = case.by_value(value)
        if len(groups) < 2:
            continue
        sets = [hosts for _value, hosts in groups]
        few = [host for hosts in sets[1:] for host in hosts]
        listed = "; ".join(f"{names(hosts)}: {shown}" for shown, hosts in groups)
        yield Finding(
            "transport",
            "one transport for all nodes",
            f"the nodes do not agree in {key} ({listed}), which has to be the same on all",
            f"set one value for all hosts and run {PLAYBOOK}site with "
            "emqx_allow_full_restart=true: all have to restart together",
            hosts=tuple(few),
            subject=key,
            evidence=tuple(f"{names(hosts)}: {key} is {shown}" for shown, hosts in groups),
            explains=case.across(sets),
            mended=True,
        )


def cookie(case: Case) -> Findings:
    def at_start(host: str) -> str:
        return case.config(host).cookie_fingerprint

    def running(host: str) -> str:
        return case.process(host).cookie_fingerprint or case.views[host].cookie_fingerprint

    changed = [h for h in case if running(h) and at_start(h) and running(h) != at_start(h)]
    groups = case.by_value(lambda host: running(host) or at_start(host))
    evidence = (
        *(f"{names(hosts)}: cookie {mark}" for mark, hosts in groups),
        *(f"{h}: runs with {running(h)}, its files have {at_start(h)}" for h in changed),
    )
    if len(groups) > 1:
        late = [h for h in changed if at_start(h) in dict(groups)]
        yield _other_cookie(case, [hosts for _mark, hosts in groups], late, evidence)
    elif changed:
        yield Finding(
            "cookie_pending",
            "nodes that run with the cookie of their files",
            f"the cookie in the files of {names(changed)} was changed but not taken up by a "
            "restart: after the next one "
            f"{several(changed, 'it refuses', 'they refuse')} the others",
            f"restart all nodes together: {PLAYBOOK}site -e emqx_allow_full_restart=true",
            hosts=tuple(changed),
            subject="emqx_cookie",
            evidence=evidence,
            severity=WARNING,
        )


def _other_cookie(
    case: Case, sets: list[list[str]], late: list[str], evidence: tuple[str, ...]
) -> Finding:
    few = [host for hosts in sets[1:] for host in hosts]
    note = f"; {names(late)} got another one but did not restart since" if late else ""
    logs = [line for host in case for line in case.log(host, "cookie")]
    return Finding(
        "cookie",
        "one cookie for all nodes",
        f"{names(few)} {several(few, 'has', 'have')} another cookie than {names(sets[0])}, so "
        f"they refuse each other's connections{note}",
        f"set one emqx_cookie for all hosts and run {PLAYBOOK}site with "
        "emqx_allow_full_restart=true",
        hosts=tuple(few),
        subject="emqx_cookie",
        evidence=(*evidence, *logs[-3:]),
        explains=case.across(sets),
        mended=True,
    )
