# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Certificates in a run: given to nodes that start, and replaced on those that run."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from cryptography.x509 import DNSName
from scenes import Scene

from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import FileState
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.inputs import ROTATE
from ansible_collections.mqttops.emqx.tests.support.certificates import Authority, Files
from ansible_collections.mqttops.emqx.tests.unit import tls_records
from ansible_collections.mqttops.emqx.tests.unit.runs import Run, codes, empty, todo

PASSPHRASE = "nine-lives-of-a-cat"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "corp")


def given(run: Run, authority: Authority, days: int) -> dict[str, Files]:
    """Give all hosts a certificate, as files of the control node."""
    issued = {}
    for host in run.variables:
        # Erlang looks for an address among the names, too.
        issued[host] = files = authority.issue(host, DNSName(f"10.0.0.{host[1:]}"), days=days)
        run.on(host, tls_certificate=str(files.cert), tls_key=str(files.key))
        run.on(host, tls_ca=str(files.ca))
    return issued


def has(run: Run, host: str, files: Files) -> None:
    """Have a host have been given these files."""
    where = run.plan().hosts[host].layout
    state = FileState(True, "0640", "root", where.user, "0", "0", "")
    known = {**run.state(host).files, **dict.fromkeys(where.certificates.values(), state)}
    run.found(host, files=known, certificates=tls_records.observed(files))


def built(authority: Authority, days: int = 300, count: int = 3) -> Run:
    """Return a run on a cluster that talks TLS with certificates that end in so many days."""
    run = Run(count, dist_tls=True)
    issued = given(run, authority, days)
    run.converge()
    for host, files in issued.items():
        has(run, host, files)
    return run


def test_nodes_get_their_certificate_before_they_start(authority: Authority) -> None:
    run = Run(2, dist_tls=True)
    given(run, authority, 300)
    plan = run.plan()
    assert codes(plan.findings) == ["even_cores"]
    assert all("tls" in phases for phases in todo(run).values())
    own = run.result()["hosts"]["n1"]
    (wanted,) = own["certificates"]["certificates_wanted"]
    assert wanted["certificate"] == "/etc/mqttops-emqx/tls/cert.pem"
    assert own["certificates"]["certificates_found"] == [{}]
    paths = [file.path for file in plan.hosts["n1"].files]
    assert "/etc/emqx/ssl_dist.conf" in paths
    assert "get a certificate" in [step["text"] for step in run.result()["data"]["steps"]]


def test_a_ca_of_our_own_is_made_once(tmp_path: Path) -> None:
    run = Run(3, rpc_tls=True, tls_ca_dir=str(tmp_path / "ca"), tls_ca_passphrase=PASSPHRASE)
    result = run.result()
    assert (result["ca_missing"], result["passed"]) == (True, True)
    assert PASSPHRASE in result["secrets"]


def test_certificates_that_last_are_left_alone(authority: Authority) -> None:
    run = built(authority)
    assert run.plan().findings == ()
    assert todo(run) == {host: {"membership"} for host in run.hosts}


def test_a_key_that_others_may_read_gets_its_mode_back(authority: Authority) -> None:
    run = built(authority)
    files = dict(run.state("n2").files)
    path = "/etc/mqttops-emqx/tls/key.pem"
    files[path] = dataclasses.replace(files[path], mode="0644")
    run.found("n2", files=files)
    assert "tls" in todo(run)["n2"]
    steps = [step["text"] for step in run.result()["data"]["steps"]]
    assert steps == ["set owner and mode of the certificate's files"]


def test_a_running_node_is_left_to_the_rotation(authority: Authority) -> None:
    run = built(authority)
    given(run, authority, 400)
    assert codes(run.plan().findings) == ["tls_renew"] * 3
    assert todo(run)["n1"] == {"membership"}


# -- rotation --------------------------------------------------------------------------------------


def rotating(authority: Authority) -> Run:
    run = built(authority)
    given(run, authority, 400)
    run.views(Scene(3))
    run.purpose = ROTATE
    return run


def test_certificates_are_replaced_node_by_node(authority: Authority) -> None:
    run = rotating(authority)
    result = run.result()
    assert (result["passed"], result["look"]) == (True, "")
    assert [step["hosts"] for step in result["rotation"]] == [["n1"], ["n2"], ["n3"]]
    assert [step["renew"] for step in result["rotation"]] == [["n1"], ["n2"], ["n3"]]
    # What check mode says of a host, and what names the step of a run.
    assert result["rotation"][0]["text"] == "n1: a new certificate, and a restart"
    own = result["hosts"]["n2"]["rotation"]
    assert len(own) == 3
    # Whose turn it is gets a certificate.
    assert [bool(step["certificates_wanted"][0]["certificate"]) for step in own] == [
        False,
        True,
        False,
    ]
    assert result["restarts"]["one_by_one"] == []
    kinds = {step["kind"] for step in result["data"]["steps"]}
    assert kinds == {"certificates"}


def test_nothing_is_rotated_where_all_is_as_desired(authority: Authority) -> None:
    run = built(authority)
    run.views(Scene(3))
    run.purpose = ROTATE
    assert run.result()["rotation"] == []
    assert run.plan().findings == ()


def test_without_tls_there_is_nothing_to_rotate() -> None:
    run = Run(3)
    run.converge()
    run.purpose = ROTATE
    plan = run.plan()
    assert codes(plan.findings) == ["no_certificates"]
    assert plan.passed is False


def test_a_rotation_takes_all_members(authority: Authority) -> None:
    run = rotating(authority)
    run.limit("n1", "n2")
    (finding,) = run.plan().findings
    assert (finding.code, finding.found) == ("rotation_limited", "a run without n3")


def test_a_rotation_starts_from_a_whole_cluster(authority: Authority) -> None:
    run = rotating(authority)
    scene = Scene(3)
    scene.sees("n1", "n1 n2")
    run.views(scene)
    assert codes(run.plan().findings) == ["not_whole"]
    assert run.result()["rotation"] == []


def test_a_host_without_certificates_is_deployed_first(authority: Authority) -> None:
    run = rotating(authority)
    run.states["n3"] = empty()
    assert "tls_missing" in codes(run.plan().findings)
