# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import json
import os
import time
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mqttops.emqx.plugins.module_utils._host import (
    evidence,
    running,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._host.config import Config, named_files
from ansible_collections.mqttops.emqx.plugins.modules import evidence_info, support_bundle
from ansible_collections.mqttops.emqx.tests.unit.documented import documented

Answer = t.Tuple[int, str, str]
COOKIE, PASSWORD, LICENSE = "Cookie0of0the0cluster", "Hunter0twelve", "M1icence0key"
UNIT = (
    "LoadState=loaded\nActiveState=active\nSubState=running\nResult=success\nNRestarts=2\n"
    "ExecMainStatus=0\nUnitFileState=enabled\nActiveEnterTimestamp=Mon 2026-01-05 10:00:00 UTC\n"
)
CONF = f"""
# cookie of old: {COOKIE}
node {{ name = "emqx@10.0.0.1", cookie = "{COOKIE}", data_dir = "/var/lib/emqx" }}
cluster {{ discovery_strategy = static, proto_dist = inet_tls, static.seeds = ["emqx@10.0.0.1"] }}
rpc.protocol = ssl
rpc.certfile = "${{EMQX_ETC_DIR}}/rpc.pem"
mqtt.max_packet_size = 1MB
"""
DIST = """%% {certfile, "/old.pem"}
[{server, [{certfile, "/tls/cert.pem"}, {keyfile, "/tls/key.pem"}, {cacertfile, "/tls/ca.pem"}]},
 {client, [{certfile, "/tls/cert.pem"}, {keyfile, "/tls/key.pem"}, {cacertfile, "/tls/ca.pem"}]}].
"""
Ask = t.Callable[..., t.Dict[str, t.Any]]


class Commands:
    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.answers: dict[str, Answer] = {
            "systemctl": (0, UNIT, ""),
            "journalctl": (0, "emqx: eaddrinuse\n", ""),
            "ip": (0, "2: eth0    inet 10.0.0.1/24 scope global eth0\n", ""),
            "openssl": (0, "PUBLIC", ""),
            "runuser": (0, "/tls/key.pem\n", ""),
        }

    def __call__(self, _module: AnsibleModule, argv: list[str], **_options: t.Any) -> Answer:
        self.calls.append(argv)
        if argv[0] not in self.answers:
            raise FileNotFoundError(2, "No such file or directory", argv[0])
        return self.answers[argv[0]]


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Commands:
    found = Commands()
    monkeypatch.setattr(AnsibleModule, "run_command", functools.partialmethod(found))
    monkeypatch.setattr(evidence, "processes", lambda _service: [])
    return found


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """The folders of a node."""
    texts = {
        "etc/emqx.conf": CONF,
        "etc/base.hocon": "log.console.level = info\n",
        "etc/ssl_dist.conf": DIST,
        "emqx.env": f'# of Ansible\nEMQX_DASHBOARD__DEFAULT_PASSWORD="{PASSWORD}"\n',
        "license": LICENSE,
        "data/configs/cluster.hocon": "mqtt.max_packet_size = 2MB\nflapping_detect.enable = true\n",
        "data/mnesia/emqx@10.0.0.1/schema.DAT": "",
        "log/emqx.log.1": f"[error] Invalid challenge reply {COOKIE} {PASSWORD}\n",
        "log/emqx.log.1.idx": "enospc",
        "log/erl_crash.dump": "=erl_crash_dump:0.5\nSlogan: Kernel pid terminated\n",
        "log/other.log": "enospc",
    }
    for name, text in texts.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    with (tmp_path / "etc/emqx.conf").open("a", encoding="utf-8") as conf:
        conf.write(f'license.key = "file://{tmp_path}/license"\n')
    return tmp_path


@pytest.fixture
def ask(commands: Commands, host: Path, capsys: t.Any) -> Ask:
    def run(**options: t.Any) -> dict[str, t.Any]:
        places = {f"{key}_dir": f"{host}/{key}" for key in ("etc", "data", "log")}
        places["environment_file"] = f"{host}/emqx.env"
        with patch_module_args({**places, **options}), pytest.raises(SystemExit):
            evidence_info.main()
        answer: dict[str, t.Any] = json.loads(capsys.readouterr().out)
        return answer

    return run


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ('EMQX_DASHBOARD__DEFAULT_PASSWORD="\\"MQtt#1234\\""', "MQtt#1234"),
        ("EMQX_NODE__COOKIE=unquoted", "unquoted"),
        ('EMQX_API_KEY="{secret = \\"in quotes\\"}"', "in quotes"),
        ('EMQX_X="{\n  token = \\"two\\\\\\\\\\"\n}"', "two\\"),
    ],
)
def test_secrets_of_the_environment_are_those_that_emqx_reads(
    tmp_path: Path, line: str, secret: str
) -> None:
    (tmp_path / "emqx.env").write_text(f"# of Ansible\n{line}\nEMQX_Y=1\n", encoding="utf-8")
    config = Config(str(tmp_path), str(tmp_path), f"{tmp_path}/emqx.env")
    assert secret in config.secrets()
    assert config.environment["y"] == 1


def test_files_that_the_environment_names(tmp_path: Path) -> None:
    lines = ('EMQX_A__KEYFILE="/a.pem"', 'EMQX_B="{certfile = \\"/b.pem\\"}"', "EMQX_C__CERTFILE=1")
    (tmp_path / "emqx.env").write_text("\n".join(lines), encoding="utf-8")
    config = Config(str(tmp_path), str(tmp_path), f"{tmp_path}/emqx.env")
    assert named_files(config) == [("a.keyfile", "/a.pem"), ("b.certfile", "/b.pem")]


def test_the_whole_answer(ask: Ask, host: Path) -> None:
    found = ask()["evidence"]
    assert found["addresses"] == ["10.0.0.1"]
    assert found["unit"] == {
        "name": "emqx.service",
        "exists": True,
        "enabled": True,
        "active": "active",
        "sub": "running",
        "result": "success",
        "restarts": 2,
        "exit_status": 0,
        "started": 0.0,
        "since": "Mon 2026-01-05 10:00:00 UTC",
    }
    assert found["data_nodes"] == ["emqx@10.0.0.1"]
    assert found["unusable"] == ["/tls/key.pem"]
    config = found["config"]
    assert config["settings"]["cluster.static.seeds"] == ["emqx@10.0.0.1"]
    assert config["settings"]["cluster.proto_dist"] == "inet_tls"
    assert config["cookie_fingerprint"] == hashlib.sha256(COOKIE.encode()).hexdigest()[:12]
    assert config["license"] == "file"
    assert config["overridden"] == ["mqtt.max_packet_size"]
    assert set(config["runtime_keys"]) == {"mqtt.max_packet_size", "flapping_detect.enable"}
    assert {"log.console.level", "dashboard.default_password"} <= set(config["keys"])
    assert {path: space["read_only"] for path, space in found["disks"].items()} == {
        # The log folder is on the same file system.
        f"{host}/data": False
    }
    assert [(each["sign"], each["source"]) for each in found["log"]] == [
        ("cookie", "emqx.log.1"),
        ("crash", "erl_crash.dump"),
        ("port_in_use", "journal of emqx.service"),
    ]
    assert [(each["use"], each["paths"]["certificate"]) for each in found["certificates"]] == [
        ("distribution", "/tls/cert.pem"),
        ("rpc", f"{host}/etc/rpc.pem"),
    ]


def test_no_secret_leaves_the_host(ask: Ask) -> None:
    answer = ask(detail=True)
    files = answer["evidence"]["files"]
    assert set(files) == {
        "emqx.log.1",
        "erl_crash.dump",
        "journal of emqx.service",
        "base.hocon",
        "cluster.hocon",
        "emqx.conf",
    }
    assert "max_packet_size" in files["emqx.conf"]
    text = json.dumps(answer)
    assert [secret for secret in (COOKIE, PASSWORD, LICENSE) if secret in text] == []


def test_no_secret_of_a_broken_file_leaves_the_host(ask: Ask, host: Path) -> None:
    with (host / "etc/emqx.conf").open("a", encoding="utf-8") as conf:
        conf.write("cluster {\n")
    answer = ask(detail=True)
    assert "emqx.conf" in answer["evidence"]["config"]["error"]
    text = json.dumps(answer)
    assert [secret for secret in (COOKIE, PASSWORD, LICENSE) if secret in text] == []


def test_hashes_compare_only_with_the_same_salt(ask: Ask) -> None:
    one, same, other = (
        ask(salt=salt)["evidence"]["config"]["keys"]["dashboard.default_password"]
        for salt in ("a", "a", "b")
    )
    assert one == same != other


def test_only_the_end_of_a_long_log_is_read(ask: Ask, host: Path) -> None:
    (host / "log/emqx.log.1").write_text("x enospc\n" + "y\n" * 5000 + "eaddrinuse\n")
    signs = {each["sign"] for each in ask(log_bytes=1000)["evidence"]["log"]}
    assert "disk_full" not in signs and "port_in_use" in signs


def test_only_what_the_last_start_wrote_counts(ask: Ask, commands: Commands, host: Path) -> None:
    started = int((time.clock_gettime(time.CLOCK_MONOTONIC) - 100) * 1e6)
    stamp = f"ExecMainStartTimestampMonotonic={started}\n"
    commands.answers["systemctl"] = (0, UNIT + stamp, "")
    os.utime(host / "log/erl_crash.dump", (1, 1))
    zone = dt.timezone(dt.timedelta(hours=2))
    old, new = (dt.datetime.fromtimestamp(time.time() - age, zone).isoformat() for age in (200, 50))
    lines = [f"{old} [error] enospc", "  eaddrinuse", f"{new} [error] emfile", "  Out of memory"]
    (host / "log/emqx.log.1").write_text("\n".join(lines), encoding="utf-8")
    erlang = "port 4370 is in use\n===== LOGGING STARTED Mon\nSINGLE_NODE_LICENSE\n"
    (host / "log/erlang.log.1").write_text(erlang, encoding="utf-8")
    journal = f"{old[:19]}+0200 n1 bash[1]: call_hocon_failed\n{new[:19]}+0200 n1 bash[2]: eacces\n"
    commands.answers["journalctl"] = (0, journal, "")
    found = ask()["evidence"]
    assert found["unit"]["started"] == pytest.approx(time.time() - 100, abs=60)
    assert [each["sign"] for each in found["log"]] == [
        "file_limit",
        "memory",
        "license",
        "permission",
    ]


def test_a_host_without_emqx_is_an_answer(ask: Ask, commands: Commands) -> None:
    for command in ("journalctl", "runuser", "openssl"):
        del commands.answers[command]
    commands.answers["systemctl"] = (0, "LoadState=not-found\nActiveState=inactive\n", "")
    found = ask(etc_dir="/no/etc", data_dir="/no/data", log_dir="/no/log")["evidence"]
    assert (found["unit"]["exists"], found["unit"]["active"]) == (False, "inactive")
    assert found["log"] == found["data_nodes"] == found["unusable"] == []
    assert found["config"]["cookie_fingerprint"] == ""


def test_a_missing_command_is_named(ask: Ask, commands: Commands) -> None:
    del commands.answers["systemctl"]
    answer = ask()
    assert answer["failed"] is True
    assert "the command systemctl is not installed on this host" in answer["msg"]


def test_processes(tmp_path: Path) -> None:
    def process(pid: int, *words: str) -> None:
        folder = tmp_path / str(pid)
        (folder / "fd").mkdir(parents=True)
        (folder / "fd/0").touch()
        (folder / "cmdline").write_text("\0".join(words) + "\0", encoding="utf-8")
        (folder / "limits").write_text("Max open files            1024     4096    files\n")

    beam = "/usr/lib/emqx/erts/bin/beam.smp"
    process(7, beam, "-name", "emqx@h", "-setcookie", COOKIE, "-mnesia", "dir", "x")
    process(8, beam, "-name", "remsh1@h", "-setcookie", COOKIE)
    process(9, "/usr/bin/python3", "-mnesia", "-setcookie", COOKIE)
    process(10, beam, "-name", "emqx@other", "-setcookie", COOKIE, "-mnesia", "dir", "x")
    (tmp_path / "10/ns").mkdir()
    (tmp_path / "10/ns/pid").symlink_to("pid:[2]")
    (tmp_path / "self").mkdir()
    (found,) = running.processes("emqx.service", str(tmp_path))
    assert found.pop("_cookie") == COOKIE
    assert found == {
        "pid": 7,
        "node": "emqx@h",
        "cookie_fingerprint": hashlib.sha256(COOKIE.encode()).hexdigest()[:12],
        "proto_dist": "",
        "open_files": 1,
        "open_files_limit": 1024,
        "open_files_limit_hard": 4096,
    }


def test_files_that_the_configuration_names(ask: Ask, host: Path, commands: Commands) -> None:
    (host / "bootstrap").touch()
    with (host / "etc/emqx.conf").open("a", encoding="utf-8") as conf:
        conf.write(
            f'api_key.bootstrap_file = "{host}/bootstrap"\n'
            f'listeners.ssl.a.ssl_options.keyfile = "{host}/key"\n'
            f'listeners.ssl.b {{ enable = false, ssl_options.keyfile = "{host}/unused" }}\n'
            f'authorization.sources = [{{ type = file, path = "{host}/no-acl" }}]\n'
            'rule_engine.path = "/nowhere"\n'
            'mqtt_tls.cacertfile = "-----BEGIN CERTIFICATE-----"\n'
        )
    commands.answers["runuser"] = (0, f"{host}/bootstrap\n/tls/key.pem\n", "")
    evidence = ask()["evidence"]
    found = {file["key"]: file for file in evidence["configured_files"]}
    assert {key: (file["exists"], file["readable"]) for key, file in found.items()} == {
        "api_key.bootstrap_file": (True, False),
        "authorization.sources.path": (False, False),
        "license.key": (True, True),
        "listeners.ssl.a.ssl_options.keyfile": (False, False),
        "rpc.certfile": (False, False),
    }
    assert found["rpc.certfile"]["path"] == f"{host}/etc/rpc.pem"
    assert evidence["unusable"] == ["/tls/key.pem"]


def test_the_documentation_names_options_and_answer(ask: Ask) -> None:
    for module, specs in (
        ("evidence_info", evidence.OPTIONS),
        ("support_bundle", support_bundle.ARGUMENT_SPEC),
    ):
        options = documented(module)["DOCUMENTATION"]["options"]
        assert set(options) == set(specs)
        for name, spec in specs.items():
            assert options[name].get("default") == spec.get("default"), name
    answer = documented("evidence_info")["RETURN"]["evidence"]["contains"]
    assert set(answer) == set(ask(detail=True)["evidence"])


def test_support_bundle(tmp_path: Path, capsys: t.Any) -> None:
    options = {"path": str(tmp_path), "name": "emqxcl", "evidence": {}, "files": {"a": COOKIE}}
    for check, count in ((True, 0), (False, 1)):
        arguments = {**options, "secrets": [COOKIE], "_ansible_check_mode": check}
        with patch_module_args(arguments), pytest.raises(SystemExit):
            support_bundle.main()
        answer = json.loads(capsys.readouterr().out)
        assert answer["names"] == ["a"]
        assert len(list(tmp_path.glob("emqx-support-emqxcl-*.tar.gz"))) == count
