# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._discovery import matching
from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model import discovered

Entry = t.Dict[str, t.Any]
Answer = t.Dict[str, t.Any]

DNS = {"name": "mq.example", "record_type": "a"}
ETCD = {"server": "https://e1:2379", "prefix": "emqxcl"}
IPS = ("emqx@10.0.0.1", "emqx@10.0.0.2", "emqx@10.0.0.3")
NODES = [
    {"name": name, "inventory_host": f"n{number}", "role": "core"}
    for number, name in enumerate(IPS, 1)
]
STRANGER = "emqx@10.9.9.9"


def records(*addresses: str) -> list[Entry]:
    return [{"address": address} for address in addresses]


def keys(*names: str, leased: bool = True) -> list[Entry]:
    folder = "emqxcl/ekkacl/nodes/"
    return [{"key": f"{folder}{name}", "value": name, "leased": leased} for name in names]


def report(node: str, given: list[Entry] | str, strategy: str = "dns") -> Answer:
    """Return the report of a node, its service answering with entries or a failure."""
    failure = given if isinstance(given, str) else ""
    answer = {
        "entries": [] if failure else given,
        "asked": "10.0.0.53",
        "failure": failure,
        "detail": "some error" if failure else "",
    }
    settings = ETCD if strategy == "etcd" else DNS
    return matching.report(strategy, settings, node, NODES, answer)


def answers(*given: list[Entry] | str, strategy: str = "dns") -> dict[str, Answer]:
    return {
        f"n{number}": {"discovery": report(IPS[number - 1], each, strategy)}
        for number, each in enumerate(given, 1)
    }


def causes(found: dict[str, Answer]) -> list[Finding]:
    return list(discovered.discovery_findings(found).causes)


RIGHT = records("10.0.0.1", "10.0.0.2", "10.0.0.3")


class TestCauses:
    def test_the_same_everywhere_is_one_cause(self) -> None:
        wrong = records("10.0.0.1", "10.0.0.2")
        found = discovered.discovery_findings(answers(wrong, wrong, wrong))
        (cause,) = found.causes
        assert (cause.code, cause.hosts) == ("no_record", ("n3",))
        assert found.seen[0] == (
            "n1 finds by the A records of mq.example (asked 10.0.0.53): "
            "emqx@10.0.0.1, emqx@10.0.0.2"
        )

    def test_no_answer_anywhere_is_one_cause(self) -> None:
        found = discovered.discovery_findings(answers(*["dns_silent"] * 3))
        (cause,) = found.causes
        assert (cause.code, cause.hosts) == ("dns_silent", ("n1", "n2", "n3"))
        assert found.seen[2].endswith(": no name")

    @pytest.mark.parametrize("odd", [records("10.0.0.9"), []])
    def test_a_host_that_is_answered_otherwise(self, odd: list[Entry]) -> None:
        (cause,) = causes(answers(RIGHT, odd, RIGHT))
        listed = odd[0]["address"] if odd else "none"
        assert cause.sentence() == (
            "Host n2: expected 10.0.0.1, 10.0.0.2, 10.0.0.3, as 10.0.0.53 has it for n1, n3, found "
            f"{listed} from 10.0.0.53 for the A records of mq.example: correct the nameserver in "
            "/etc/resolv.conf, or the records of that server."
        )

    def test_a_host_without_answer(self) -> None:
        (cause,) = causes(answers(RIGHT, "no_resolver", RIGHT))
        assert (cause.code, cause.hosts) == ("no_resolver", ("n2",))

    def test_the_right_answer_counts_and_not_the_majority(self) -> None:
        wrong = records("10.0.0.9")
        (cause,) = causes(answers(wrong, wrong, RIGHT))
        assert cause.hosts == ("n1", "n2")

    def test_discovery_is_not_to_blame(self) -> None:
        (cause,) = causes(answers(RIGHT, RIGHT, RIGHT))
        assert (cause.code, cause.hosts) == ("discovery_complete", ("n1", "n2", "n3"))

    @pytest.mark.parametrize(
        "answer", [{"msg": "install dnspython"}, {"discovery": {}, "msg": "install dnspython"}]
    )
    def test_a_host_that_cannot_be_asked(self, answer: Answer) -> None:
        found = discovered.discovery_findings({**answers(RIGHT), "n2": answer})
        assert [cause.sentence() for cause in found.causes] == [
            "Host n2: expected a host that can be asked what EMQX discovers there, found install "
            "dnspython: mend that, then run the playbook again."
        ]
        assert found.seen[1] == "n2 cannot be asked"

    def test_nobody_was_asked(self) -> None:
        assert discovered.discovery_findings({"n1": {"skipped": True}}) == discovered.Discovered()
        assert discovered.discovery_findings({}) == discovered.Discovered()


class TestBeforeStart:
    def found(self, *given: list[Entry] | str, strategy: str = "etcd") -> list[Finding]:
        asked = {**answers(*given, strategy=strategy), "n9": {"msg": "no Python"}}
        return list(discovered.discovery_findings(asked).before_start)

    @pytest.mark.parametrize("names", [[], IPS[:1], IPS])
    def test_keys_of_the_own_nodes_may_be_missing(self, names: list[str]) -> None:
        assert self.found(keys(*names), keys(*names)) == []

    def test_what_ends_the_boot(self) -> None:
        first, second = self.found("etcd_refused", "etcd_other_ca", "etcd_refused")
        assert (first.code, first.hosts) == ("etcd_refused", ("n1", "n3"))
        assert (second.code, second.hosts) == ("etcd_other_ca", ("n2",))

    def test_a_lock_only_keeps_it_waiting(self) -> None:
        assert self.found("etcd_locked") == []

    def test_nodes_of_another_cluster(self) -> None:
        given = keys(IPS[0], STRANGER)
        assert [finding.sentence() for finding in self.found(given, given)] == [
            "Hosts n1, n2: expected the keys below emqxcl/ekkacl/nodes/ to include only cores of "
            f"this cluster, none of {given[1]['key']}, found {given[0]['key']}, "
            f"{given[1]['key']}: stop that node, or set an emqx_etcd_prefix that no other cluster "
            "has."
        ]

    def test_a_key_that_nobody_keeps_alive_is_no_node(self) -> None:
        assert self.found(keys(STRANGER, leased=False)) == []

    def test_other_services_end_no_boot(self) -> None:
        assert self.found("dns_silent", records("10.9.9.9"), strategy="dns") == []


@pytest.mark.parametrize(
    ("found", "ends"),
    [
        (report(IPS[0], "etcd_refused", "etcd"), True),
        (report(IPS[0], "etcd_locked", "etcd"), False),
        (report(IPS[0], keys(IPS[0]), "etcd"), False),
        (report(IPS[0], "dns_silent"), False),
        ({}, False),
    ],
)
def test_what_a_node_does_not_boot_with(found: Answer, ends: bool) -> None:
    assert discovered.ends_boot(found) is ends


def test_findings_come_back_as_they_were() -> None:
    found = report(IPS[0], records("10.0.0.1"))
    assert [each.as_dict() for each in discovered.findings(found)] == found["findings"]


FINDING = {"code": "x", "expected": "x", "found": "x", "remedy": "x", "hosts": []}


@pytest.mark.parametrize(
    "change",
    [
        {"strategy": "mdns"},
        {"strategy": ["etcd"]},
        {"source": None},
        {"names": "emqx@10.0.0.1"},
        {"entries": [1]},
        {"findings": None},
        {"findings": ["x"]},
        {"findings": [{**FINDING, "hosts": "n1"}]},
        {"findings": [{**FINDING, "code": 1}]},
        {"failure": "dns_silent", "findings": []},
    ],
)
def test_a_host_may_say_anything(change: dict[str, t.Any]) -> None:
    odd = {"discovery": {**report(IPS[0], RIGHT), **change}}
    assert [cause.code for cause in causes({"n1": odd, "n2": {"discovery": "x"}})] == [
        "discovery_unasked"
    ] * 2
