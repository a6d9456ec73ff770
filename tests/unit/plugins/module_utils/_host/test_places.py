# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._host import paths, places, processes

UNIT = "[Service]\nExecStart=/bin/bash {root}/bin/emqx foreground\n"
CONTAINER = (
    'ExecStart=/usr/bin/podman \\\n  "run" \\\n'
    '  "--volume=/etc/edge/emqx.conf:/opt/emqx/etc/emqx.conf:ro,z" \\\n'
    '  "--volume=/srv/edge:/opt/emqx/data:z"\n'
)


class Host:
    """A host's files below a directory, and its processes."""

    def __init__(self, root: Path) -> None:
        self.units, self.proc, self.record = root / "units", root / "proc", root / "record"
        self.release = root / "release"
        for folder in (self.units, self.proc, self.release / "bin", self.release / "releases"):
            folder.mkdir(parents=True)
        (self.release / "bin/emqx").touch()
        (self.release / "releases/emqx_vars").write_text('EMQX_ETC_DIR="$RUNNER_ROOT_DIR/etc"\n')
        (self.proc / "self/ns").mkdir(parents=True)
        (self.proc / "self/ns/pid").symlink_to("pid:[1]")
        (self.proc / "1").mkdir()
        (self.proc / "1/stat").touch()

    def unit(self, text: str, name: str = "emqx.service") -> None:
        (self.units / name).write_text(text.format(root=self.release))

    def configuration(self, text: str, record: bool = False) -> None:
        folder = self.record if record else self.release / "etc"
        folder.mkdir(exist_ok=True)
        (folder / "emqx.conf").write_text(text)

    def run(self, pid: int, *words: str, unit: str = "emqx.service", space: int = 1) -> None:
        folder = self.proc / str(pid)
        (folder / "ns").mkdir(parents=True)
        (folder / "ns/pid").symlink_to(f"pid:[{space}]")
        (folder / "cgroup").write_text(f"0::/system.slice/{unit}\n")
        mnesia = ("-mnesia", "dir", '"/old/mnesia/emqx@10.0.0.1"')
        text = "\0".join(["/x/erts/bin/beam.smp", *words, *mnesia, "--", ""])
        (folder / "cmdline").write_text(text)

    def read(self, service: str = "emqx.service") -> dict[str, t.Any]:
        return places.read(service, str(self.record), str(self.proc))


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    found = Host(tmp_path)
    monkeypatch.setattr(paths, "_UNITS", (str(found.units),))
    return found


NAMED = ("-name", "emqx@10.0.0.1")


def test_a_running_node(host: Host, tmp_path: Path) -> None:
    host.unit(UNIT)
    (tmp_path / "data/mnesia/emqx@10.0.0.1").mkdir(parents=True)
    host.run(7, "-root", str(host.release), *NAMED, "-emqx_data_dir", f"{tmp_path}/data")
    assert host.read() == {
        "running": True,
        "pid": 7,
        "node": "emqx@10.0.0.1",
        "root": str(host.release),
        "data_dir": f"{tmp_path}/data",
        "etc_dir": f"{host.release}/etc",
        "kind": "tarball",
        "data_dirs_found": {f"{tmp_path}/data": ["emqx@10.0.0.1"]},
    }


def test_the_place_of_the_database_says_it_too(host: Host) -> None:
    host.run(7, "-root", places.PACKAGE_ROOT, *NAMED)
    found = host.read()
    assert (found["data_dir"], found["kind"]) == ("/old", "package")


def test_a_stopped_node_used_what_it_was_started_with(host: Host) -> None:
    host.unit(UNIT)
    host.configuration('node { name = "emqx@10.0.0.1", data_dir = "data" }')
    found = host.read()
    assert (found["running"], found["node"]) == (False, "emqx@10.0.0.1")
    assert found["data_dir"] == f"{host.release}/data"
    host.configuration('node.data_dir = "/srv/before"', record=True)
    assert host.read()["data_dir"] == "/srv/before"


def test_a_configuration_that_only_emqx_reads(host: Host) -> None:
    host.unit(UNIT)
    host.configuration('node.data_dir = "/srv/x"\nnode.cookie = ${COOKIE}\n')
    assert host.read()["data_dir"] == "/srv/x"


def test_an_instance_starts_from_a_template(host: Host) -> None:
    instance = host.release.parent / "emqx-2"
    instance.symlink_to(host.release / "bin/emqx")
    host.unit(f"ExecStart=/bin/bash {instance.parent}/emqx-%i foreground\n", "emqx@.service")
    host.configuration('node.data_dir = "/srv/emqx-2"')
    found = host.read("emqx@2.service")
    assert (found["root"], found["data_dir"]) == (str(host.release), "/srv/emqx-2")


def test_a_container(host: Host) -> None:
    host.unit(CONTAINER, "edge.service")
    stopped = host.read("edge.service")
    assert (stopped["kind"], stopped["data_dir"], stopped["etc_dir"]) == (
        "container",
        "/srv/edge",
        "/etc/edge",
    )
    host.run(
        9, "-root", "/opt/emqx", *NAMED, "-emqx_data_dir", "data", unit="edge.service", space=2
    )
    running = host.read("edge.service")
    assert (running["running"], running["kind"]) == (True, "container")
    assert (running["data_dir"], running["etc_dir"]) == ("/srv/edge", "/etc/edge")


def test_an_empty_host(host: Host) -> None:
    found = host.read()
    assert found["running"] is False
    assert {found[key] for key in ("node", "root", "data_dir", "etc_dir", "kind")} == {""}


def test_paths_of_a_container_on_the_host() -> None:
    mounted = {"/opt/emqx/data": "/srv/edge", "/etc/tls": "/etc/tls"}
    assert paths.on_host("/opt/emqx/data/certs/a", mounted) == "/srv/edge/certs/a"
    assert paths.on_host("/opt/emqx/etc/certs/a", mounted) == ""
    assert paths.on_host("/etc/a", {}) == "/etc/a"


class TestIsDown:
    def test_no_process(self, host: Host) -> None:
        assert self.is_down(host)

    def test_a_process_of_this_release(self, host: Host) -> None:
        host.run(7, "-root", str(host.release), *NAMED)
        assert not self.is_down(host)
        assert not self.is_down(host, "emqx@10.0.0.1")
        assert self.is_down(host, "emqx2@10.0.0.1")

    def test_a_process_of_another_release(self, host: Host) -> None:
        host.run(7, "-root", "/usr/lib/emqx", *NAMED)
        assert self.is_down(host)

    def test_what_cannot_be_known(self, host: Host) -> None:
        assert not processes.is_down(["/usr/bin/env", "emqx"], proc=str(host.proc))
        assert not processes.is_down(["no-such-command"], proc=str(host.proc))
        (host.proc / "1/stat").unlink()
        assert not self.is_down(host)

    @staticmethod
    def is_down(host: Host, name: str = "") -> bool:
        (host.release / "bin/emqx").chmod(0o755)
        return processes.is_down([f"{host.release}/bin/emqx"], name, str(host.proc))
