# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._discovery import matching
from ansible_collections.mqttops.emqx.plugins.module_utils._discovery.table import (
    STRATEGIES,
    phrases,
)

Entry = t.Dict[str, t.Any]
A = {"name": "mq.example", "record_type": "a"}
AAAA = {"name": "mq.example", "record_type": "aaaa"}
SRV = {"name": "_emqx._tcp.mq.example", "record_type": "srv"}
STATIC: Entry = {"seeds": []}
ETCD = {"server": "https://e1:2379", "prefix": "emqxcl"}
K8S = {
    "apiserver": "https://k8s:6443",
    "service_name": "emqx-headless",
    "namespace": "mq",
    "address_type": "ip",
    "suffix": "",
}
K8S_DNS = {**K8S, "address_type": "dns", "suffix": "pod.cluster.local"}
K8S_HOSTNAME = {**K8S, "address_type": "hostname", "suffix": "svc.cluster.local"}


def nodes(*names: str, role: str = "core") -> list[dict[str, t.Any]]:
    return [
        {"name": name, "inventory_host": f"n{position}", "role": role}
        for position, name in enumerate(names, 1)
    ]


def addresses(*found: str) -> list[Entry]:
    return [{"address": address} for address in found]


def targets(*found: str) -> list[Entry]:
    return [{"target": target} for target in found]


def keys(*found: str, leased: bool = True) -> list[Entry]:
    folder = "emqxcl/ekkacl/nodes/"
    return [{"key": f"{folder}{name}", "value": name, "leased": leased} for name in found]


def endpoint(ip: str, hostname: str = "", ready: bool = True) -> Entry:
    return {"ip": ip, "hostname": hostname, "ready": ready}


def answer(entries: t.Sequence[Entry] = (), failure: str = "") -> dict[str, t.Any]:
    detail = "some error" if failure else ""
    return {"entries": entries, "asked": "10.0.0.53", "failure": failure, "detail": detail}


def report(
    strategy: str,
    settings: dict[str, t.Any],
    entries: t.Sequence[Entry],
    *names: str,
    own: str = "",
) -> dict[str, t.Any]:
    wanted = nodes(*names)
    return matching.report(strategy, settings, own or names[0], wanted, answer(entries))


class TestNames:
    @pytest.mark.parametrize(
        ("strategy", "settings", "entry", "name"),
        [
            ("static", STATIC, {"name": "emqx9@10.0.0.1"}, "emqx9@10.0.0.1"),
            ("dns", A, {"address": "10.0.0.1"}, "mq@10.0.0.1"),
            ("dns", AAAA, {"address": "fd00::1"}, "mq@fd00::1"),
            ("dns", SRV, {"target": "b1.example"}, "mq@b1.example"),
            ("etcd", ETCD, keys("emqx9@h.example")[0], "emqx9@h.example"),
            ("k8s", K8S, endpoint("10.1.2.3", "mq-0"), "mq@10.1.2.3"),
            ("k8s", {**K8S, "suffix": "ignored"}, endpoint("10.1.2.3"), "mq@10.1.2.3"),
            ("k8s", K8S_DNS, endpoint("10.1.2.3"), "mq@10-1-2-3.mq.pod.cluster.local"),
            (
                "k8s",
                K8S_HOSTNAME,
                endpoint("10.1.2.3", "mq-0"),
                "mq@mq-0.emqx-headless.mq.svc.cluster.local",
            ),
            # without a suffix EMQX leaves the address as it is
            ("k8s", {**K8S_DNS, "suffix": ""}, endpoint("10.1.2.3"), "mq@10.1.2.3"),
            ("k8s", {**K8S_HOSTNAME, "suffix": ""}, endpoint("10.1.2.3", "mq-0"), "mq@mq-0"),
            ("k8s", K8S_HOSTNAME, endpoint("10.1.2.3"), ""),
            ("k8s", K8S, endpoint("10.1.2.3", ready=False), ""),
        ],
    )
    def test_form(self, strategy: str, settings: dict[str, t.Any], entry: Entry, name: str) -> None:
        assert matching.form(strategy, settings, "mq", entry) == name


IPS = ("emqx@10.0.0.1", "emqx@10.0.0.2", "emqx@10.0.0.3")
FQDNS = ("emqx@b1.example", "emqx@b2.example")


class TestReport:
    @pytest.mark.parametrize(
        ("strategy", "settings", "entries", "names"),
        [
            ("static", STATIC, [{"name": name} for name in IPS], IPS),
            ("dns", A, addresses("10.0.0.3", "10.0.0.1", "10.0.0.2"), IPS),
            ("dns", AAAA, addresses("fd00::1"), ("emqx@fd00::1",)),
            ("dns", SRV, targets("b2.example", "b1.example"), FQDNS),
            ("etcd", ETCD, keys(*IPS), IPS),
            ("k8s", K8S, [endpoint("10.0.0.1"), endpoint("10.0.0.2")], IPS[:2]),
        ],
    )
    def test_all_is_well(
        self,
        strategy: str,
        settings: dict[str, t.Any],
        entries: list[Entry],
        names: tuple[str, ...],
    ) -> None:
        found = report(strategy, settings, entries, *names)
        assert found["names"] == sorted(names)
        assert found["missing"] == found["extra"] == found["malformed"] == found["problems"] == []

    @pytest.mark.parametrize(
        ("strategy", "settings", "entries", "names", "reason", "host", "value"),
        [
            ("static", STATIC, [{"name": IPS[0]}], IPS[:2], "not_a_seed", "n2", IPS[1]),
            ("dns", A, addresses("10.0.0.1"), IPS[:2], "no_record", "n2", "10.0.0.2"),
            ("dns", A, [], IPS[:1], "no_record", "n1", "10.0.0.1"),
            (
                "dns",
                A,
                addresses("10.0.0.1"),
                (IPS[0], "emqx@b2.example"),
                "needs_address",
                "n2",
                "b2.example",
            ),
            (
                "dns",
                A,
                addresses("10.0.0.1", "10.0.0.2"),
                (IPS[0], "emqx2@10.0.0.2"),
                "short_names_differ",
                "n2",
                "emqx@10.0.0.2",
            ),
            (
                "dns",
                AAAA,
                addresses("fd00::1"),
                ("emqx@fd00:0:0::1",),
                "address_form",
                "n1",
                "emqx@fd00::1",
            ),
            ("dns", SRV, targets("b1.example"), FQDNS, "no_record", "n2", "b2.example"),
            (
                "dns",
                SRV,
                targets("b1.example", "b2"),
                FQDNS,
                "target_not_fqdn",
                "n2",
                "b2",
            ),
            (
                "dns",
                SRV,
                targets("b1.example", "B2.example"),
                FQDNS,
                "target_not_fqdn",
                "n2",
                "B2.example",
            ),
            ("dns", SRV, targets("b1.example"), (FQDNS[0], IPS[1]), "needs_fqdn", "n2", "10.0.0.2"),
            ("etcd", ETCD, keys(IPS[0]), IPS[:2], "no_key", "n2", f"emqxcl/ekkacl/nodes/{IPS[1]}"),
            ("k8s", K8S, [endpoint("10.0.0.1")], IPS[:2], "no_endpoint", "n2", "10.0.0.2"),
            (
                "k8s",
                K8S,
                [endpoint("10.0.0.1"), endpoint("10.0.0.2", ready=False)],
                IPS[:2],
                "endpoint_not_ready",
                "n2",
                "10.0.0.2",
            ),
            (
                "k8s",
                K8S_HOSTNAME,
                [endpoint("10.0.0.1", "mq-0")],
                ("emqx@mq-0.emqx-headless.mq.svc.other",),
                "endpoint_form",
                "n1",
                "emqx@mq-0.emqx-headless.mq.svc.cluster.local",
            ),
            (
                "k8s",
                K8S_DNS,
                [endpoint("10.0.0.1")],
                ("emqx@10-0-0-1.mq.pod.local",),
                "endpoint_form",
                "n1",
                "emqx@10-0-0-1.mq.pod.cluster.local",
            ),
            (
                "k8s",
                K8S,
                [endpoint("10.0.0.1"), endpoint("10.0.0.2")],
                (IPS[0], "emqx2@10.0.0.2"),
                "short_names_differ",
                "n2",
                "emqx@10.0.0.2",
            ),
        ],
    )
    def test_missing(
        self,
        strategy: str,
        settings: dict[str, t.Any],
        entries: list[Entry],
        names: tuple[str, ...],
        reason: str,
        host: str,
        value: str,
    ) -> None:
        found = report(strategy, settings, entries, *names)
        assert [(i["reason"], i["host"], i["value"]) for i in found["missing"]] == [
            (reason, host, value)
        ]
        # What stands in its place is the same finding, not one more.
        assert found["extra"] == []
        (sentence,) = found["problems"]
        assert sentence.startswith(f"Host {host}: ")
        assert sentence.endswith(f": {phrases(reason).remedy}.")
        assert "{" not in sentence
        assert [each["code"] for each in found["findings"]] == [reason]
        assert matching.remedy(reason) == phrases(reason).remedy

    @pytest.mark.parametrize(
        ("strategy", "settings", "entries", "names", "reason", "value"),
        [
            ("static", STATIC, [{"name": n} for n in IPS], IPS[:2], "seed_of_nobody", IPS[2]),
            (
                "dns",
                A,
                addresses("10.0.0.1", "10.0.0.9"),
                IPS[:1],
                "record_of_nobody",
                "10.0.0.9",
            ),
            (
                "etcd",
                ETCD,
                keys(IPS[0], "emqx@10.9.9.9"),
                IPS[:1],
                "key_of_nobody",
                "emqxcl/ekkacl/nodes/emqx@10.9.9.9",
            ),
            (
                "etcd",
                ETCD,
                [*keys(IPS[0]), *keys("emqx@10.9.9.9", leased=False)],
                IPS[:1],
                "stale_key",
                "emqxcl/ekkacl/nodes/emqx@10.9.9.9",
            ),
            (
                "k8s",
                K8S,
                [endpoint("10.0.0.1"), endpoint("10.9.9.9")],
                IPS[:1],
                "endpoint_of_nobody",
                "10.9.9.9",
            ),
        ],
    )
    def test_extra(
        self,
        strategy: str,
        settings: dict[str, t.Any],
        entries: list[Entry],
        names: tuple[str, ...],
        reason: str,
        value: str,
    ) -> None:
        found = report(strategy, settings, entries, *names)
        assert found["missing"] == []
        assert [(item["reason"], item["value"]) for item in found["extra"]] == [(reason, value)]
        (sentence,) = found["problems"]
        assert value in sentence

    def test_malformed(self) -> None:
        found = report("etcd", ETCD, [*keys(IPS[0]), *keys("nonsense")], IPS[0])
        assert [item["reason"] for item in found["malformed"]] == ["no_name"]
        assert found["names"] == [IPS[0]]
        found = report("k8s", K8S_HOSTNAME, [endpoint("10.0.0.1")], "emqx@x")
        assert [item["reason"] for item in found["malformed"]] == ["endpoint_without_hostname"]

    def test_replicants_need_no_entry_and_may_have_one(self) -> None:
        wanted = [*nodes(*IPS[:2]), {**nodes(IPS[2])[0], "role": "replicant"}]
        for entries in (addresses("10.0.0.1", "10.0.0.2"), addresses(*(n[5:] for n in IPS))):
            found = matching.report("dns", A, IPS[0], wanted, answer(entries))
            assert found["problems"] == []

    def test_one_sentence_names_all_nodes_of_a_cause(self) -> None:
        found = report("dns", A, addresses("10.0.0.1"), *IPS)
        assert found["problems"] == [
            "Hosts n2, n3: expected the A records of mq.example to include 10.0.0.2, 10.0.0.3, "
            "found 10.0.0.1: add the record (the role bind does), with a low TTL."
        ]
        assert "Host n3: " in found["missing"][1]["message"]

    @pytest.mark.parametrize(
        ("strategy", "failure"),
        [(name, failure) for name, rules in STRATEGIES.items() for failure in rules.FAILURES],
    )
    def test_failure(self, strategy: str, failure: str) -> None:
        settings = {"static": STATIC, "dns": A, "etcd": ETCD, "k8s": K8S}[strategy]
        found = matching.report(strategy, settings, IPS[1], nodes(*IPS), answer(failure=failure))
        assert (found["names"], found["missing"]) == ([], [])
        (sentence,) = found["problems"]
        assert sentence.startswith("Host n2: ")
        assert sentence.endswith(f": {phrases(failure).remedy}.")
        assert "{" not in sentence
        assert [each["code"] for each in found["findings"]] == [failure]

    def test_findings_are_in_the_common_form(self) -> None:
        (finding,) = report("dns", A, addresses("10.0.0.1"), *IPS[:2])["findings"]
        assert finding == {
            "code": "no_record",
            "severity": "error",
            "hosts": ["n2"],
            "subject": "",
            "expected": "the A records of mq.example to include 10.0.0.2",
            "found": "10.0.0.1",
            "remedy": "add the record (the role bind does), with a low TTL",
            "evidence": [],
        }

    def test_what_a_service_says_is_shown_and_not_obeyed(self) -> None:
        said = "emqx@\x1b[2J" + "x" * 1000
        found = report("etcd", ETCD, [*keys(IPS[0]), *keys(said)], IPS[0])
        assert [item["reason"] for item in found["malformed"]] == ["no_name"]
        assert (found["names"], found["extra"]) == ([IPS[0]], [])
        texts = [*found["entries"], *found["problems"]]
        assert all(text.isprintable() and len(text) < 500 for text in texts)
