# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import grp
import hashlib
import os
import pwd
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.changes import UNKNOWN_BOOT
from ansible_collections.mqttops.emqx.plugins.module_utils._host import (
    certificates,
    containers,
    files,
    firewalls,
    network,
    packages,
    services,
    storage,
    sysctls,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._host.run import search_path

Answer = t.Tuple[int, str, str]


class Runner:
    """Answers each command line by the one that is a part of it; fails for any other."""

    def __init__(self, answers: dict[str, Answer | OSError]) -> None:
        self._answers = answers
        self.calls: list[list[str]] = []

    def __call__(self, argv: list[str]) -> Answer:
        self.calls.append(argv)
        for part, answer in self._answers.items():
            if part in " ".join(argv):
                if isinstance(answer, OSError):
                    raise answer
                return answer
        raise AssertionError(f"unexpected command {argv}")


class TestContainer:
    WANTED: t.ClassVar[dict[str, str]] = {"engine": "podman", "image": "a/b:1", "network": "net"}
    NOTHING: t.ClassVar[dict[str, t.Any]] = {
        "engine": False,
        "image": {"id": "", "names": []},
        "network": None,
        "version": "",
    }

    @pytest.fixture(autouse=True)
    def _host(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.texts: dict[str, str] = {}
        self.engines = {"/usr/bin/podman"}
        monkeypatch.setattr(containers, "read_text", self.texts.get)
        monkeypatch.setattr(os.path, "exists", lambda path: path in self.engines)

    def test_all_of_it(self) -> None:
        self.texts["/etc/systemd/system/emqx.service"] = '"--label=mqttops.emqx.version=5.8.9"'
        run = Runner(
            {
                "/usr/bin/podman image inspect a/b:1": (0, '[{"Id": "1", "RepoTags": ["x"]}]', ""),
                "/usr/bin/podman network inspect net": (0, '[{"subnets": [{"subnet": "s"}]}]', ""),
            }
        )
        assert containers.container(run, self.WANTED, "emqx.service") == {
            "engine": True,
            "image": {"id": "1", "names": ["x"]},
            "network": ["s"],
            "version": "5.8.9",
        }

    def test_nothing_is_there(self) -> None:
        run = Runner({"inspect": (125, "[]\n", "no such image")})
        found = containers.container(run, self.WANTED, "emqx.service")
        assert found == {**self.NOTHING, "engine": True}
        assert len(run.calls) == 2

    def test_the_hosts_own_network_needs_no_question(self) -> None:
        run = Runner({"image inspect": (125, "[]", "")})
        containers.container(run, {**self.WANTED, "network": "host"}, "emqx.service")
        assert len(run.calls) == 1

    @pytest.mark.parametrize("wanted", [{}, {**WANTED, "engine": "docker"}])
    def test_without_an_engine_nothing_is_asked(self, wanted: dict[str, str]) -> None:
        assert containers.container(Runner({}), wanted, "emqx.service") == self.NOTHING


class TestPackage:
    @pytest.mark.parametrize(
        ("shown", "version"),
        [
            ("5.8.9", "5.8.9"),
            ("5.8.9-1", "5.8.9"),
            ("1:5.8.9-2+b8", "5.8.9"),
            ("6.3.0-beta.2", "6.3.0-beta.2"),
            ("6.3.0~rc.1-1", "6.3.0-rc.1"),
            ("2025-nightly", "2025-nightly"),
        ],
    )
    def test_deb(self, shown: str, version: str) -> None:
        run = Runner({"dpkg-query": (0, f"emqx installed {shown}\n", "")})
        assert packages.package(run, ["emqx"], "deb") == {"name": "emqx", "version": version}
        assert run.calls[0][-1] == "emqx"

    @pytest.mark.parametrize(
        ("shown", "version"), [("5.8.9", "5.8.9"), ("6.3.0_beta.2", "6.3.0-beta.2")]
    )
    def test_rpm(self, shown: str, version: str) -> None:
        run = Runner({"rpm --query": (0, f"emqx installed {shown}\n", "")})
        assert packages.package(run, ["emqx"], "rpm") == {"name": "emqx", "version": version}

    @pytest.mark.parametrize(
        ("package_format", "answer"),
        [
            ("deb", (0, "emqx config-files 5.8.9\n", "")),
            ("deb", (0, "emqx half-installed 5.8.9\n", "")),
            ("deb", (0, "emqx not-installed \n", "")),
            ("deb", (1, "", "dpkg-query: no packages found matching emqx")),
            ("rpm", (1, "package emqx is not installed\n", "")),
        ],
    )
    def test_what_is_not_installed(self, package_format: str, answer: Answer) -> None:
        run = Runner({"emqx": answer})
        nothing = {"name": "", "version": ""}
        assert packages.package(run, ["emqx-enterprise", "emqx"], package_format) == nothing
        assert [argv[-2:] for argv in run.calls] == [["emqx-enterprise", "emqx"]]

    @pytest.mark.parametrize(
        ("package_format", "shown"),
        [
            ("deb", "emqx installed 5.8.9\n"),
            ("deb", "emqx-enterprise config-files 5.9.0\nemqx installed 5.8.9\n"),
            ("rpm", "package emqx-enterprise is not installed\nemqx installed 5.8.9\n"),
        ],
    )
    def test_one_of_several_names(self, package_format: str, shown: str) -> None:
        run = Runner({"emqx": (1, shown, "")})
        found = packages.package(run, ["emqx-enterprise", "emqx"], package_format)
        assert found == {"name": "emqx", "version": "5.8.9"}

    def test_the_first_name_counts_where_both_are_installed(self) -> None:
        run = Runner({"emqx": (0, "emqx installed 5.8.9\nemqx-enterprise installed 5.10.4\n", "")})
        found = packages.package(run, ["emqx-enterprise", "emqx"], "deb")
        assert found == {"name": "emqx-enterprise", "version": "5.10.4"}

    def test_an_unknown_system_is_not_asked(self) -> None:
        assert packages.package(Runner({}), ["emqx"], "") == {"name": "", "version": ""}


class TestRelease:
    @pytest.mark.parametrize(
        ("text", "version"),
        [
            ('REL_NAME="emqx"\nREL_VSN="5.8.9"\nERTS_VSN="14.2"\n', "5.8.9"),
            ("REL_VSN=5.8.9\n", "5.8.9"),
            ('ERTS_VSN="14.2"\n', ""),
            ("", ""),
        ],
    )
    def test_version(self, tmp_path: Path, text: str, version: str) -> None:
        (tmp_path / "releases").mkdir()
        (tmp_path / "releases/emqx_vars").write_text(text)
        assert packages.release_version(str(tmp_path)) == version

    def test_nothing_unpacked(self, tmp_path: Path) -> None:
        assert packages.release_version(f"{tmp_path}/no") == ""


class TestService:
    @pytest.mark.parametrize(
        ("shown", "expected"),
        [
            (
                ("loaded", "active", "running", "enabled", "no"),
                (True, True, True, False, "active (running)"),
            ),
            (
                ("loaded", "active", "running", "enabled", "yes"),
                (True, True, True, True, "active (running)"),
            ),
            (
                ("loaded", "activating", "auto-restart", "disabled", "no"),
                (True, False, False, False, "activating (auto-restart)"),
            ),
            (
                ("loaded", "failed", "failed", "enabled", "no"),
                (True, True, False, False, "failed (failed)"),
            ),
            (
                ("loaded", "deactivating", "stop-sigterm", "enabled", "no"),
                (True, True, False, False, "deactivating (stop-sigterm)"),
            ),
            (
                ("not-found", "inactive", "dead", "", "no"),
                (False, False, False, False, "inactive (dead)"),
            ),
            (
                ("masked", "inactive", "dead", "masked", "no"),
                (False, False, False, False, "inactive (dead)"),
            ),
        ],
    )
    def test_what_systemd_shows(
        self, shown: tuple[str, ...], expected: tuple[bool, bool, bool, bool, str]
    ) -> None:
        names: tuple[str, ...] = ("LoadState", "ActiveState", "SubState", "UnitFileState")
        names = (*names, "NeedDaemonReload", "InactiveEnterTimestampMonotonic")
        text = "".join(f"{name}={value}\n" for name, value in zip(names, (*shown, "0")))
        run = Runner({"systemctl show": (0, text, "")})
        keys = ("exists", "enabled", "active", "outdated", "state")
        found = services.service(run, "emqx.service")
        assert found.pop("waiting") == (shown[2] == "auto-restart")
        assert found.pop("stopped_at") == 0.0
        assert found == dict(zip(keys, expected))
        assert run.calls == [["systemctl", "show", f"--property={','.join(names)}", "emqx.service"]]

    def test_when_it_stopped(self) -> None:
        text = "InactiveEnterTimestampMonotonic=1000000\n"
        found = services.service(Runner({"systemctl show": (0, text, "")}), "emqx.service")
        boot = time.time() - time.clock_gettime(time.CLOCK_MONOTONIC)
        assert abs(found["stopped_at"] - boot - 1) < 5

    def test_no_systemd_running(self) -> None:
        run = Runner({"systemctl": (1, "", "System has not been booted with systemd")})
        found = services.service(run, "emqx.service")
        assert not found["exists"] and not found["active"]
        assert found["state"] == "inactive (dead)"


class TestStaleBootFiles:
    def test_without_a_record_all_is_unknown(self, tmp_path: Path) -> None:
        current: dict[str, str | None] = {"/etc/emqx/emqx.conf": "a = 1"}
        assert services.stale_boot_files(current, f"{tmp_path}/record") == [UNKNOWN_BOOT]

    def test_files_are_found_by_their_name_in_the_record(self, tmp_path: Path) -> None:
        (tmp_path / "emqx.conf").write_text("a = 1\n")
        (tmp_path / "vm.args").write_text("-smp\n")
        current = {
            "/etc/emqx/emqx.conf": "a = 2\n",
            "/etc/emqx/vm.args": "-smp\n",
            "/etc/emqx/base.hocon": None,
            "/etc/emqx.env": "A=1\n",
        }
        assert services.stale_boot_files(current, str(tmp_path)) == ["A", "a"]


class TestFiles:
    def test_read_text(self, tmp_path: Path) -> None:
        path = tmp_path / "a"
        path.write_bytes(b"\xffa\n")
        assert files.read_text(str(path)) == "\ufffda\n"
        assert files.read_text(f"{tmp_path}/no") is None
        assert files.read_text(f"{path}/below-a-file") is None
        assert files.read_text(str(tmp_path)) is None

    def test_file_state(self, tmp_path: Path) -> None:
        path = tmp_path / "a"
        path.write_bytes(b"text")
        path.chmod(0o640)
        assert files.file_state(str(path)) == {
            "exists": True,
            "mode": "0640",
            "owner": pwd.getpwuid(os.getuid()).pw_name,
            "group": grp.getgrgid(path.stat().st_gid).gr_name,
            "uid": str(os.getuid()),
            "gid": str(path.stat().st_gid),
            "sha256": hashlib.sha256(b"text").hexdigest(),
        }

    def test_file_state_of_a_folder_and_of_nothing(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o1750)
        state = files.file_state(str(tmp_path))
        assert (state["exists"], state["mode"], state["sha256"]) == (True, "1750", "")
        absent = dict.fromkeys(("mode", "owner", "group", "uid", "gid", "sha256"), "")
        nothing = {"exists": False, **absent}
        assert files.file_state(f"{tmp_path}/no") == nothing
        (tmp_path / "link").symlink_to("no")
        assert files.file_state(f"{tmp_path}/link") == nothing

    def test_a_link_counts_as_the_file_it_leads_to(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_text("x")
        (tmp_path / "link").symlink_to("a")
        assert files.file_state(f"{tmp_path}/link") == files.file_state(f"{tmp_path}/a")

    def test_users_without_a_name_are_shown_by_number(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def nobody(_number: int) -> t.NoReturn:
            raise KeyError

        monkeypatch.setattr(pwd, "getpwuid", nobody)
        monkeypatch.setattr(grp, "getgrgid", nobody)
        state = files.file_state(str(tmp_path))
        assert (state["owner"], state["group"]) == (str(os.getuid()), str(tmp_path.stat().st_gid))

    @pytest.mark.parametrize(
        ("sidecar", "expected"),
        [("ABC\n", "abc"), ("abc  emqx.deb\n", "abc"), ("", ""), (None, "")],
    )
    def test_package_file(self, tmp_path: Path, sidecar: str | None, expected: str) -> None:
        (tmp_path / "emqx.deb").write_bytes(b"deb")
        if sidecar is not None:
            (tmp_path / "emqx.deb.sha256").write_text(sidecar)
        assert packages.package_file(f"{tmp_path}/emqx.deb") == {
            "exists": True,
            "sha256": hashlib.sha256(b"deb").hexdigest(),
            "sidecar": expected,
        }

    def test_no_package_file(self, tmp_path: Path) -> None:
        nothing = {"exists": False, "sha256": "", "sidecar": ""}
        assert packages.package_file(f"{tmp_path}/emqx.deb") == nothing
        assert packages.package_file(str(tmp_path)) == nothing


class TestDataNodes:
    def test_names_of_databases(self, tmp_path: Path) -> None:
        for name in ("emqx@10.0.0.2", "emqx@10.0.0.1", "lost+found"):
            (tmp_path / "mnesia" / name).mkdir(parents=True)
        assert storage.data_nodes(str(tmp_path)) == ["emqx@10.0.0.1", "emqx@10.0.0.2"]

    def test_no_data(self, tmp_path: Path) -> None:
        assert storage.data_nodes(f"{tmp_path}/no") == []
        (tmp_path / "mnesia").write_text("a file")
        assert storage.data_nodes(str(tmp_path)) == []


class TestFreeBytes:
    def test_a_path_that_is_not_made_yet(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[str] = []

        def statvfs(path: str) -> os.statvfs_result:
            asked.append(path)
            return os.statvfs_result((4096, 1024, 9, 8, 7, 6, 5, 4, 0, 255))

        monkeypatch.setattr(os, "statvfs", statvfs)
        # What root alone may use does not count: EMQX is not root.
        assert storage.free_bytes(f"{tmp_path}/a/b/c") == 7 * 1024
        assert asked == [str(tmp_path)]

    def test_a_relative_path_ends_at_the_root(self) -> None:
        assert storage.free_bytes("no-such-folder/data") > 0


class TestSysctl:
    def test_known_key(self) -> None:
        value = sysctls.value_of("net.ipv4.ip_local_port_range")
        assert value is not None and len(value.split(" ")) == 2 and "\t" not in value

    @pytest.mark.parametrize("key", ["net.no.such_key", "net.ipv4"])
    def test_unknown_key(self, key: str) -> None:
        assert sysctls.value_of(key) is None


class TestNft:
    LIST = ("nft", "list", "table", "inet", "mqttops_emqx")

    @pytest.mark.parametrize(
        ("answer", "available", "revision"),
        [
            ((0, "table inet mqttops_emqx {\n\tchain revision_0a1b {\n\t}\n", ""), True, "0a1b"),
            ((0, "table inet mqttops_emqx {\n}\n", ""), True, ""),
            ((1, "", "Error: No such file or directory"), True, ""),
            (OSError("the command nft is not installed"), False, ""),
        ],
    )
    def test_revision(self, answer: Answer | OSError, available: bool, revision: str) -> None:
        run = Runner({"nft": answer})
        found = firewalls.nft_revision(run, "mqttops_emqx")
        assert found == {"available": available, "revision": revision}
        assert run.calls == [list(self.LIST)]


PEM = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"


class TestCertificates:
    def test_what_there_is(self, tmp_path: Path) -> None:
        paths = {name: str(tmp_path / name) for name in ("certificate", "key", "ca")}
        key = "-----BEGIN PRIVATE KEY-----\nK\n-----END PRIVATE KEY-----\n"
        (tmp_path / "certificate").write_text(f"Subject: x\n{PEM}{key}")
        (tmp_path / "key").write_text(key)
        run = Runner(
            {
                "openssl x509": (0, "notAfter=Feb  7 12:00:00 2029 GMT\n", ""),
                "openssl pkey": (0, "PUBLIC", ""),
            }
        )
        assert certificates.certificates(run, paths) == {
            "certificate": PEM,
            "ca": "",
            "public_key": "PUBLIC",
            "ends": "2029-02-07T12:00:00Z",
        }

    @pytest.mark.parametrize("answer", [(1, "", "no such file"), OSError("not installed")])
    def test_no_files_or_no_openssl(self, tmp_path: Path, answer: Answer | OSError) -> None:
        paths = dict.fromkeys(("certificate", "key", "ca"), f"{tmp_path}/x")
        found = certificates.certificates(Runner({"openssl": answer}), paths)
        assert found == {"certificate": "", "ca": "", "public_key": "", "ends": ""}
        (tmp_path / "x").write_text("no certificate")
        found = certificates.certificates(Runner({"openssl": answer}), paths)
        assert found == {"certificate": "", "ca": "", "public_key": "", "ends": ""}

    def test_not_asked_for(self) -> None:
        assert certificates.certificates(Runner({}), {}) == {}


RICH = (
    'rule priority="-4370" family="ipv4" source address="10.0.0.2" '
    'port port="4370" protocol="tcp" accept'
)
ZONE = """<zone><service name="ssh"/><rule family="ipv4" priority="-4370">
<source address="10.0.0.2"/><port port="4370" protocol="tcp"/><accept/></rule></zone>"""
TUPLE = (
    "### tuple ### deny tcp 4370,5370 0.0.0.0/0 any 0.0.0.0/0 in_+ "
    "comment=6d7174746f70732e656d7178\n"
)
DENY = {
    "rule": "deny",
    "proto": "tcp",
    "to_port": "4370,5370",
    "from_ip": "0.0.0.0/0",
    "place": 1,
}
NOTHING = {"count": 0, "ours": []}


class TestFirewall:
    @pytest.fixture
    def files(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
        """All files of the host by path."""
        texts: dict[str, str] = {}
        folders = {"/etc/firewalld/zones"}
        monkeypatch.setattr(firewalls, "read_text", texts.get)
        monkeypatch.setattr(os.path, "exists", lambda path: path in texts)

        def names_in(folder: str) -> list[str]:
            assert folder in folders
            return [os.path.basename(path) for path in texts if path.startswith(f"{folder}/")]

        monkeypatch.setattr(firewalls, "names_in", names_in)
        return texts

    def test_an_empty_host(self, files: dict[str, str]) -> None:
        run = Runner({})
        assert firewalls.firewall(run, ["public"]) == {
            "active": [],
            "firewalld": {
                "default_zone": "",
                "known_zones": [],
                "zones": {"public": {"runtime": [], "permanent": []}},
            },
            "ufw": {"ipv6": False, "v4": NOTHING, "v6": NOTHING},
        }
        assert run.calls == []

    def test_firewalld_at_work(self, files: dict[str, str]) -> None:
        files["/usr/sbin/firewalld"] = ""
        files["/etc/firewalld/zones/public.xml"] = ZONE
        files["/etc/firewalld/zones/public.xml.old"] = ZONE
        files["/etc/firewalld/zones/work.xml"] = "<zone/>"
        shown = RICH.replace('"', '\\"')
        run = Runner(
            {
                "systemctl show": (0, "LoadState=loaded\nActiveState=active\n", ""),
                "getDefaultZone": (0, 's "internal"\n', ""),
                "getRichRules s public": (0, f'as 2 "{shown}" "rule service name=ssh"\n', ""),
                "getRichRules": (1, "", "Call failed: INVALID_ZONE"),
                "getZones": (0, 'as 2 "public" "internal"\n', ""),
            }
        )
        found = firewalls.firewall(run, [])
        assert found["active"] == ["firewalld"]
        assert found["firewalld"] == {
            "default_zone": "internal",
            "known_zones": ["internal", "public"],
            "zones": {
                "public": {"runtime": [RICH], "permanent": [RICH]},
                "internal": {"runtime": [], "permanent": []},
            },
        }

    def test_firewalld_that_does_not_run_is_not_started(self, files: dict[str, str]) -> None:
        files["/usr/sbin/firewalld"] = ""
        files["/etc/firewalld/zones/public.xml"] = ZONE
        run = Runner({"systemctl show": (0, "LoadState=loaded\nActiveState=inactive\n", "")})
        found = firewalls.firewall(run, [])
        assert found["active"] == []
        assert found["firewalld"]["zones"] == {"public": {"runtime": [], "permanent": [RICH]}}

    @pytest.mark.parametrize(
        ("setting", "active"), [("ENABLED=yes", ["ufw"]), ("# ENABLED=yes\nENABLED=no", [])]
    )
    def test_ufw(self, files: dict[str, str], setting: str, active: list[str]) -> None:
        files.update(
            {
                "/usr/sbin/ufw": "",
                "/etc/ufw/ufw.conf": f"{setting}\n",
                "/etc/default/ufw": "# IPV6=no\nIPV6=yes\n",
                "/etc/ufw/user.rules": TUPLE,
                "/etc/ufw/user6.rules": "",
            }
        )
        found = firewalls.firewall(Runner({}), [])
        assert found["active"] == active
        assert found["ufw"] == {"ipv6": True, "v4": {"count": 1, "ours": [DENY]}, "v6": NOTHING}

    def test_ufw_that_was_removed_left_its_files(self, files: dict[str, str]) -> None:
        files.update({"/etc/ufw/ufw.conf": "ENABLED=yes\n", "/etc/ufw/user.rules": TUPLE})
        found = firewalls.firewall(Runner({}), [])
        assert (found["active"], found["ufw"]["v4"]) == ([], NOTHING)


def test_addresses() -> None:
    text = (
        "2: eth0    inet6 2001:db8::5/64 scope global dynamic \\       valid_lft 86\n"
        "2: eth0    inet 10.0.0.5/24 brd 10.0.0.255 scope global eth0\\       valid_lft forever\n"
        "3: wg0    inet 10.8.0.1 peer 10.8.0.2/32 scope global wg0\\       valid_lft forever\n"
        "3: wg0    inet6 fd00::1 peer fd00::2/128 scope global \\       valid_lft forever\n"
    )
    run = Runner({"ip -o address show scope global": (0, text, "")})
    assert network.addresses(run) == ["10.0.0.5", "10.8.0.1", "2001:db8::5", "fd00::1"]
    assert network.addresses(Runner({"ip": (1, "", "")})) == []
    # A container network has the same address on each of its hosts.
    besides = ["10.8.0.0/24", "fd00::/64"]
    assert network.addresses(run, besides) == ["10.0.0.5", "2001:db8::5"]


def test_search_path_ends_with_the_system_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/local/bin:/usr/bin")
    assert search_path() == "/usr/local/bin:/usr/bin:/usr/sbin:/sbin"
    monkeypatch.delenv("PATH")
    assert search_path() == "/usr/bin:/bin:/usr/sbin:/sbin"
