# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
"""Stand-in nodes on the loopback, with the names and ports of the recordings."""

from __future__ import annotations

import base64
import ctypes
import json
import os
import re
import shutil
import subprocess
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
CLONE_NEWNET = 0x40000000
# node directory -> (node name, dashboard bind, MQTT bind)
NODES = {
    "n1": ("emqx1@127.0.0.1", "127.0.0.1:18081", "127.0.0.1:11881"),
    "n2": ("emqx2@127.0.0.1", "127.0.0.1:18082", "127.0.0.1:11882"),
    "s4": ("emqx4@127.0.0.1", "127.0.0.1:18084", "127.0.0.1:11884"),
    "s5": ("emqx5@127.0.0.1", "127.0.0.1:18085", "127.0.0.1:11885"),
    "s6": ("emqx6@127.0.0.1", "127.0.0.1:18086", "127.0.0.1:11886"),
    "s40": ("emqx7@127.0.0.1", "127.0.0.1:18088", "127.0.0.1:11888"),
    "a1": ("emqx@127.0.0.11", "127.0.0.11:18083", "127.0.0.11:1883"),
    "a2": ("emqx@127.0.0.12", "127.0.0.12:18083", "127.0.0.12:1883"),
}
# A machine that takes no time for what a real one takes seconds for.
AT_ONCE = {
    "EMQX_STANDIN_BOOT_SECONDS": "0",
    "EMQX_STANDIN_CLI_SECONDS": "0",
    "EMQX_STANDIN_COPY_SECONDS": "0",
}
API_KEY, API_SECRET = "replay", "Replay0secret"


@dataclass(frozen=True)
class Answer:
    """What a command or an HTTP request gave back; `code` is text, as in the transcripts."""

    code: str
    stdout: str
    stderr: str = ""
    content_type: str = ""


@contextmanager
def private_network() -> Iterator[None]:
    """A network namespace of our own, so that other nodes on this machine do not disturb.

    Needs root; other users share the host's loopback.
    """
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/ns/net") as before:
        if libc.unshare(CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWNET)")
        try:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            yield
        finally:
            libc.setns(before.fileno(), CLONE_NEWNET)


def build(out: Path, version: str = "5.8.9") -> Path:
    """Build the packages; return the archive."""
    subprocess.run([HERE.parent / "build.sh", out, version], check=True)
    (archive,) = out.glob(f"*-{version}-*.tar.gz")
    return archive


@dataclass
class World:
    """Nodes unpacked below `root`/opt, where the recordings had them in /opt."""

    root: Path
    archive: Path
    token: str = ""
    env: dict[str, str] = field(default_factory=dict)

    def opt(self, name: str) -> Path:
        """The root directory of a node; unpacked and configured at its first use."""
        node = self.root / "opt" / name
        if not node.exists():
            node.mkdir(parents=True)
            with tarfile.open(self.archive) as tar:
                tar.extractall(node)
            self.configure(name)
        return node

    def configure(self, name: str, *lines: str, node_name: str = "", cookie: str = "") -> None:
        """Write a good emqx.conf, then `lines`."""
        default, dashboard, mqtt = NODES[name]
        seeds = [NODES[n][0] for n in NODES if n[0] == name[0] and n != "s40"]
        conf = [
            f'node {{\n  name = "{node_name or default}"\n  cookie = "{cookie or "Replay0cookie"}"',
            "  data_dir = data\n}",
            f'dashboard.listeners.http.bind = "{dashboard}"',
            f'listeners.tcp.default.bind = "{mqtt}"',
            # Their ports are the same for all nodes of this machine.
            *(f"listeners.{other}.default.enable = false" for other in ("ssl", "ws", "wss")),
        ]
        if name == "n1":
            (self.opt(name) / "api_keys").write_text(f"{API_KEY}:{API_SECRET}\n")
            conf.append(f'api_key.bootstrap_file = "{self.root}/opt/n1/api_keys"')
        if name[0] in "sa" and name != "s40":
            conf.append("cluster.discovery_strategy = static")
            conf.append(f"cluster.static.seeds = {json.dumps(seeds)}")
        if name[0] == "a":
            address = default.split("@")[1]
            conf.append(f'rpc.listen_address = "{address}"')
            with open(self.opt(name) / "etc/vm.args", "a") as vm_args:
                erlang_ip = address.replace(".", ",")
                vm_args.write(f"-kernel inet_dist_use_interface {{{erlang_ip}}}\n")
        (self.opt(name) / "etc/emqx.conf").write_text("\n".join([*conf, *lines, ""]))

    def run(self, argv: list[str], **env: str) -> Answer:
        """Run a recorded command on this world's nodes (TERM=dumb, no input)."""
        for name in re.findall(r"/opt/(\w+)/", " ".join(argv)):
            self.opt(name)
        base = {k: v for k, v in os.environ.items() if not k.startswith("EMQX_")}
        done = subprocess.run(
            [arg.replace("/opt/", f"{self.root}/opt/") for arg in argv],
            env={**base, "TERM": "dumb", "HOME": str(self.root), **self.env, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        out, err = (s.replace(f"{self.root}/opt", "/opt") for s in (done.stdout, done.stderr))
        return Answer(str(done.returncode), out, err)

    def emqx(self, name: str, *args: str, **env: str) -> Answer:
        return self.run([f"/opt/{name}/bin/emqx", *args], **env)

    def last_words(self, command: str) -> str:
        """The ends of the logs of the nodes that a command is about."""
        names = sorted(set(re.findall(r"/opt/(\w+)/", command)))
        logs = [log for name in names for log in sorted(self.opt(name).glob("log/*.log*"))]
        return "\n".join(f"{log}:\n{log.read_text(errors='replace')[-1500:]}" for log in logs)

    def vms(self, name: str) -> list[int]:
        """Pids of the Erlang VMs of one node directory."""
        listing = subprocess.run(
            ["ps", "-wweo", "pid,args"], capture_output=True, text=True, check=False
        )
        pattern = re.compile(rf"^ *(\d+) .*-root {re.escape(str(self.root))}/opt/{name} ", re.M)
        return [int(pid) for pid in pattern.findall(listing.stdout)]

    def wait_vms(self, name: str, count: int) -> None:
        wait_until(lambda: len(self.vms(name)) == count, f"{count} VMs of {name}")

    def kill(self, name: str) -> None:
        """End whatever VM of this node directory still runs."""
        for pid in self.vms(name):
            # One that was ending by itself may be gone by now.
            with suppress(ProcessLookupError):
                os.kill(pid, 9)
        self.wait_vms(name, 0)

    def wipe(self, name: str) -> None:
        shutil.rmtree(self.opt(name) / "data/mnesia")

    def http(self, method: str, port: int, path: str, body: str, auth: str) -> Answer:
        """One request; `auth` is "", "wrong", "key" or "bearer"."""
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
        if body:
            request.data = body.encode()
        secrets = {"key": API_SECRET, "wrong": "wrong"}
        if auth in secrets:
            pair = base64.b64encode(f"{API_KEY}:{secrets[auth]}".encode()).decode()
            request.add_header("Authorization", f"Basic {pair}")
        elif auth == "bearer":
            request.add_header("Authorization", f"Bearer {self.token}")
        try:
            with urllib.request.urlopen(request, timeout=20) as reply:
                return http_answer(reply.status, reply.read(), reply.headers.get("content-type"))
        except urllib.error.HTTPError as error:
            return http_answer(error.code, error.read(), error.headers.get("content-type"))
        except urllib.error.URLError as error:
            return Answer(f"URLError({error.reason!r})", "", content_type="None")


def http_answer(code: int, body: bytes, content_type: str | None) -> Answer:
    return Answer(str(code), body.decode(), content_type=str(content_type))


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 40) -> None:
    """Poll until `condition` holds; AssertionError that names `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)
