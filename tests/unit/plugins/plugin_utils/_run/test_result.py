# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The plan as tasks see it: all that they read is there, and what is shown holds no secret."""

from __future__ import annotations

import functools
import json
import typing as t

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from role_tasks import FILES, paths, templates
from scenes import Scene
from schemas import check

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import WARNING, Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import FileState
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall import nftables
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run import verdicts
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.deployment import lead
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.inputs import (
    ADD,
    INSPECT,
    REMOVE,
    ROTATE,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.result import (
    refusal,
    secrets_of,
    settings_data,
)
from ansible_collections.mqttops.emqx.tests.unit.runs import COOKIE, Run

Data = t.Dict[str, t.Any]


# -- runs of all kinds -----------------------------------------------------------------------------


def fresh() -> Run:
    return Run(3)


def converged() -> Run:
    run = Run(3)
    run.converge()
    return run


def examined() -> Run:
    run = converged()
    run.everywhere(config={"mqtt.max_packet_size": "2MB"})
    run.survey(Scene(3), stand_in={"listening": {}}, all_open=False)
    for host in run.hosts:
        run.trial(host, "node.process_limit")
    return run


def adding() -> Run:
    run = converged()
    run.purpose = ADD
    run.views(Scene(3))
    return run


def removing() -> Run:
    run = adding()
    run.purpose = REMOVE
    run.everywhere(remove_hosts=["n3"])
    run.outside("n3")
    return run


def rotating() -> Run:
    run = Run(3, dist_tls=True, tls_ca_dir="/nonexistent/ca", tls_ca_passphrase="nine-lives")
    run.purpose = ROTATE
    run.views(Scene(3))
    return run


def asking() -> Run:
    return Run(3, discovery_strategy="etcd", etcd_servers=["http://10.0.0.9:2379"])


def instances() -> Run:
    run = Run(2, server="rack1")
    for number, host in enumerate(run.hosts, start=1):
        run.on(host, instance=number, node_address="10.0.0.1")
    return run


def containers() -> Run:
    run = Run(2, deployment="container")
    run.converge()
    return run


def inspecting() -> Run:
    run = Run(2)
    run.states = dict.fromkeys(run.hosts)
    run.purpose = INSPECT
    return run


RUNS: dict[str, t.Callable[[], Run]] = {
    made.__name__: made
    for made in (
        fresh,
        converged,
        examined,
        adding,
        removing,
        rotating,
        asking,
        instances,
        containers,
        inspecting,
    )
}


@functools.lru_cache(maxsize=None)
def results() -> dict[str, Data]:
    return {name: made().result() for name, made in RUNS.items()}


@pytest.mark.parametrize("name", RUNS)
def test_a_result_is_data(name: str) -> None:
    result = results()[name]
    assert json.loads(json.dumps(result)) == result
    check("plan", result["data"])


# -- what tasks read -------------------------------------------------------------------------------


def read_by_tasks(root: str) -> set[tuple[str, ...]]:
    """Return the paths below a variable that the role's tasks read."""
    found = {path for file in FILES for text in templates(file) for path in paths(text)}
    return {path[1:] for path in found if path[0] == root and len(path) > 1}


def has(value: t.Any, path: tuple[str, ...]) -> bool:
    for part in path:
        if isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        elif isinstance(value, dict) and part in value:
            value = value[part]
        else:
            return False
    return True


@pytest.mark.parametrize("path", sorted(read_by_tasks("__emqx_plan")), ids=".".join)
def test_the_plan_has_what_tasks_read(path: tuple[str, ...]) -> None:
    lacking = [name for name, result in results().items() if not has(result, path[:1])]
    assert lacking == []
    assert any(has(result, path) for result in results().values())


def planned() -> list[Data]:
    """Return the data of all hosts that something is planned for."""
    every = [own for result in results().values() for own in result["hosts"].values()]
    return [own for own in every if "node" in own]


@pytest.mark.parametrize("path", sorted(read_by_tasks("__emqx_host")), ids=".".join)
def test_the_plan_of_a_host_has_what_tasks_read(path: tuple[str, ...]) -> None:
    lacking = [own["node"]["name"] for own in planned() if not has(own, path[:1])]
    assert lacking == []
    assert any(has(own, path) for own in planned())


# What is read of hosts that were not, are not or will not be members, too.
ALWAYS = ("layout", "todo", "stays", "wipes", "settings", "without_view", "listens", "asks_service")


def test_a_host_without_a_plan_has_what_is_read_of_all() -> None:
    bare = [
        *results()["inspecting"]["hosts"].values(),
        results()["removing"]["hosts"]["n3"],
    ]
    assert not any("node" in own for own in bare)
    for own in bare:
        assert set(ALWAYS) | {"tries", "joins", "database_from", "database_to"} <= set(own)
        assert not any(own["todo"].values())


def test_the_search_finds_paths() -> None:
    assert len(read_by_tasks("__emqx_host")) > 60
    assert ("restarts", "one_by_one") in read_by_tasks("__emqx_plan")
    assert ("firewall", "files", "0", "path") in read_by_tasks("__emqx_host")
    assert not has(results()["fresh"], ("restarts", "nothing"))


def in_file(root: str, *files: str) -> set[tuple[str, ...]]:
    chosen = [file for file in FILES if file.name in files]
    found = {path for file in chosen for text in templates(file) for path in paths(text)}
    return {path[1:] for path in found if path[0] == root and len(path) > 1}


@pytest.mark.parametrize(
    ("about", "root", "files"),
    [
        ("status", "__emqx_verdict", ("status.yml",)),
        ("preflight", "__emqx_verdict", ("preflight.yml",)),
        ("doctor", "__emqx_verdict", ("doctor.yml", "examine.yml", "failure.yml", "files.yml")),
        ("seed", "__emqx_seed", ("join.yml", "membership.yml")),
        ("before_start", "__emqx_verdict", ("service.yml",)),
    ],
)
def test_verdicts_have_what_tasks_read(about: str, root: str, files: tuple[str, ...]) -> None:
    run = examined()
    run.purpose = INSPECT
    found = verdicts.ABOUT[about](run.input())
    read = in_file(root, *files)
    assert read
    assert [path for path in read if not has(found, path)] == []
    shared = {path for path in in_file("__emqx_verdict", "files.yml") if path != ("evidence",)}
    if about in ("status", "preflight"):
        assert [path for path in shared if not has(found, path)] == []


# -- secrets ---------------------------------------------------------------------------------------

# Long enough not to be a part of anything else.
SECRETS = st.text(
    "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", min_size=24, max_size=40
)
KEY = "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n"


def with_secrets(secret: t.Callable[[str], str], **variables: t.Any) -> Run:
    """Return a run with a secret in every variable that may hold one."""
    run = Run(
        2,
        cookie=secret("cookie"),
        license=secret("license"),
        k8s_token=secret("token"),
        etcd_key=KEY.format(secret("etcd")),
        tls_key=KEY.format(secret("tls")),
        tls_ca_passphrase=secret("passphrase"),
        config={"authentication.0.password": secret("config"), "mqtt.max_packet_size": "2MB"},
        base_config={"dashboard.default_password": secret("base")},
        environment={"EMQX_API_KEY__BOOTSTRAP_FILE": secret("environment")},
        **variables,
    )
    run.survey(Scene(2))
    return run


SHOWN = ("text", "data", "refusal", "cautions", "findings", "settings")


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"dist_tls": True},
        {"discovery_strategy": "etcd", "etcd_servers": ["http://e:2379"], "etcd_certificate": "x"},
        {"discovery_strategy": "k8s", "k8s_apiserver": "http://k8s:8080"},
        {"deployment": "container"},
        {"version": "6.0.0", "min_free_mb": 9999999},
    ],
    ids=str,
)
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_what_is_shown_holds_no_secret(variables: Data, data: st.DataObject) -> None:
    known: dict[str, str] = {}

    def secret(name: str) -> str:
        return known.setdefault(name, data.draw(SECRETS, label=name))

    run = with_secrets(secret, **variables)
    result = run.result()
    shown = json.dumps({name: result[name] for name in SHOWN})
    shown += json.dumps([own["settings"] for own in result["hosts"].values()])
    assert [name for name, value in known.items() if value in shown] == []
    run.purpose = INSPECT
    for about in ("preflight", "doctor", "status", "seed"):
        found = verdicts.ABOUT[about](run.input())
        said = json.dumps([found["text"], found["data"], found["page"], found.get("settings")])
        assert [name for name, value in known.items() if value in said] == []


def test_the_secrets_of_a_run_are_known() -> None:
    run = with_secrets(lambda name: f"{name}-of-twenty-characters")
    assert {
        f"{name}-of-twenty-characters" for name in ("cookie", "license", "token", "passphrase")
    } <= set(secrets_of(run.input()))


def test_settings_of_tasks_hold_no_secret() -> None:
    shown = settings_data(lead(Run(1, environment={"EMQX_NODE__COOKIE": "x"}).input()))
    assert COOKIE not in json.dumps(shown)
    assert not {"cookie", "license", "config", "base_config", "environment"} & set(shown)
    assert shown["cluster_hosts"] == ["n1"]


@pytest.mark.parametrize("value", ["false", "no", "0", False])
@pytest.mark.parametrize("name", ["allow_data_loss", "wipe_data", "evict_running", "plan_only"])
def test_a_text_is_no_consent(name: str, value: t.Any) -> None:
    result = Run(1, **{name: value}).result()
    assert result["settings"][name] is False
    assert result["hosts"]["n1"]["settings"][name] is False


def test_nothing_in_the_way_is_said_as_such() -> None:
    assert refusal(()) == ["Nothing was changed: 0 findings are in the way."]


def test_a_refusal_says_what_else_was_found() -> None:
    doubt = Finding("doubt", "this", "that", "think", severity=WARNING)
    wrong = Finding("wrong", "this", "that", "mend it")
    said = refusal([doubt, wrong])
    assert said[0] == "Nothing was changed: 1 finding is in the way."
    assert [line for line in said if "[" in line] == [
        "ERROR [wrong] Cluster",
        "WARNING [doubt] Cluster",
    ]


def test_rules_that_a_run_left_without_their_unit_are_taken_away_without_it() -> None:
    run = Run(1, firewall_backend="none")
    there = FileState(exists=True)
    for files, unit in (
        ({nftables.RULES_FILE: there}, False),
        ({nftables.RULES_FILE: there, nftables.UNIT_FILE: there}, True),
        ({nftables.UNIT_FILE: there}, True),
    ):
        run.found("n1", files=files)
        found = run.result()["hosts"]["n1"]["firewall"]
        assert (found["remove_nft"], found["unit_exists"]) == (True, unit)
    assert found["paths"] == [nftables.RULES_FILE, nftables.UNIT_FILE]


# -- who owns a release ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ({}, ["data", "plugins", "log"]),
        ({"instance": 2}, ["data"]),
        ({"package_type": "package"}, []),
    ],
)
def test_what_a_node_writes_to_in_an_unpacked_release_is_its_own(
    given: Data, written: list[str]
) -> None:
    run = Run(1, **{"package_type": "tarball", **given})
    assert sorted(run.result()["hosts"]["n1"]["written_in_release"]) == sorted(written)
