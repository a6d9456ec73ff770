# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import errno
import functools
import grp
import json
import os
import pwd
import stat
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.changes import UNKNOWN_BOOT
from ansible_collections.mqttops.emqx.plugins.modules import managed_files

ME = pwd.getpwuid(os.getuid()).pw_name
MY_GROUP = grp.getgrgid(os.getgid()).gr_name
OLD = '# by hand\nnode.cookie = "oldsecret"\nmqtt.max_packet_size = "1MB"\n'
NEW = '# Managed\nnode {\n  cookie = "newsecret"\n}\nmqtt.max_packet_size = "2MB"\n'
REFUSED = (
    '[error] #{kind => validation_error,path => "mqtt.max_packet_size",reason => '
    '"Not a valid bytesize, not even newsecret",value => <<"2MB">>}\n'
)

Run = t.Callable[..., t.Tuple[int, str, str]]


class Emqx:
    """Stands for unshare and all that it starts: keeps what it was asked and saw."""

    def __init__(self, rc: int = 0, out: str = "", err: str = "") -> None:
        self.answer = (rc, out, err)
        self.error: OSError | None = None
        self.calls: list[list[str]] = []
        self.environments: list[dict[str, str]] = []
        self.seen: dict[str, tuple[str, int, int]] = {}

    def __call__(
        self, _module: AnsibleModule, argv: list[str], **options: t.Any
    ) -> tuple[int, str, str]:
        self.calls.append(argv)
        self.environments.append(options["environ_update"])
        for candidate, target in self._mounted(argv):
            info = os.stat(candidate)
            text = Path(candidate).read_text()
            self.seen[target] = (text, stat.S_IMODE(info.st_mode), info.st_gid)
        if self.error is not None:
            raise self.error
        return self.answer

    @staticmethod
    def _mounted(argv: list[str]) -> list[tuple[str, str]]:
        if argv[0] == "unshare":
            pairs = argv[argv.index("sh", 4) + 1 : argv.index("--")]
            return list(zip(pairs[::2], pairs[1::2]))
        volumes = [word.split("=", 1)[1].split(":") for word in argv if word.startswith("--volume")]
        return [(source, target) for source, target, _options in volumes if "/.mqttops-" in source]


@pytest.fixture
def emqx(monkeypatch: pytest.MonkeyPatch) -> Emqx:
    node = Emqx()
    # An object set on the class would not be handed the module.
    monkeypatch.setattr(AnsibleModule, "run_command", functools.partialmethod(node))
    return node


class Host:
    """A folder with a node's files, and the module to run on it."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.etc = root / "etc/emqx"
        self.record = root / "run/emqx"
        self.tmp = root / "tmp"
        for folder in (self.etc, self.record, self.tmp):
            folder.mkdir(parents=True)
        self.conf = self.etc / "emqx.conf"
        self.conf.write_text(OLD)
        self.conf.chmod(0o640)
        self._capsys = capsys

    def file(
        self, path: Path | None = None, content: str = NEW, **other: t.Any
    ) -> dict[str, t.Any]:
        wanted = {"path": str(path or self.conf), "content": content, "mode": "0640"}
        return {**wanted, "owner": ME, "group": MY_GROUP, **other}

    def run(
        self, *files: dict[str, t.Any], check: bool = False, **options: t.Any
    ) -> dict[str, t.Any]:
        args = {
            "files": list(files),
            "boot_files": [str(self.conf)],
            "boot_record": str(self.record),
            "command": ["/usr/bin/emqx"],
            "user": ME,
            "_ansible_check_mode": check,
            "_ansible_diff": True,
            "_ansible_tmpdir": str(self.tmp),
            **options,
        }
        with patch_module_args(args), pytest.raises(SystemExit):
            managed_files.main()
        answer: dict[str, t.Any] = json.loads(self._capsys.readouterr().out)
        return answer

    def names(self) -> list[str]:
        """All files there are, so that nothing is left behind unseen."""
        root = self.etc.parents[1]
        return sorted(str(p.relative_to(root)) for p in root.rglob("*") if not p.is_dir())


@pytest.fixture
def host(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Host:
    return Host(tmp_path, capsys)


def rights(path: Path) -> tuple[int, int, int]:
    info = path.stat()
    return stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid


def test_nothing_of_a_secret_file_is_shown(host: Host, emqx: Emqx) -> None:
    licence = host.etc / "license"
    answers = []
    for content in ("FirstLicence", "OtherLicence"):
        answers.append(host.run(host.file(licence, content, mode="0600", secret=True)))
        assert licence.read_text() == content and rights(licence)[0] == 0o600
    # As it is, with other rights.
    answers.append(host.run(host.file(licence, "OtherLicence", secret=True)))
    shown = [(diff["before"], diff["after"]) for answer in answers for diff in answer["diff"]]
    assert shown[:2] == [("", "********"), ("********", "******** (changed)")]
    assert [text.splitlines()[-1] for text in shown[2]] == ["********", "********"]
    assert "Licence" not in json.dumps(answers).replace("license", "")


class TestCheck:
    """A command of the file's own judges it; grep stands for one such as nft -c -f."""

    def rules(self, host: Host, content: str, command: str = "grep") -> dict[str, t.Any]:
        return host.file(host.etc / "rules", content, check=[command, "accept", "%s"])

    def test_accepted(self, host: Host) -> None:
        assert host.run(self.rules(host, "accept\n"))["changed"]
        assert (host.etc / "rules").read_text() == "accept\n"

    def test_refused(self, host: Host) -> None:
        host.run(self.rules(host, "accept\n"))
        rules = self.rules(host, "drop\n")
        rules["check"] = ["sh", "-c", 'echo "$0: no rule" >&2; exit 1', "%s"]
        answer = host.run(rules)
        assert answer["failed"]
        path = host.etc / "rules"
        assert answer["msg"] == (
            f"sh refuses the new content of {path}, the file in force was left as it is: "
            f"{path}: no rule"
        )
        assert path.read_text() == "accept\n"
        assert host.names() == ["etc/emqx/emqx.conf", "etc/emqx/rules"]

    def test_an_unchanged_file_is_not_judged_again(self, host: Host) -> None:
        host.run(self.rules(host, "accept\n"))
        assert not host.run(self.rules(host, "accept\n", "no-such-command"))["changed"]

    def test_without_the_command_only_check_mode_goes_on(self, host: Host) -> None:
        missing = self.rules(host, "accept\n", "no-such-command")
        assert host.run(missing, check=True)["changed"]
        answer = host.run(missing)
        assert "no-such-command refuses" in answer["msg"]
        assert not (host.etc / "rules").exists()


class TestDirectories:
    def test_made_and_given_their_rights(self, host: Host) -> None:
        data = host.etc.parent / "lib/data"
        wanted = {"path": str(data), "owner": ME, "group": MY_GROUP, "mode": "0750"}
        predicted = host.run(directories=[wanted], check=True)
        assert not data.exists()
        answer = host.run(directories=[wanted])
        assert rights(data)[0] == 0o750
        assert answer["changed_files"] == predicted["changed_files"] == [str(data)]
        assert answer["diff"] == predicted["diff"]
        assert answer["diff"][0]["after"] == f"owner {ME}, group {MY_GROUP}, mode 0750\n"
        assert not host.run(directories=[wanted])["changed"]
        data.chmod(0o755)
        again = host.run(directories=[wanted])
        assert again["diff"][0]["before"] == f"owner {ME}, group {MY_GROUP}, mode 0755\n"
        assert rights(data)[0] == 0o750


class TestWriting:
    def test_unchanged(self, host: Host, emqx: Emqx) -> None:
        inode = host.conf.stat().st_ino
        answer = host.run(host.file(content=OLD))
        assert (answer["changed"], answer["changed_files"], answer["diff"]) == (False, [], [])
        assert emqx.calls == [] and host.conf.stat().st_ino == inode

    def test_changed(self, host: Host, emqx: Emqx) -> None:
        other = host.etc / "emqx.service.d/50.conf"
        answer = host.run(host.file(), host.file(other, "[Service]\n", mode="0604"))
        assert answer["changed"] is True
        assert answer["changed_files"] == [str(host.conf), str(other)]
        assert host.conf.read_text() == NEW and other.read_text() == "[Service]\n"
        assert rights(host.conf) == (0o640, os.getuid(), os.getgid())
        assert rights(other) == (0o604, os.getuid(), os.getgid())
        assert host.names() == ["etc/emqx/emqx.conf", "etc/emqx/emqx.service.d/50.conf"]
        assert len(emqx.calls) == 1

    def test_a_second_run_changes_nothing(self, host: Host, emqx: Emqx) -> None:
        assert host.run(host.file())["changed"] is True
        assert host.run(host.file())["changed"] is False
        assert len(emqx.calls) == 1

    def test_only_the_mode_differs(self, host: Host, emqx: Emqx) -> None:
        host.conf.chmod(0o644)
        answer = host.run(host.file(content=OLD))
        assert answer["changed"] is True and rights(host.conf)[0] == 0o640
        diff = answer["diff"][0]
        assert diff["before"].splitlines()[0] == f"# owner {ME}, group {MY_GROUP}, mode 0644"
        assert diff["after"].splitlines()[0] == f"# owner {ME}, group {MY_GROUP}, mode 0640"
        assert diff["before"].splitlines()[1:] == diff["after"].splitlines()[1:]

    def test_check_mode_writes_nothing(self, host: Host, emqx: Emqx) -> None:
        new = host.etc / "new/base.hocon"
        answer = host.run(host.file(), host.file(new, "a = 1"), check=True)
        assert answer["changed_files"] == [str(host.conf), str(new)]
        assert host.conf.read_text() == OLD and not new.parent.exists()
        assert host.names() == ["etc/emqx/emqx.conf"]
        # It does ask EMQX: a prediction that EMQX refuses is none.
        assert len(emqx.calls) == 1

    def test_a_file_is_replaced_not_written_into(self, host: Host, emqx: Emqx) -> None:
        with host.conf.open() as reader:
            host.run(host.file())
            assert reader.read() == OLD
        assert host.conf.read_text() == NEW

    def test_a_link_is_replaced_and_its_target_kept(self, host: Host, emqx: Emqx) -> None:
        target = host.conf.rename(host.etc / "shared.conf")
        host.conf.symlink_to(target)
        assert host.run(host.file())["changed"] is True
        assert not host.conf.is_symlink() and host.conf.read_text() == NEW
        assert target.read_text() == OLD


class TestFailures:
    @pytest.mark.parametrize(
        ("attribute", "error"),
        [
            ("fsync", OSError(errno.ENOSPC, "No space left on device")),
            ("fchown", PermissionError(errno.EPERM, "Operation not permitted")),
            ("replace", OSError(errno.EBUSY, "Device or resource busy")),
        ],
    )
    def test_nothing_is_written_and_nothing_left(
        self, host: Host, monkeypatch: pytest.MonkeyPatch, attribute: str, error: OSError
    ) -> None:
        def fail(*_args: t.Any, **_options: t.Any) -> t.NoReturn:
            raise error

        monkeypatch.setattr(os, attribute, fail)
        answer = host.run(host.file(), host.file(host.etc / "b.hocon"), validate=False)
        assert answer["failed"] is True
        assert error.strerror in answer["msg"]
        assert host.conf.read_text() == OLD
        assert host.names() == ["etc/emqx/emqx.conf"]

    def test_a_disk_that_fills_up_at_the_second_file_leaves_the_first(
        self, host: Host, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        written: list[int] = []

        def fsync(handle: int) -> None:
            written.append(handle)
            if len(written) == 2:
                raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fsync", fsync)
        answer = host.run(host.file(), host.file(host.etc / "b.hocon"), validate=False)
        assert "No space left on device" in answer["msg"]
        assert len(written) == 2
        assert host.conf.read_text() == OLD
        assert host.names() == ["etc/emqx/emqx.conf"]

    @pytest.mark.parametrize(
        ("other", "message"),
        [
            ({"owner": "no-such-user"}, "no-such-user"),
            ({"group": "no-such-group"}, "no-such-group"),
            ({"mode": "u=rw"}, "expected four octal digits in quotes"),
        ],
    )
    def test_wrong_rights_of_one_file_leave_all(
        self, host: Host, other: dict[str, str], message: str
    ) -> None:
        second = host.file(host.etc / "b.hocon", **other)
        answer = host.run(host.file(), second, validate=False)
        assert answer["failed"] is True and message in answer["msg"]
        assert host.conf.read_text() == OLD
        assert host.names() == ["etc/emqx/emqx.conf"]


class TestValidation:
    def test_how_emqx_is_asked(self, host: Host, emqx: Emqx) -> None:
        base = host.etc / "base.hocon"
        base.write_text("a = 1\n")
        unit = host.etc / "50.conf"
        unit.write_text("old")
        environment = {"EMQX_DASHBOARD__DEFAULT_PASSWORD": "envsecret", "EMQX_NODE__MAX_PORTS": 5}
        host.run(
            host.file(),
            host.file(base, "a = 2\n"),
            host.file(unit, "new"),
            host.file(host.etc / "new.hocon", "a = 1"),
            environment=environment,
        )
        (argv,) = emqx.calls
        assert argv[:4] == ["unshare", "--mount", "sh", "-c"]
        assert argv[-2:] == ["/usr/bin/emqx", "check_config"]
        assert argv[argv.index("--") + 1 :][-6:-2] == ["timeout", "-k", "5", "60"]
        # Only HOCON, and only what is there to be mounted over.
        assert set(emqx.seen) == {str(host.conf), str(base)}
        group = pwd.getpwnam(ME).pw_gid
        assert emqx.seen[str(host.conf)] == (NEW, 0o640, group)
        assert emqx.seen[str(base)] == ("a = 2\n", 0o640, group)
        (variables,) = emqx.environments
        assert variables["EMQX_DASHBOARD__DEFAULT_PASSWORD"] == "envsecret"
        assert variables["EMQX_NODE__MAX_PORTS"] == "5"
        assert variables["PATH"].endswith(":/usr/sbin:/sbin")
        for secret in ("envsecret", "newsecret", "oldsecret"):
            assert secret not in " ".join(argv)
        assert list(host.tmp.iterdir()) == []

    def container(self, host: Host) -> dict[str, t.Any]:
        return {
            "run": ["/usr/bin/podman", "run", "--rm"],
            "volumes": [
                f"{host.conf}:/opt/emqx/etc/emqx.conf:ro,z",
                f"{host.record}:/opt/emqx/data:z",
                f"{host.etc}/nothing:/opt/emqx/log:z",
            ],
            "image": "sha256:1",
        }

    @pytest.mark.parametrize("there", [True, False])
    def test_how_a_container_is_asked(self, host: Host, emqx: Emqx, there: bool) -> None:
        if not there:
            host.conf.unlink()
        answer = host.run(host.file(), container=self.container(host), environment={"EMQX_A": "1"})
        assert answer["changed"] is True
        (argv,) = emqx.calls
        assert argv[:7] == ["timeout", "-k", "5", "60", "/usr/bin/podman", "run", "--rm"]
        assert argv[-3:] == ["sha256:1", "emqx", "check_config"]
        assert f"--volume={host.record}:/opt/emqx/data:z" in argv
        # A source that is not there would end the engine.
        assert not any("/opt/emqx/log" in word for word in argv)
        # The image has a file to mount over, whether the host has one or not.
        assert emqx.seen["/opt/emqx/etc/emqx.conf"][:2] == (NEW, 0o640)
        assert emqx.environments[0]["EMQX_A"] == "1"
        assert list(host.tmp.iterdir()) == []

    def test_an_engine_that_fails_is_no_refusal_of_emqx(self, host: Host, emqx: Emqx) -> None:
        emqx.answer = (125, "", "first\nError: no such image\n")
        answer = host.run(host.file(), container=self.container(host))
        assert "refused to run sha256:1 with 'Error: no such image'" in answer["msg"]
        assert host.conf.read_text() == OLD

    def test_a_refusal_in_a_container(self, host: Host, emqx: Emqx) -> None:
        emqx.answer = (1, REFUSED, "")
        answer = host.run(host.file(), container=self.container(host))
        assert "mqtt.max_packet_size: Not a valid bytesize" in answer["msg"]
        assert host.conf.read_text() == OLD

    def test_owners_by_number(self, host: Host, emqx: Emqx) -> None:
        info = host.conf.stat()
        wanted = host.file(owner=str(info.st_uid), group=str(info.st_gid))
        host.run(wanted)
        assert host.run(wanted)["changed"] is False

    @pytest.mark.parametrize("check", [True, False])
    @pytest.mark.parametrize("rc", [1, 127])
    def test_a_refusal_leaves_all_files_as_they_were(
        self, host: Host, emqx: Emqx, rc: int, check: bool
    ) -> None:
        emqx.answer = (rc, REFUSED, "")
        unit = host.etc / "50.conf"
        answer = host.run(host.file(), host.file(unit, "new"), check=check)
        assert answer["failed"] is True
        assert answer["failure"] == {"code": "refused", "details": {"rc": rc}}
        assert (
            'mqtt.max_packet_size: Not a valid bytesize, not even ******** "2MB"' in answer["msg"]
        )
        assert "newsecret" not in json.dumps(answer)
        assert host.conf.read_text() == OLD
        assert host.names() == ["etc/emqx/emqx.conf"]

    @pytest.mark.parametrize(
        "result",
        [
            (125, "", "mount: /etc/emqx/emqx.conf: permission denied.\n"),
            (1, "", "unshare: unshare failed: Operation not permitted\n"),
            FileNotFoundError(errno.ENOENT, "No such file or directory", "unshare"),
        ],
    )
    def test_no_right_to_mount_says_what_to_do(self, host: Host, emqx: Emqx, result: t.Any) -> None:
        if isinstance(result, OSError):
            emqx.error = result
        else:
            emqx.answer = result
        answer = host.run(host.file())
        assert answer["failed"] is True
        assert "emqx_config_validate: false" in answer["msg"]
        assert host.conf.read_text() == OLD
        assert host.names() == ["etc/emqx/emqx.conf"]

    def test_a_check_that_hangs_is_told_without_its_output(self, host: Host, emqx: Emqx) -> None:
        emqx.answer = (124, "cookie is newsecret", "")
        answer = host.run(host.file(), timeout=7)
        assert "gave no answer within 7 s" in answer["msg"]
        assert "newsecret" not in json.dumps(answer)
        assert host.conf.read_text() == OLD

    def test_not_wanted(self, host: Host, emqx: Emqx) -> None:
        assert host.run(host.file(), validate=False)["changed"] is True
        assert emqx.calls == []

    def test_nothing_to_ask_before_emqx_is_installed(self, host: Host, emqx: Emqx) -> None:
        host.conf.unlink()
        assert host.run(host.file(), environment={"EMQX_A__B": "1"})["changed"] is True
        assert emqx.calls == []

    def test_a_new_environment_is_judged_without_new_files(self, host: Host, emqx: Emqx) -> None:
        env = host.file(host.etc / "emqx.env", 'EMQX_A__B="1"\n')
        host.run(host.file(content=OLD), env, environment={"EMQX_A__B": "1"})
        assert len(emqx.calls) == 1 and emqx.seen == {}

    def test_a_release_that_is_not_installed_judges_what_is_in_force(
        self, host: Host, emqx: Emqx
    ) -> None:
        new = host.tmp.parent / "new"
        new.write_text("release")
        mounts = [{"source": str(new), "target": "/usr/lib/emqx"}]
        asked = {"judge_all": True, "check": True}
        assert host.run(host.file(content=OLD), mounts=mounts, **asked)["changed"] is False
        (argv,) = emqx.calls
        pairs = argv[argv.index("sh", 4) + 1 : argv.index("--")]
        assert pairs == [str(new), "/usr/lib/emqx"]
        # What it refuses may be in a file that does not change.
        emqx.answer = (1, "ERROR: oldsecret is none\n", "")
        answer = host.run(host.file(content=OLD), mounts=mounts, **asked)
        assert answer["failed"] and "is none" in answer["msg"]
        assert "oldsecret" not in answer["msg"]

    def test_candidates_are_seen_by_the_release_that_is_not_installed(
        self, host: Host, emqx: Emqx
    ) -> None:
        new = host.tmp.parent / "new"
        new.write_text("release")
        host.run(host.file(), mounts=[{"source": str(new), "target": "/usr/lib/emqx"}])
        assert list(emqx.seen) == [str(host.conf), "/usr/lib/emqx"]


class TestAnswer:
    def test_stale_keys(self, host: Host, emqx: Emqx) -> None:
        (host.record / "emqx.conf").write_text(OLD)
        answer = host.run(host.file())
        assert answer["stale"] == ["mqtt.max_packet_size", "node.cookie"]
        assert host.run(host.file())["stale"] == ["mqtt.max_packet_size", "node.cookie"]
        (host.record / "emqx.conf").write_text(NEW)
        assert host.run(host.file())["stale"] == []

    def test_without_a_record_the_change_itself_is_named_too(self, host: Host, emqx: Emqx) -> None:
        host.record.rmdir()
        answer = host.run(host.file(), check=True)
        assert answer["stale"] == [UNKNOWN_BOOT, "mqtt.max_packet_size", "node.cookie"]

    def test_the_diff_shows_keys_and_no_secret(self, host: Host, emqx: Emqx) -> None:
        (diff,) = host.run(host.file())["diff"]
        assert diff["before_header"] == diff["after_header"] == str(host.conf)
        assert 'cookie = "********"\n' in diff["before"]
        assert 'cookie = "******** (changed)"\n' in diff["after"]
        assert '"1MB"' in diff["before"] and '"2MB"' in diff["after"]

    def test_a_text_that_is_shown_whole_is_not_starred(self, host: Host, emqx: Emqx) -> None:
        base = host.etc / "base.hocon"
        (diff,) = host.run(host.file(base, "a = 1\n"))["diff"]
        assert (diff["before"], diff["after"]) == ("", "a = 1\n")

    def test_common_words_of_the_environment_are_not_starred(self, host: Host, emqx: Emqx) -> None:
        environment = {"EMQX_NAME": "emqx", "EMQX_LOG__LEVEL": "mqtt", "EMQX_A__B": "1"}
        answer = host.run(host.file(), environment=environment)
        assert answer["changed_files"] == [str(host.conf)]
        assert answer["stale"] == ["mqtt.max_packet_size", "node.cookie"]
        assert '"1MB"' in answer["diff"][0]["before"]

    def test_no_secret_is_in_the_answer(self, host: Host, emqx: Emqx) -> None:
        environment = {"EMQX_DASHBOARD__DEFAULT_PASSWORD": "envsecret"}
        env = host.file(
            host.etc / "emqx.env", 'EMQX_DASHBOARD__DEFAULT_PASSWORD="envsecret"\n', mode="0600"
        )
        answer = host.run(host.file(), env, environment=environment)
        assert answer["changed"] is True
        text = json.dumps(answer)
        for secret in ("envsecret", "newsecret", "oldsecret"):
            assert secret not in text
        shown = answer["invocation"]["module_args"]
        assert shown["environment"] == shown["files"][0]["content"] == "********"
