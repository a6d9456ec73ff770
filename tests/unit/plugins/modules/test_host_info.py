# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import functools
import json
import os
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mqttops.emqx.plugins.module_utils._host import firewalls
from ansible_collections.mqttops.emqx.plugins.module_utils._host.files import READ_LIMIT
from ansible_collections.mqttops.emqx.plugins.module_utils._host.files import read_text as read_file
from ansible_collections.mqttops.emqx.plugins.module_utils._module import host_info as _host_info
from ansible_collections.mqttops.emqx.plugins.modules import host_info
from ansible_collections.mqttops.emqx.tests.unit.documented import documented

Answer = t.Tuple[int, str, str]
RUNNING = (
    "LoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\n"
    "NeedDaemonReload=no\n"
)
OS_RELEASE = 'ID=debian\nVERSION_ID="12"\n'


class Commands:
    """The commands of a host by name; one that is not there is not installed."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {
            "systemctl": (0, RUNNING, ""),
            "dpkg-query": (0, "emqx-enterprise installed 5.8.9\n", ""),
            "ip": (0, "2: eth0    inet 10.0.0.1/24 scope global eth0\n", ""),
            "nft": (0, "chain revision_ab12 {", ""),
        }
        self.options: list[dict[str, t.Any]] = []

    def __call__(self, _module: AnsibleModule, argv: list[str], **options: t.Any) -> Answer:
        self.options.append(options)
        if argv[0] not in self.answers:
            raise FileNotFoundError(2, "No such file or directory", argv[0])
        return self.answers[argv[0]]


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Commands:
    found = Commands()
    # What this machine has of them is of no concern.
    monkeypatch.setattr(firewalls, "firewall", lambda _run, zones: {"zones": zones})
    # An object set on the class would not be handed the module.
    monkeypatch.setattr(AnsibleModule, "run_command", functools.partialmethod(found))
    return found


@pytest.fixture
def os_release(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The os-release files by path; all other files are read as they are."""
    texts = {"/etc/os-release": OS_RELEASE}

    def read_text(path: str, limit: int = READ_LIMIT) -> str | None:
        return texts.get(path) if path.endswith("/os-release") else read_file(path, limit)

    monkeypatch.setattr(_host_info, "read_text", read_text)
    return texts


@pytest.fixture
def ask(
    commands: Commands, os_release: dict[str, str], tmp_path: Path, capsys: t.Any
) -> t.Callable[..., dict[str, t.Any]]:
    def run(**options: t.Any) -> dict[str, t.Any]:
        places = {key: f"{tmp_path}/{key}" for key in ("root_dir", "data_dir", "boot_record")}
        with patch_module_args({**places, **options}), pytest.raises(SystemExit):
            host_info.main()
        answer: dict[str, t.Any] = json.loads(capsys.readouterr().out)
        return answer

    return run


Ask = t.Callable[..., t.Dict[str, t.Any]]


def test_the_whole_answer(ask: Ask, commands: Commands, tmp_path: Path) -> None:
    conf, record = tmp_path / "emqx.conf", tmp_path / "boot_record"
    conf.write_text("a = 2\n")
    conf.chmod(0o640)
    record.mkdir()
    (record / "emqx.conf").write_text("a = 1\n")
    (tmp_path / "data_dir/mnesia/emqx@10.0.0.1").mkdir(parents=True)
    (tmp_path / "own/mnesia/emqx@own.example").mkdir(parents=True)
    answer = ask(
        files=[str(conf), f"{tmp_path}/no"],
        boot_files=[str(conf)],
        package_data_dir=f"{tmp_path}/own",
        disks=[f"{tmp_path}/not/yet"],
        sysctls=["net.no.such_key"],
        firewall_zones=["internal"],
    )
    assert answer["changed"] is False
    host = answer["host"]
    assert host["platform"]["token"] == "debian12"
    assert host["platform"]["machine"] == os.uname().machine
    assert host["addresses"] == ["10.0.0.1"]
    assert host["package"] == {"name": "emqx-enterprise", "version": "5.8.9"}
    assert host["package_file"]["exists"] is False
    assert host["release"] == ""
    assert host["files"][str(conf)]["mode"] == "0640"
    assert host["files"][f"{tmp_path}/no"]["exists"] is False
    assert (host["service"]["active"], host["stale"]) == (True, ["a"])
    assert host["data_nodes"] == ["emqx@10.0.0.1"]
    assert host["package_nodes"] == ["emqx@own.example"]
    assert list(host["disks"]) == [f"{tmp_path}/not/yet"]
    unknown = host["sysctls"]["net.no.such_key"]
    assert (unknown["value"], unknown["writable"]) == (None, False)
    assert set(unknown) == {"value", "writable", "reason", "asked", "kept"}
    assert host["nft"] == {"available": True, "revision": "ab12"}
    assert host["firewall"] == {"zones": ["internal"]}
    for options in commands.options:
        assert options["environ_update"]["LC_ALL"] == "C"
        assert options["environ_update"]["PATH"].endswith(":/usr/sbin:/sbin")


def test_a_node_that_is_down_knows_nothing_stale(
    ask: Ask, commands: Commands, tmp_path: Path
) -> None:
    commands.answers["systemctl"] = (0, RUNNING.replace("=active", "=inactive"), "")
    (tmp_path / "emqx.conf").write_text("a = 2\n")
    assert ask(boot_files=[f"{tmp_path}/emqx.conf"])["host"]["stale"] == []


def test_no_text_of_a_file_is_returned(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "emqx.conf").write_text('node.cookie = "newsecret"\n')
    (tmp_path / "boot_record").mkdir()
    (tmp_path / "boot_record/emqx.conf").write_text('node.cookie = "oldsecret"\n')
    path = f"{tmp_path}/emqx.conf"
    answer = ask(files=[path], boot_files=[path])
    assert answer["host"]["stale"] == ["node.cookie"]
    assert "secret" not in json.dumps(answer)


def test_the_second_os_release_counts_without_the_first(
    ask: Ask, commands: Commands, os_release: dict[str, str]
) -> None:
    commands.answers["rpm"] = (1, "package emqx is not installed", "")
    del os_release["/etc/os-release"]
    os_release["/usr/lib/os-release"] = "ID=rocky\nVERSION_ID=9.4\n"
    host = ask()["host"]
    assert host["platform"]["token"] == "el9"
    assert host["package"] == {"name": "", "version": ""}


def test_an_unknown_system_is_an_answer(ask: Ask, os_release: dict[str, str]) -> None:
    os_release.clear()
    host = ask()["host"]
    assert (host["platform"]["name"], host["platform"]["supported"]) == ("unknown", False)
    assert host["package"] == {"name": "", "version": ""}


def test_nft_need_not_be_installed(ask: Ask, commands: Commands) -> None:
    del commands.answers["nft"]
    assert ask()["host"]["nft"] == {"available": False, "revision": ""}


@pytest.mark.parametrize("name", ["ip", "systemctl", "dpkg-query"])
def test_a_missing_command_is_named(ask: Ask, commands: Commands, name: str) -> None:
    del commands.answers[name]
    answer = ask()
    assert answer["failed"] is True
    assert answer["msg"] == (
        f"Reading the host failed: the command {name} is not installed on this host"
    )


def test_a_directory_in_place_of_a_file_is_no_file(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "boot_record").mkdir()
    assert ask(boot_files=[str(tmp_path)])["host"]["stale"] == []


def test_the_documentation_names_options_and_answer(ask: Ask) -> None:
    options = documented("host_info")["DOCUMENTATION"]["options"]
    assert set(options) == set(_host_info.OPTIONS)
    for name, spec in _host_info.OPTIONS.items():
        assert options[name].get("default") == spec.get("default"), name
    answer = documented("host_info")["RETURN"]["host"]["contains"]
    assert set(answer) == set(ask()["host"])
