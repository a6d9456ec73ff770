# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._discovery import matching

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
        assert sentence.endswith(f": {matching.REASONS[reason][2]}.")
        assert "{" not in sentence

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
            "Host n2, n3: the A records of mq.example are 10.0.0.1, expected also 10.0.0.2, "
            "10.0.0.3: add the record (the role bind does), low TTL."
        ]
        assert "Host n3: " in found["missing"][1]["message"]

    @pytest.mark.parametrize("failure", sorted(matching.FAILURES))
    def test_failure(self, failure: str) -> None:
        found = matching.report("dns", A, IPS[1], nodes(*IPS), answer(failure=failure))
        assert (found["names"], found["missing"]) == ([], [])
        (sentence,) = found["problems"]
        assert sentence.startswith("Host n2: ")
        assert sentence.endswith(f": {matching.FAILURES[failure][2]}.")
        assert "{" not in sentence


class TestConclude:
    def reports(self, **entries: t.Any) -> dict[str, t.Any]:
        """By host, the report of an answer given as entries or as a failure."""
        return {
            host: matching.report(
                "dns",
                A,
                name,
                nodes(*IPS),
                answer(failure=given) if isinstance(given, str) else answer(given),
            )
            for (host, given), name in zip(entries.items(), IPS)
        }

    RIGHT = addresses("10.0.0.1", "10.0.0.2", "10.0.0.3")

    def test_the_same_everywhere_is_one_cause(self) -> None:
        wrong = addresses("10.0.0.1", "10.0.0.2")
        found = matching.conclude(self.reports(n1=wrong, n2=wrong, n3=wrong))
        (cause,) = found["causes"]
        assert cause.startswith("Host n3: the A records of mq.example are 10.0.0.1, 10.0.0.2, ")
        assert found["seen"][0] == (
            "n1 finds by the A records of mq.example (asked 10.0.0.53): "
            "emqx@10.0.0.1, emqx@10.0.0.2"
        )

    def test_no_answer_anywhere_is_one_cause(self) -> None:
        found = matching.conclude(self.reports(n1="dns_silent", n2="dns_silent", n3="dns_silent"))
        (cause,) = found["causes"]
        assert cause.startswith("Host n1, n2, n3: DNS (10.0.0.53) gives no answer for ")
        assert found["seen"][2].endswith(": no name")

    @pytest.mark.parametrize("odd", [addresses("10.0.0.9"), []])
    def test_a_host_that_is_told_something_else(self, odd: list[Entry]) -> None:
        found = matching.conclude(self.reports(n1=self.RIGHT, n2=odd, n3=self.RIGHT))
        (cause,) = found["causes"]
        listed = odd[0]["address"] if odd else "none"
        assert cause.startswith(
            f"Host n2: 10.0.0.53 says that the A records of mq.example are {listed}, expected "
        )
        assert "tells n1, n3: correct the nameserver in /etc/resolv.conf" in cause

    def test_a_host_without_answer(self) -> None:
        found = matching.conclude(self.reports(n1=self.RIGHT, n2="no_resolver", n3=self.RIGHT))
        (cause,) = found["causes"]
        assert cause.startswith("Host n2: there is no DNS server to ask")

    def test_the_right_answer_counts_and_not_the_majority(self) -> None:
        wrong = addresses("10.0.0.9")
        (cause,) = matching.conclude(self.reports(n1=wrong, n2=wrong, n3=self.RIGHT))["causes"]
        assert cause.startswith("Host n1, n2: ")

    def test_discovery_is_not_to_blame(self) -> None:
        reports = self.reports(n1=self.RIGHT, n2=self.RIGHT, n3=self.RIGHT)
        (cause,) = matching.conclude(reports)["causes"]
        assert cause.startswith("Host n1, n2, n3: discovery finds the wanted members")

    def test_a_host_that_cannot_be_asked(self) -> None:
        reports = {**self.reports(n1=self.RIGHT), "n2": {"msg": "install dnspython"}}
        found = matching.conclude(reports)
        assert found["causes"] == ["Host n2: it cannot be asked: install dnspython"]
        assert found["seen"][1] == "n2 cannot be asked"


class TestBeforeStart:
    STRANGER = "emqx@10.9.9.9"

    def causes(self, *answers: dict[str, t.Any], strategy: str = "etcd") -> list[str]:
        reports = {
            f"n{number + 1}": matching.report(
                strategy, ETCD if strategy == "etcd" else A, IPS[number], nodes(*IPS), given
            )
            for number, given in enumerate(answers)
        }
        return matching.before_start({**reports, "n9": {"msg": "no Python"}})

    @pytest.mark.parametrize("names", [[], IPS[:1], IPS])
    def test_keys_of_the_own_nodes_may_be_missing(self, names: list[str]) -> None:
        assert self.causes(answer(keys(*names)), answer(keys(*names))) == []

    def test_what_ends_the_boot(self) -> None:
        refused, no_ca = answer(failure="etcd_refused"), answer(failure="etcd_other_ca")
        first, second = self.causes(refused, no_ca, refused)
        assert first.startswith("Host n1, n3: 10.0.0.53 refuses the connection (")
        assert second.startswith("Host n2: the certificate of 10.0.0.53 is signed by another CA (")

    def test_a_lock_only_keeps_it_waiting(self) -> None:
        assert self.causes(answer(failure="etcd_locked")) == []

    def test_nodes_of_another_cluster(self) -> None:
        found = answer(keys(IPS[0], self.STRANGER))
        assert self.causes(found, found) == [
            f"Host n1, n2: the keys below emqxcl/ekkacl/nodes/ have "
            f"emqxcl/ekkacl/nodes/{self.STRANGER}, of no core of this cluster, expected keys of "
            "its own cores only: stop that node, or set an emqx_etcd_prefix that no other cluster "
            "has."
        ]

    def test_a_key_that_nobody_keeps_alive_is_no_node(self) -> None:
        assert self.causes(answer(keys(self.STRANGER, leased=False))) == []

    def test_other_services_end_no_boot(self) -> None:
        assert self.causes(answer(failure="dns_silent"), strategy="dns") == []
