# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""In which steps certificates and CAs of a running cluster are replaced."""

from __future__ import annotations

import datetime as dt
import typing as t
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.x509 import DNSName

from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.rotation import rotation
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.tls import authorities
from ansible_collections.mqttops.emqx.tests.support.certificates import Authority

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
    wanted: Authority | None,
    trusts: t.Sequence[Authority] = (),
    days: int = 100,
    **more: t.Any,
) -> dict[str, t.Any]:
    """A member that shows a certificate of a CA, by default one that it trusts itself."""
    files = shows.issue(host, DNSName(f"{host}.example.org"), days=days)
    key = serialization.load_pem_private_key(files.key.read_bytes(), None)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    plan = {
        "ca": wanted.file.read_text() if wanted else "",
        "ca_missing": wanted is None,
        "complete": True,
        "renew": shows is not wanted or days < 30,
    }
    return {
        "node": NAMES[host],
        "role": "core",
        "address": f"{host}.example.org",
        "active": True,
        "stale": [],
        "found": {
            "certificate": files.cert.read_text(),
            "public_key": public.decode(),
            "ca": "".join(ca.file.read_text() for ca in trusts or (shows,)),
        },
        "plan": plan,
        "view": {
            "state": "ready",
            "running_nodes": list(NAMES.values()),
            "stopped_nodes": [],
        },
        **more,
    }


def down(reason: str = "Node not responding to pings.") -> dict[str, str]:
    return {"state": "down", "reason": reason}


def steps(found: t.Mapping[str, t.Any], *authorities_of: Authority) -> list[tuple[str, str, str]]:
    """Return hosts, names of the CAs to trust and hosts with a new certificate of each step."""
    assert found["errors"] == []
    names = {next(iter(authorities(ca.file.read_text()))): ca.file.stem for ca in authorities_of}
    return [
        (
            " ".join(step["hosts"]),
            " ".join(sorted(names[der] for der in authorities(step["trust"]))),
            " ".join(step["renew"]),
        )
        for step in found["steps"]
    ]


def plan(states: t.Mapping[str, t.Any], consent: bool = False) -> dict[str, t.Any]:
    return rotation(states, consent, NOW)


def test_nothing_to_do(new: Authority) -> None:
    assert plan({host: state(host, new, new) for host in HOSTS}) == {"steps": [], "errors": []}


def test_renewal_one_by_one_and_cores_first(new: Authority) -> None:
    states = {host: state(host, new, new, days=20) for host in HOSTS}
    states["n1"]["role"] = "replicant"
    assert steps(plan(states), new) == [("n2", "", "n2"), ("n3", "", "n3"), ("n1", "", "n1")]


def test_only_those_that_need_it(new: Authority) -> None:
    states = {host: state(host, new, new) for host in HOSTS}
    states["n2"] = state("n2", new, new, days=20)
    # Written in a run that was cut short before the restart.
    states["n3"]["stale"] = ["/etc/mqttops-emqx/tls/cert.pem"]
    found = plan(states)
    assert steps(found, new) == [("n2", "", "n2"), ("n3", "", "")]
    assert found["steps"][1]["text"] == "n3: what its files hold already, and a restart"


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
    assert [step["hosts"] for step in plan(states)["steps"]] == [[host] for host in HOSTS] * 3


def test_each_round_is_taken_up_where_it_stopped(old: Authority, new: Authority) -> None:
    both = (old, new)
    states = {host: state(host, old, new) for host in HOSTS}
    states["n1"] = state("n1", old, new, both)
    states["n2"] = state("n2", old, new, both, stale=["ca.pem"])
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
    states["n1"] = state("n1", old, new, both, active=False, view=down())
    for host in ("n2", "n3"):
        states[host]["view"] = {
            "state": "ready",
            "running_nodes": [NAMES["n2"], NAMES["n3"]],
            "stopped_nodes": [NAMES["n1"]],
        }
    assert steps(plan(states), old, new) == THREE_ROUNDS
    states["n1"] = state("n1", old, new, both, days=-1, view=down())
    (error,) = plan(states)["errors"]
    assert "expected emqx_allow_full_restart true" in error


def test_a_third_ca_in_the_middle(old: Authority, new: Authority, tmp_path: Path) -> None:
    third = Authority(tmp_path, "third")
    states = {host: state(host, old, third, (old, new)) for host in HOSTS}
    states["n1"] = state("n1", new, third, (old, new))
    found = steps(plan(states), old, new, third)
    assert found[:3] == [(host, "new old third", "") for host in HOSTS]
    assert found[6:] == [(host, "third", "") for host in HOSTS]


def test_a_node_that_is_kept_out_comes_first(new: Authority) -> None:
    states = {host: state(host, new, new, days=20) for host in HOSTS}
    for host in ("n1", "n2"):
        states[host]["view"] = {
            "state": "ready",
            "running_nodes": [NAMES["n1"], NAMES["n2"]],
            "stopped_nodes": [NAMES["n3"]],
        }
    states["n3"] = state("n3", new, new, days=-1, view=down())
    assert steps(plan(states), new) == [("n3", "new", "n3"), ("n1", "", "n1"), ("n2", "", "n2")]


def test_a_node_with_a_ca_of_its_own_is_brought_back(old: Authority, new: Authority) -> None:
    states = {host: state(host, new, new) for host in HOSTS}
    alone = {"state": "ready", "running_nodes": [NAMES["n1"]], "stopped_nodes": []}
    states["n1"] = state("n1", old, new, view=alone)
    for host in ("n2", "n3"):
        states[host]["view"] = {
            "state": "ready",
            "running_nodes": [NAMES["n2"], NAMES["n3"]],
            "stopped_nodes": [NAMES["n1"]],
        }
    assert steps(plan(states), old, new) == [("n1", "new", "n1")]


def test_of_two_nodes_the_one_with_the_wished_ca_is_right(old: Authority, new: Authority) -> None:
    views = {
        host: {"state": "ready", "running_nodes": [NAMES[host]], "stopped_nodes": []}
        for host in ("n1", "n2")
    }
    states = {
        "n1": state("n1", old, new, view=views["n1"]),
        "n2": state("n2", new, new, view=views["n2"]),
    }
    assert steps(plan(states), old, new) == [("n1", "new", "n1")]


def test_expired_ones_that_still_run_need_consent(new: Authority) -> None:
    states = {host: state(host, new, new, days=-1) for host in HOSTS}
    (error,) = plan(states)["errors"]
    assert "expected emqx_allow_full_restart true, found false" in error
    assert "n2: expected the certificate to be valid at" in error
    assert steps(plan(states, consent=True), new) == [("n1 n2 n3", "new", "n1 n2 n3")]


def test_nodes_that_are_down_start_together(new: Authority) -> None:
    states = {host: state(host, new, new, days=-1, active=False, view=down()) for host in HOSTS}
    assert steps(plan(states), new) == [("n1 n2 n3", "new", "n1 n2 n3")]


def test_what_is_to_be_mended_first(new: Authority) -> None:
    states = {host: state(host, new, new) for host in HOSTS}
    states["n3"]["view"] = down()
    for host in ("n1", "n2"):
        states[host]["view"] = {
            "state": "ready",
            "running_nodes": [NAMES[host]],
            "stopped_nodes": ["emqx@gone"],
        }
    errors = plan(states)["errors"]
    assert [error.partition(":")[0] for error in errors] == ["n1", "n2", "n3"]
    assert f"found {NAMES['n1']} running and emqx@gone stopped" in errors[0]
    assert "with certificates that are in order" in errors[2]


def test_a_node_without_certificates_is_left_to_the_playbook_site(new: Authority) -> None:
    states = {host: state(host, new, new) for host in HOSTS}
    states["n2"]["plan"]["complete"] = False
    (error,) = plan(states)["errors"]
    assert error.startswith("n2: expected a node that talks TLS already")
