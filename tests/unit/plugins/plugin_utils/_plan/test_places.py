# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""A node that would be put elsewhere than where its data or its release is."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import places
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.layout import layout
from ansible_collections.mqttops.emqx.tests.unit import plans

NODE = plans.node()
OLD = "/var/lib/emqx"


def now(data: str = OLD, **given: t.Any) -> dict[str, t.Any]:
    """Return what host_info says of a node that runs from a package and has a database."""
    found = {
        "running": True,
        "node": NODE.name,
        "root": "/usr/lib/emqx",
        "data_dir": data,
        "kind": "package",
        "data_dirs_found": {data: [NODE.name]},
    }
    return {**found, **given}


def findings(
    running: dict[str, t.Any], data_nodes: tuple[str, ...] = (), **settings: t.Any
) -> list[Finding]:
    host = plans.host(running=running, data_nodes=data_nodes)
    return list(places.findings(NODE, layout(plans.settings(**settings)), host))


TARBALL = {"root": "/opt/emqx", "kind": "tarball", "data": "/opt/emqx/data"}


@pytest.mark.parametrize(
    ("running", "data_nodes", "settings"),
    [
        pytest.param({}, (), {}, id="nothing was found"),
        pytest.param(now(), (NODE.name,), {}, id="it stays"),
        pytest.param(now(data_dirs_found={}), (), {"data_dir": "/srv/emqx"}, id="no database"),
        pytest.param(
            now(data_dirs_found={OLD: ["emqx@10.0.0.9"]}),
            (),
            {"data_dir": "/srv/emqx"},
            id="the database of another node",
        ),
        pytest.param(
            now(running=False),
            (NODE.name,),
            {"data_dir": "/srv/emqx"},
            id="moved by hand, with the node stopped",
        ),
        pytest.param(now(**TARBALL), (NODE.name,), {"package_type": "tarball"}, id="tarball"),
        pytest.param(now(root="/opt/other"), (NODE.name,), {}, id="a package's root is fixed"),
        pytest.param(
            now(**{**TARBALL, "root": "/opt/other"}, running=False, data_dirs_found={}),
            (),
            {"package_type": "tarball"},
            id="a release without a node",
        ),
    ],
)
def test_nothing_moves(
    running: dict[str, t.Any], data_nodes: tuple[str, ...], settings: dict[str, t.Any]
) -> None:
    assert findings(running, data_nodes, **settings) == []


@pytest.mark.parametrize("running", [True, False])
def test_data_would_stay_behind(running: bool) -> None:
    (found,) = findings(now(running=running), data_dir="/srv/emqx")
    assert (found.code, found.subject, found.hosts) == ("data_moved", "emqx_data_dir", ("n1",))
    assert found.sentence() == (
        "Host n1, emqx_data_dir: expected the data of emqx@10.0.0.1 where it is, /var/lib/emqx, "
        "found /srv/emqx: set emqx_data_dir so that it stays in /var/lib/emqx, or take the node "
        "out with the playbook remove_node -e emqx_remove_hosts=n1 and in again with add_node, "
        "one node at a time: its data then comes from the other members."
    )


def test_a_copy_by_hand_does_not_move_a_running_node() -> None:
    (found,) = findings(now(), (NODE.name,), data_dir="/srv/emqx")
    assert found.code == "data_moved"


def test_a_release_would_stay_behind() -> None:
    settings = {"package_type": "tarball", "root_dir": "/srv/emqx", "data_dir": "/opt/emqx/data"}
    (found,) = findings(now(**TARBALL), (NODE.name,), **settings)
    assert (found.code, found.subject) == ("root_moved", "emqx_root_dir")
    assert "where it is, /opt/emqx" in found.expected
    assert found.found == "/srv/emqx"


def test_with_the_root_goes_the_data_below_it() -> None:
    found = findings(now(**TARBALL), package_type="tarball", root_dir="/srv/emqx")
    assert [finding.code for finding in found] == ["data_moved", "root_moved"]


def test_an_instance_is_elsewhere_than_its_release() -> None:
    root = "/usr/local/lib/mqttops-emqx/2/release"
    running = now("/opt/emqx-2/data", root=root, kind="tarball")
    assert findings(running, package_type="tarball", instance=2) == []
