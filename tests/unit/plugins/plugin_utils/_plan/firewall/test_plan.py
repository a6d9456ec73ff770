# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import ast
import json
import typing as t
from pathlib import Path

import pytest
from model_builders import cluster, listener, node

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    FileState,
    HostState,
    Node,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall import (
    firewalld,
    nftables,
    ufw,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall import plan as firewall
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall.rules import (
    groups,
    rules,
)

N1, N2 = node("n1", "10.0.0.1"), node("n2", "10.0.0.2")
TWO = cluster(N1, N2)
OURS = groups(rules(TWO, Settings(), N1))
RICH = firewalld.rich_rules(OURS)
IN_UFW = [{**rule, "place": place} for place, rule in enumerate(ufw.ufw_rules(OURS, 4), 1)]


def host(
    *active: str,
    ours: t.Collection[str] = (),
    ipv6: bool = True,
    revision: str = "",
) -> HostState:
    """Return a host with these managers at work; our rules are in those of ``ours``."""
    rich = {"runtime": RICH, "permanent": RICH}
    there = IN_UFW if "ufw" in ours else []
    return HostState(
        files={path: FileState(exists="nftables" in ours) for path in firewall.WATCHED},
        nft={"available": True, "revision": revision},
        firewall={
            "active": list(active),
            "firewalld": {
                "default_zone": "public",
                "known_zones": ["internal", "public"],
                "zones": {"public": rich} if "firewalld" in ours else {},
            },
            "ufw": {
                "ipv6": ipv6,
                "v4": {"count": len(there), "ours": there},
                "v6": {"count": 0, "ours": []},
            },
        },
    )


def plan(found: HostState, **settings: t.Any) -> firewall.FirewallPlan:
    return firewall.plan(TWO, Settings(**settings), N1, found)


@pytest.mark.parametrize(
    ("chosen", "active", "expected"),
    [
        ("auto", [], "nftables"),
        ("auto", ["ufw"], "ufw"),
        ("auto", ["ufw", "firewalld"], "firewalld"),
        ("nftables", ["firewalld"], "nftables"),
        ("none", ["ufw"], "none"),
    ],
)
def test_the_back_end(chosen: str, active: list[str], expected: str) -> None:
    assert plan(host(*active), firewall_backend=chosen).backend == expected


def test_every_back_end_has_a_name_and_a_task_file_of_its_own() -> None:
    assert list(firewall.BACKENDS) == [one.NAME for one in firewall.BACKENDS.values()]
    assert len({one.TASKS for one in firewall.BACKENDS.values()}) == len(firewall.BACKENDS)


def test_one_back_end_at_a_time() -> None:
    found = plan(host("ufw", ours=["firewalld", "nftables"]))
    assert found.backend == "ufw"
    assert not found.changes["firewalld"].add
    assert {item["rule"] for item in found.changes["firewalld"].remove} == set(RICH)
    assert [item["from_ip"] for item in found.changes["ufw"].add][:2] == ["10.0.0.1", "10.0.0.2"]
    assert (found.load, found.remove_nft) == (False, True)
    # New rules come before those that go.
    assert found.tasks == ("firewall_ufw.yml", "firewall_firewalld.yml", "firewall_nftables.yml")


def test_rules_given_as_data_are_on_no_host() -> None:
    found = plan(host("ufw", ours=["firewalld", "ufw"]), firewall_backend="none")
    assert not found.changes["firewalld"].add
    assert not found.changes["ufw"].add
    assert len(found.changes["firewalld"].remove) == len(RICH)
    assert len(found.changes["ufw"].remove) == len(IN_UFW)
    assert [(rule.port, rule.sources) for rule in found.rules] == [
        (4370, ("10.0.0.1", "10.0.0.2")),
        (5370, ("10.0.0.1", "10.0.0.2")),
    ]
    assert not found.opens_ports
    assert plan(host(), firewall_backend="none").tasks == ("firewall_none.yml",)


@pytest.mark.parametrize(("zones", "expected"), [((), "public"), (("internal",), "internal")])
def test_zones(zones: tuple[str, ...], expected: str) -> None:
    found = plan(host("firewalld"), firewall_zones=zones)
    assert {item["zone"] for item in found.changes["firewalld"].add} == {expected}


@pytest.mark.parametrize(
    ("found", "opens"),
    [
        pytest.param(host(), False, id="no table of ours keeps anybody out"),
        pytest.param(host(revision="0123456789abcdef"), True, id="another table of ours does"),
        pytest.param(host("firewalld"), True, id="firewalld without our rules"),
        pytest.param(host("firewalld", ours=["firewalld"]), False, id="firewalld as it is to be"),
        pytest.param(host("ufw"), True, id="ufw without our rules"),
        pytest.param(host("ufw", "firewalld", ours=["firewalld"]), False, id="ufw is not asked"),
    ],
)
def test_whether_members_are_let_in_whom_the_host_keeps_out(found: HostState, opens: bool) -> None:
    assert plan(found).opens_ports is opens


def texts(planned: firewall.FirewallPlan) -> list[str]:
    return [f"{step.text}: {step.reason}" for step in firewall.steps(planned, "n1")]


def test_the_steps() -> None:
    assert texts(plan(host())) == ["load our table of nftables: its rules differ"]
    assert texts(plan(host("ufw", ours=["firewalld", "nftables"]))) == [
        f"add {len(IN_UFW) + 1} rules to ufw: its rules differ",
        f"remove {len(RICH)} rules from firewalld: ufw keeps the rules",
        "unload our table of nftables: ufw keeps the rules",
    ]
    given = plan(host(), firewall_backend="none")
    assert (texts(given), given.todo, given.changes_host) == ([], True, False)
    assert plan(host("ufw", ours=["ufw"]), firewall_backend="none").changes_host


def test_an_unchanged_host_has_nothing_to_do() -> None:
    assert not plan(host("firewalld", ours=["firewalld"])).todo
    assert not plan(host("ufw", ours=["ufw"], ipv6=False)).todo


def test_the_unit_that_has_to_run_before_a_node() -> None:
    assert plan(host()).unit == "mqttops-emqx-firewall.service"
    assert plan(host("ufw")).unit == ""


def test_published_ports_are_guarded_too() -> None:
    bridged = {"deployment": "container", "container_network": "emqx"}
    assert "ip saddr 10.213.0.0/24 accept" in plan(host(), **bridged).files[0].content
    assert "chain published" not in plan(host(), deployment="container").files[0].content


def test_the_form_for_tasks_is_data() -> None:
    shown = json.loads(json.dumps(plan(host(), firewall_backend="none").as_dict()))
    assert shown["rules"][0] == {
        "port": 4370,
        "protocol": "tcp",
        "sources": ["10.0.0.1", "10.0.0.2"],
        "purpose": "Erlang distribution of emqx@10.0.0.1",
    }
    shown = json.loads(json.dumps(plan(host("ufw", ours=["nftables"])).as_dict()))
    assert (shown["backend"], shown["load"], shown["remove_nft"]) == ("ufw", False, True)
    assert set(shown["ufw"]["add"][0]) == {"rule", "from_ip", "proto", "to_port", "insert"}
    shown = json.loads(json.dumps(plan(host()).as_dict()))
    assert [file["path"] for file in shown["files"]] == list(nftables.WATCHED[:2])
    assert shown["load"]


def findings(found: HostState, one: Node = N1, **settings: t.Any) -> list[Finding]:
    model = cluster(one, N2)
    return [
        *firewall.member_findings(model),
        *firewall.findings(model, Settings(**settings), one, found),
    ]


IPV6 = node("n1", "10.0.0.1", addresses=("10.0.0.1", "fd00::1"))
LISTENERS = (
    listener("tcp:default", 2883),
    listener("ssl:default", 8883, enabled=False),
    listener("ws:default", 8083, address="127.0.0.1"),
    listener("quic:default", 14567, protocol="udp"),
    listener("dashboard:http", 18083),
    listener("dashboard:https", 18084, address="10.0.0.1"),
)
WITH_LISTENERS = node("n1", "10.0.0.1", listeners=LISTENERS)
OPEN_TO = {"firewall_listener_networks": ("10.0.0.0/8",)}
OPERATORS = {"firewall_dashboard_networks": ("10.0.0.0/8",)}


@pytest.mark.parametrize(
    ("found", "one", "settings"),
    [
        (host(), N1, {}),
        (host("firewalld"), N1, {}),
        (host("ufw"), N1, {"firewall_backend": "ufw"}),
        (
            host("firewalld"),
            N1,
            {"firewall_backend": "firewalld", "firewall_zones": ("internal",)},
        ),
        (host("firewalld", "ufw"), N1, {"firewall_backend": "none"}),
        (host("ufw", ipv6=False), N1, {}),
        (
            host("ufw", ipv6=False),
            N1,
            {"firewall_listener_networks": ("2001:db8::/32",), "firewall_backend": "none"},
        ),
        (host(), N1, {"deployment": "container", "container_network": "emqx"}),
        (host("ufw"), N1, {"deployment": "container", "container_network": "host"}),
        (host("firewalld"), N1, {"deployment": "container", "container_network": "host"}),
        (host(), WITH_LISTENERS, {**OPEN_TO, **OPERATORS}),
        (host(), WITH_LISTENERS, {**OPEN_TO, "firewall_listener_ports": (2883, 14567)}),
        (host(), WITH_LISTENERS, {"firewall_listener_ports": (1883,)}),
    ],
)
def test_nothing_is_wrong(found: HostState, one: Node, settings: dict[str, t.Any]) -> None:
    assert findings(found, one, **settings) == []


@pytest.mark.parametrize(
    ("found", "one", "settings", "severity", "code", "subject", "text"),
    [
        (
            host(),
            N1,
            {"firewall_backend": "firewalld"},
            "error",
            "firewall_inactive",
            "emqx_firewall_backend",
            "no firewall manager at work",
        ),
        (
            host("firewalld"),
            N1,
            {"firewall_backend": "nftables"},
            "warning",
            "other_firewall",
            "emqx_firewall_backend",
            "set emqx_firewall_backend to firewalld",
        ),
        (
            host("firewalld", "ufw"),
            N1,
            {},
            "warning",
            "other_firewall",
            "emqx_firewall_backend",
            "ufw at work, too",
        ),
        (
            host("firewalld"),
            N1,
            {"firewall_zones": ("internl",)},
            "error",
            "unknown_zone",
            "emqx_firewall_zones",
            "internal, public",
        ),
        (
            host(),
            N1,
            {"firewall_dashboard_networks": ("10.0.0.0/33",)},
            "error",
            "firewall_source",
            "emqx_firewall_dashboard_networks",
            "10.0.0.0/33",
        ),
        (
            host(),
            node("n1", "n1.example"),
            {},
            "error",
            "firewall_source",
            "emqx_node_addresses",
            "'n1.example'",
        ),
        (
            host(),
            node("n1", "n1.example", addresses=()),
            {},
            "error",
            "no_address",
            "emqx_node_addresses",
            "have it take part in this run",
        ),
        (
            host("ufw", ipv6=False),
            IPV6,
            {},
            "error",
            "ufw_without_ipv6",
            "emqx_firewall_backend",
            "fd00::1",
        ),
        *(
            (
                host(manager),
                N1,
                {"deployment": "container", "container_network": "emqx"},
                "error",
                "published_ports",
                "emqx_firewall_backend",
                "nftables or none with a container network",
            )
            for manager in ("firewalld", "ufw")
        ),
        *(
            (
                host(),
                N1,
                {f"firewall_{kind}_ports": (port, 1883)},
                "error",
                "firewall_port",
                f"emqx_firewall_{kind}_ports",
                f"found {port}:",
            )
            for kind, port in (("listener", 0), ("dashboard", -1), ("listener", 99999))
        ),
        (
            host(),
            N1,
            {"firewall_listener_ports": (22, 1883)},
            "error",
            "firewall_ssh",
            "emqx_firewall_listener_ports",
            "22, by which the host is managed over SSH",
        ),
        (
            host(),
            node("n1", "10.0.0.1", rpc_port=22),
            {},
            "error",
            "firewall_ssh",
            "emqx_rpc_server_port",
            "found 22",
        ),
        (
            host(),
            WITH_LISTENERS,
            {**OPEN_TO, "firewall_listener_ports": (1883,)},
            "warning",
            "guarded_ports",
            "emqx_firewall_listener_ports",
            "tcp:default on 2883/tcp, quic:default on 14567/udp left out",
        ),
        (
            host(),
            WITH_LISTENERS,
            {**OPERATORS, "firewall_dashboard_ports": (18083,)},
            "warning",
            "guarded_ports",
            "emqx_firewall_dashboard_ports",
            "dashboard:https on 18084/tcp left out",
        ),
    ],
)
def test_what_is_wrong_names_its_variable(
    found: HostState,
    one: Node,
    settings: dict[str, t.Any],
    severity: str,
    code: str,
    subject: str,
    text: str,
) -> None:
    (finding,) = findings(found, one, **settings)
    assert (finding.severity, finding.code, finding.subject) == (severity, code, subject)
    assert finding.hosts == ("n1",)
    assert text in finding.sentence()


def test_a_member_outside_the_run_whose_addresses_nobody_says() -> None:
    (finding,) = firewall.member_findings(TWO, ["n2"])
    assert (finding.code, finding.hosts) == ("no_address", ("n2",))


def test_ssh_on_another_port() -> None:
    settings = Settings(firewall_listener_ports=(2222, 22))
    (finding,) = firewall.findings(TWO, settings, N1, host(), ssh_ports=[2222])
    assert finding.found.startswith("2222,")


@pytest.mark.parametrize("ports", [(0,), (-1, 99999), (22,)])
def test_a_plan_is_made_of_wrong_ports_too(ports: tuple[int, ...]) -> None:
    settings = {"firewall_listener_ports": ports, "firewall_listener_networks": ("x",)}
    for active in ("firewalld", "ufw", "none"):
        assert plan(host(active), **settings).backend


def test_no_other_file_compares_the_names_of_back_ends() -> None:
    here = Path(firewall.__file__).parent
    names = set(firewall.BACKENDS) - {"none"}
    found = {
        path.name
        for path in here.parents[1].rglob("*.py")
        if path.parent != here
        for compared in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(compared, ast.Compare)
        for constant in ast.walk(compared)
        if isinstance(constant, ast.Constant) and constant.value in names
    }
    assert found == set()
