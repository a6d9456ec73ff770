# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
"""Configuration at run time, export and import, users and API keys, as a real 5.8.9 has them."""

from __future__ import annotations

import base64
import json
import re
import tarfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.standin.tests.world import AT_ONCE, NODES, World, build, private_network, wait_until
from tests.support.mqtt import Client

NODE, OTHER = NODES["n1"][0], NODES["n2"][0]
RED, PLAIN = "\x1b[31m", "\x1b[0m"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("packages"))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, archive: Path) -> Iterator[World]:
    """Two members; each test leaves them with the configuration that it found."""
    env = {
        **AT_ONCE,
        "EMQX_WAIT_FOR_START": "60",
    }
    with private_network():
        made = World(tmp_path_factory.mktemp("runtime"), archive, env=env)
        for node in ("n1", "n2"):
            assert made.emqx(node, "start").code == "0"
        made.emqx("n2", "ctl", "cluster", "join", "emqx1")
        wait_until(lambda: made.emqx("n2", "eval", "emqx:is_running()").stdout == "true\n", "n2")
        yield made
        for name in NODES:
            made.kill(name)


def ctl(world: World, *arguments: str, node: str = "n1") -> tuple[str, str]:
    answer = world.emqx(node, "ctl", *arguments)
    return answer.code, answer.stdout


def load(world: World, text: str, *options: str) -> tuple[str, str]:
    file = world.root / "load.hocon"
    file.write_text(text)
    return ctl(world, "conf", "load", *options, str(file))


def shown(world: World, root: str, key: str, node: str = "n1") -> str:
    (value,) = re.findall(
        rf"^  {key} = (.*)$", ctl(world, "conf", "show", root, node=node)[1], re.M
    )
    return str(value)


def cluster_hocon(world: World, node: str) -> str:
    return (world.opt(node) / "data/configs/cluster.hocon").read_text()


def add_to_conf(world: World, text: str) -> str:
    """Append to emqx.conf of n1 and return what was there."""
    conf = world.opt("n1") / "etc/emqx.conf"
    before = conf.read_text()
    conf.write_text(f"{before}\n{text}\n")
    return before


def test_load_changes_all_nodes(world: World) -> None:
    assert ctl(world, "conf", "show_keys")[1].startswith("[actions,\n alarm,\n api_key,\n")
    assert load(world, "mqtt {\n  max_packet_size = 2MB\n}\n") == ("0", "load mqtt on cluster ok\n")
    for node in ("n1", "n2"):
        assert shown(world, "mqtt", "max_packet_size", node) == '"2MB"'
        text = cluster_hocon(world, node)
        assert text.startswith("# This file is generated. Do not edit.\n")
        assert "log {\n  console {}\n  file {}\n}\nmqtt {\n" in text
        assert '  max_packet_size = "2MB"\n' in text
        assert "  wildcard_subscription = true\n" in text
        assert text.count("\n") == 44
    replaced = load(world, "mqtt.max_topic_levels = 64", "--replace")
    assert replaced == ("0", "load mqtt on cluster ok\n")
    assert shown(world, "mqtt", "max_packet_size", "n2") == '"1MB"'
    assert shown(world, "mqtt", "max_topic_levels", "n2") == "64"
    # On one machine each has ports of its own.
    code, status = ctl(world, "conf", "cluster_sync", "status")
    assert code == "0"
    assert f"{RED}All configuration synchronized(tnx_id=2)\n{PLAIN}" in status
    assert "inconsistent keys were found: [api_key,dashboard,listeners], which come" in status


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "mqtt.max_packet_size = nonsense",
            f"{RED}load schema check failed\n{PLAIN}{RED}mqtt: #{{kind => validation_error,"
            'path => "mqtt.max_packet_size",\n        reason => "Not a valid bytesize",'
            f'value => <<"nonsense">>}}\n{PLAIN}',
        ),
        (
            "node.cookie = abc",
            f"{RED}load config failed\nCannot update read-only key 'node'.\n{PLAIN}{RED}Maybe try "
            f"`emqx_ctl conf reload` to reload etc/emqx.conf on local node\n{PLAIN}",
        ),
        (
            "unknown_root.a = 1",
            f"{RED}load schema check failed\n{PLAIN}{RED}unknown_root: "
            f'{{root_key_not_found,<<"unknown_root">>}}\n{PLAIN}',
        ),
    ],
)
def test_load_refuses(world: World, text: str, said: str) -> None:
    before = cluster_hocon(world, "n1")
    assert load(world, text) == ("1", said)
    assert cluster_hocon(world, "n1") == before


def test_load_without_a_file(world: World) -> None:
    said = f"{RED}/none.hocon file is not found\n{PLAIN}"
    assert ctl(world, "conf", "load", "/none.hocon") == ("1", said)


def test_reload_is_for_this_node_alone(world: World) -> None:
    before = cluster_hocon(world, "n1")
    conf = add_to_conf(
        world, 'mqtt.max_packet_size = 3MB\nlisteners.tcp.extra { bind = "127.0.0.1:1885" }'
    )
    roots = ("api_key", "dashboard", "listeners", "mqtt")
    said = "".join(f"load {root} on '{NODE}' ok\n" for root in roots)
    assert ctl(world, "conf", "reload") == ("0", said)
    assert shown(world, "mqtt", "max_packet_size") == '"3MB"'
    assert shown(world, "mqtt", "max_packet_size", "n2") == '"1MB"'
    assert cluster_hocon(world, "n1") == before
    listener = "tcp:extra\n  listen_on       : 127.0.0.1:1885\n  acceptors       : 16\n"
    assert listener in ctl(world, "listeners")[1]
    assert Client("127.0.0.1", 1885).accepted
    assert "extra" not in ctl(world, "listeners", node="n2")[1]
    code, status = ctl(world, "conf", "cluster_sync", "status")
    assert code == "0"
    difference = (
        f"{RED}{NODE}(2)'s mqtt has been updated, but the changes have not been applied to "
        f'{OTHER}(2).\n{PLAIN}"{NODE}" {{\n  mqtt {{\n    max_packet_size = "1MB"\n  }}\n}}\n'
        f'"{OTHER}" {{\n  mqtt {{\n    max_packet_size = "3MB"\n  }}\n}}\n\n'
    )
    assert difference in status
    keys = "[api_key,dashboard,listeners,mqtt,zones]"
    assert f"but inconsistent keys were found: {keys}, which come from environment" in status
    # What is taken out of the file stays until the node starts again.
    (world.opt("n1") / "etc/emqx.conf").write_text(conf)
    assert ctl(world, "conf", "reload")[0] == "0"
    assert shown(world, "mqtt", "max_packet_size") == '"3MB"'
    assert "tcp:extra" in ctl(world, "listeners")[1]


def test_reload_refuses_what_a_boot_would_refuse(world: World) -> None:
    conf = add_to_conf(world, "mqtt.max_packet_size = nonsense")
    code, said = ctl(world, "conf", "reload")
    (world.opt("n1") / "etc/emqx.conf").write_text(conf)
    assert code == "1"
    assert said.startswith(f"{RED}check config failed\n#{{")


def test_a_node_that_was_down_catches_up(world: World) -> None:
    assert world.emqx("n2", "stop").code == "0"
    assert load(world, "mqtt.max_topic_levels = 32")[0] == "0"
    assert world.emqx("n2", "start").code == "0"
    assert shown(world, "mqtt", "max_topic_levels", "n2") == "32"
    assert cluster_hocon(world, "n2") == cluster_hocon(world, "n1")


def test_export_and_import(world: World) -> None:
    assert ctl(world, "admins", "add", "kept", "Kept0password") == ("0", "ok\n")
    code, said = ctl(world, "data", "export")
    assert code == "0"
    (path,) = re.findall(r"^Data has been successfully exported to (.*)\.$", said, re.M)
    file = Path(path.replace("/opt/", f"{world.root}/opt/"))
    with tarfile.open(file) as tar:
        names = [name.partition("/")[2] for name in tar.getnames()]
        meta = tar.extractfile(tar.getnames()[0])
        assert meta is not None
        assert len(meta.read()) == 31
    assert names[:3] == ["META.hocon", "cluster.hocon", "mnesia/emqx_app"]
    assert names[-1] == "mnesia/emqx_admin"
    assert len(names) == 11
    assert ctl(world, "admins", "del", "kept") == ("0", "ok\n")
    assert load(world, "mqtt.max_topic_levels = 16")[0] == "0"
    code, said = ctl(world, "data", "import", path)
    assert code == "0"
    assert said.splitlines()[1:4] == [
        "Importing cluster configuration...",
        "Importing built-in database...",
        "Importing emqx_admin database table...",
    ]
    assert said.endswith(
        "Importing emqx_app database table...\nData has been imported successfully.\n"
    )
    assert ctl(world, "admins", "passwd", "kept", "Kept1password") == ("0", "ok\n")
    assert shown(world, "mqtt", "max_topic_levels", "n2") == "32"


def test_export_and_import_that_fail(world: World) -> None:
    code, said = ctl(world, "data", "export", "--dir", "/nonexistent/dir")
    assert code == "1"
    assert re.fullmatch(
        r'Exporting data to "/nonexistent/dir/emqx-export-.*\.tar\.gz"\.\.\.\n', said
    )
    missing = '[error] Data import failed, reason: "backup file not found".\n'
    assert ctl(world, "data", "import", "/nonexistent.tar.gz") == ("0", missing)


def test_an_archive_by_another_name_is_refused(world: World) -> None:
    """Source: emqx_mgmt_data_backup.erl, EMQX 5.1 to 6.3."""
    (path,) = re.findall(r"exported to (.*)\.$", ctl(world, "data", "export")[1], re.M)
    file = Path(path.replace("/opt/", f"{world.root}/opt/"))
    file.rename(file.with_name("other.tar.gz"))
    code, said = ctl(world, "data", "import", str(Path(path).with_name("other.tar.gz")))
    assert code == "0"
    assert "all files in the archive must be under <backup name> directory" in said


def test_there_is_no_list_of_users(world: World) -> None:
    code, said = ctl(world, "admins", "list")
    assert (code, said.splitlines()[0]) == (
        "0",
        "admins add <Username> <Password> <Description> # Add dashboard user",
    )


def ask(
    path: str, authorization: str = "", method: str = "GET", body: object = None
) -> tuple[int, object]:
    request = urllib.request.Request(f"http://127.0.0.1:18081/api/v5{path}", method=method)
    if authorization:
        request.add_header("Authorization", authorization)
    if body is not None:
        request.data = json.dumps(body).encode()
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read()
            return answer.status, json.loads(text) if text else None
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null")


def basic(key: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()


def bearer() -> str:
    code, answer = ask("/login", "", "POST", {"username": "admin", "password": "public"})
    assert code == 200
    assert isinstance(answer, dict)
    return f"Bearer {answer['token']}"


def test_keys_of_a_bootstrap_file_come_with_a_reload(world: World) -> None:
    keys = world.root / "more_keys"
    keys.write_text("mykey:mysecret0123456789abcdef01:administrator\n")
    mine = basic("mykey", "mysecret0123456789abcdef01")
    assert ask("/nodes", mine)[0] == 401
    conf = add_to_conf(world, f'api_key.bootstrap_file = "{keys}"')
    assert f"load api_key on '{NODE}' ok\n" in ctl(world, "conf", "reload")[1]
    (world.opt("n1") / "etc/emqx.conf").write_text(conf)
    assert ask("/nodes", mine)[0] == 200
    assert ask("/nodes", basic("admin", "public"))[0] == 401
    assert ask("/api_key", mine)[0] == 401


def test_keys_are_made_and_deleted_with_a_login(world: World) -> None:
    token = bearer()
    code, app = ask("/api_key", token, "POST", {"name": "made", "enable": True, "desc": ""})
    assert code == 200
    assert isinstance(app, dict)
    key = basic(app["api_key"], app["api_secret"])
    assert ask("/nodes", key)[0] == 200
    code, apps = ask("/api_key", token)
    assert isinstance(apps, list)
    assert "made" in [one["name"] for one in apps]
    assert not [one for one in apps if "api_secret" in one]
    assert ask("/api_key/made", token, "DELETE") == (204, None)
    assert ask("/nodes", key)[0] == 401


def test_max_packet_size_is_in_force(world: World) -> None:
    assert load(world, "mqtt.max_packet_size = 1KB")[0] == "0"
    client = Client("127.0.0.1", 11882)
    client.publish("a", bytes(900))
    assert client.is_open()
    client.publish("a", bytes(1100))
    assert not client.is_open()
    assert load(world, "mqtt.max_packet_size = 1MB")[0] == "0"


def test_clients_are_counted(world: World) -> None:
    client = Client("127.0.0.1", 11882)
    stats = ctl(world, "broker", "stats", node="n2")[1]
    assert re.search(r"^live_connections\.count +: 1$", stats, re.M), stats
    _code, nodes = ask("/nodes", bearer())
    assert isinstance(nodes, list)
    assert {node["node"]: node["live_connections"] for node in nodes} == {NODE: 0, OTHER: 1}
    client.close()


def test_alarms(world: World) -> None:
    token = bearer()
    world.emqx("n2", "eval", 'emqx_alarm:activate(high_cpu, #{}, "99% used")')
    _code, alarms = ask("/alarms", token)
    assert isinstance(alarms, dict)
    (alarm,) = alarms["data"]
    assert (alarm["name"], alarm["node"], alarm["message"]) == ("high_cpu", OTHER, "99% used")
    world.emqx("n2", "eval", "emqx_alarm:deactivate(high_cpu)")
    _code, alarms = ask("/alarms", token)
    assert isinstance(alarms, dict)
    assert alarms["data"] == []
