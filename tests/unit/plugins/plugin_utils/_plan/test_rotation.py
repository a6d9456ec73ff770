# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""In which steps certificates and CAs of a running cluster are replaced."""

from __future__ import annotations

import datetime as dt
import typing as t
from pathlib import Path

import pytest
from cryptography.x509 import DNSName

from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import rotation
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.rotation import (
    Rotation,
    TlsState,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.tls import TlsPlan
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.x509 import authorities
from ansible_collections.mqttops.emqx.tests.support.certificates import Authority
from ansible_collections.mqttops.emqx.tests.unit import tls_records

View = t.Dict[str, t.Any]

NOW = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None)
HOSTS = ("n1", "n2", "n3")
NAMES = {host: f"emqx@{host}.example.org" for host in HOSTS}


@pytest.fixture
def old(tmp_path: Path) -> Authority:
    (tmp_path / "old").mkdir()
    return Authority(tmp_path / "old", "old")


@pytest.fixture
def new(tmp_path: Path) -> Authority:
    (tmp_path / "new").mkdir()
    return Authority(tmp_path / "new", "new")


def state(
    host: str,
    shows: Authority,
    desired: Authority | None,
    trusts: t.Sequence[Authority] = (),
    days: int = 100,
    role: str = "core",
    complete: bool = True,
    active: bool = True,
    stale: tuple[str, ...] = (),
) -> TlsState:
    """A member that shows a certificate of a CA, by default one that it trusts itself."""
    name = f"{host}.example.org"
    files = shows.issue(host, DNSName(name), days=days)
    return TlsState(
        node=tls_records.node(name, host, role),
        active=active,
        stale=stale,
        observed=tls_records.observed(files, *(ca.file for ca in trusts)),
        plan=TlsPlan(
            ca=desired.file.read_text() if desired else "",
            ca_missing=desired is None,
            complete=complete,
            renew=shows is not desired or days < 30,
        ),
    )


def view(running: t.Iterable[str] = HOSTS, stopped: t.Iterable[str] = ()) -> View:
    return {
        "state": "ready",
        "running_nodes": [NAMES[host] for host in running],
        "stopped_nodes": [NAMES.get(host, host) for host in stopped],
    }


DOWN = {"state": "down", "reason": "Node not responding to pings."}
ALL: dict[str, View] = {host: view() for host in HOSTS}
# n3 is down, or kept out.
WITHOUT_THIRD: dict[str, View] = {
    **dict.fromkeys(("n1", "n2"), view(("n1", "n2"), ("n3",))),
    "n3": DOWN,
}


def steps(found: Rotation, *authorities_of: Authority) -> list[tuple[str, str, str]]:
    """Return hosts, names of the CAs to trust and hosts with a new certificate of each step."""
    assert found.findings == ()
    names = {next(iter(authorities(ca.file.read_text()))): ca.file.stem for ca in authorities_of}
    return [
        (
            " ".join(change.hosts),
            " ".join(sorted(names[der] for der in authorities(change.trust))),
            " ".join(change.renew),
        )
        for change in found.changes
    ]


def plan(
    states: t.Mapping[str, TlsState],
    views: t.Mapping[str, View] = ALL,
    consent: bool = False,
) -> Rotation:
    return rotation.plan(states, views, consent, NOW)


def test_nothing_to_do(new: Authority) -> None:
    assert plan({host: state(host, new, new) for host in HOSTS}) == Rotation()


def test_renewal_one_by_one_and_cores_first(new: Authority) -> None:
    states = {host: state(host, new, new, days=20) for host in HOSTS}
    states["n1"] = state("n1", new, new, days=20, role="replicant")
    assert steps(plan(states), new) == [("n2", "", "n2"), ("n3", "", "n3"), ("n1", "", "n1")]


def test_only_those_that_need_it(new: Authority) -> None:
    states = {host: state(host, new, new) for host in HOSTS}
    states["n2"] = state("n2", new, new, days=20)
    # Written in a run that was cut short before the restart.
    states["n3"] = state("n3", new, new, stale=("/etc/mqttops-emqx/tls/cert.pem",))
    found = plan(states)
    assert steps(found, new) == [("n2", "", "n2"), ("n3", "", "")]
    assert [(step.host, step.kind, step.text) for step in found.steps] == [
        ("n2", "certificates", "a new certificate, and a restart"),
        ("n3", "certificates", "what its files hold already, and a restart"),
    ]


THREE_ROUNDS = [
    *((host, "new old", "") for host in HOSTS),
    *((host, "", host) for host in HOSTS),
    *((host, "new", "") for host in HOSTS),
]


def test_another_ca_takes_three_rounds(old: Authority, new: Authority) -> None:
    states = {host: state(host, old, new) for host in HOSTS}
    assert steps(plan(states), old, new) == THREE_ROUNDS


def test_check_mode_knows_of_a_ca_to_be_made(old: Authority) -> None:
    states = {host: state(host, old, None) for host in HOSTS}
    assert [change.hosts for change in plan(states).changes] == [(host,) for host in HOSTS] * 3


def test_each_round_is_taken_up_where_it_stopped(old: Authority, new: Authority) -> None:
    both = (old, new)
    states = {host: state(host, old, new) for host in HOSTS}
    states["n1"] = state("n1", old, new, both)
    states["n2"] = state("n2", old, new, both, stale=("ca.pem",))
    # n2 has both in its file only.
    assert steps(plan(states), old, new) == THREE_ROUNDS[1:]
    states = {host: state(host, old, new, both) for host in HOSTS}
    states["n1"] = state("n1", new, new, both)
    assert steps(plan(states), old, new) == THREE_ROUNDS[4:]
    states = {host: state(host, new, new, both) for host in HOSTS}
    states["n1"] = state("n1", new, new)
    assert steps(plan(states), old, new) == THREE_ROUNDS[7:]


def test_a_node_that_did_not_come_back_in_a_change_of_the_ca(
    old: Authority, new: Authority
) -> None:
    both = (old, new)
    states = {host: state(host, old, new) for host in HOSTS}
    states["n1"] = state("n1", old, new, both, active=False)
    seen = view(("n2", "n3"), ("n1",))
    views = {"n1": DOWN, "n2": seen, "n3": seen}
    assert steps(plan(states, views), old, new) == THREE_ROUNDS
    states["n1"] = state("n1", old, new, both, days=-1)
    (finding,) = plan(states, views).findings
    assert (finding.code, finding.subject) == ("tls_full_restart", "emqx_allow_full_restart")


def test_a_third_ca_in_the_middle(old: Authority, new: Authority, tmp_path: Path) -> None:
    third = Authority(tmp_path, "third")
    states = {host: state(host, old, third, (old, new)) for host in HOSTS}
    states["n1"] = state("n1", new, third, (old, new))
    found = steps(plan(states), old, new, third)
    assert found[:3] == [(host, "new old third", "") for host in HOSTS]
    assert found[6:] == [(host, "third", "") for host in HOSTS]


def test_a_node_that_is_kept_out_comes_first(new: Authority) -> None:
    states = {host: state(host, new, new, days=20) for host in HOSTS}
    states["n3"] = state("n3", new, new, days=-1)
    expected = [("n3", "new", "n3"), ("n1", "", "n1"), ("n2", "", "n2")]
    found = plan(states, WITHOUT_THIRD)
    assert steps(found, new) == expected
    # The cluster is whole only once it is back.
    assert [step.gated for step in found.changes] == [False, True, True]


def test_a_node_with_a_ca_of_its_own_is_brought_back(old: Authority, new: Authority) -> None:
    states = {host: state(host, new, new) for host in HOSTS}
    states["n3"] = state("n3", old, new)
    views = {**WITHOUT_THIRD, "n3": view(["n3"])}
    assert steps(plan(states, views), old, new) == [("n3", "new", "n3")]


def test_of_two_nodes_the_one_with_the_desired_ca_is_right(old: Authority, new: Authority) -> None:
    states = {"n1": state("n1", old, new), "n2": state("n2", new, new)}
    views = {host: view([host]) for host in states}
    assert steps(plan(states, views), old, new) == [("n1", "new", "n1")]


def test_expired_ones_that_still_run_need_consent(new: Authority) -> None:
    states = {host: state(host, new, new, days=-1) for host in HOSTS}
    (finding,) = plan(states).findings
    assert (finding.subject, finding.found, finding.hosts) == (
        "emqx_allow_full_restart",
        "false",
        HOSTS,
    )
    assert finding.evidence[1].startswith("n2: expected the certificate to be valid at")
    found = plan(states, consent=True)
    assert steps(found, new) == [("n1 n2 n3", "new", "n1 n2 n3")]
    assert not found.changes[0].gated
    assert [step.host for step in found.steps] == list(HOSTS)
    assert "together with n1, n2, n3" in found.steps[0].reason


def test_nodes_that_are_down_start_together(new: Authority) -> None:
    states = {host: state(host, new, new, days=-1, active=False) for host in HOSTS}
    views = dict.fromkeys(HOSTS, DOWN)
    assert steps(plan(states, views), new) == [("n1 n2 n3", "new", "n1 n2 n3")]


def test_what_is_to_be_mended_first(new: Authority) -> None:
    states = {host: state(host, new, new) for host in HOSTS}
    views = {"n1": view(["n1"], ["emqx@gone"]), "n2": view(["n2"], ["emqx@gone"]), "n3": DOWN}
    findings = plan(states, views).findings
    assert [finding.hosts for finding in findings] == [("n1",), ("n2",), ("n3",)]
    assert [finding.code for finding in findings] == ["not_whole", "not_whole", "not_ready"]
    assert findings[0].found == f"{NAMES['n1']} running and emqx@gone stopped"
    assert "with certificates that are in order" in findings[2].found


def test_a_node_without_certificates_is_left_to_the_playbook_site(new: Authority) -> None:
    states = {host: state(host, new, new) for host in HOSTS}
    states["n2"] = state("n2", new, new, complete=False)
    (finding,) = plan(states).findings
    assert (finding.code, finding.hosts) == ("tls_missing", ("n2",))
    assert finding.remedy == "run the playbook site first"


def test_a_member_that_was_not_asked(new: Authority) -> None:
    states = {host: state(host, new, new) for host in HOSTS}
    findings = plan(states, {"n1": view(), "n2": view()}).findings
    assert "unknown (left out of this run)" in findings[0].found
