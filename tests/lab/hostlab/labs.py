# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
"""Labs: networks and hosts, from nothing to reachable by SSH and back to nothing."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, TypeVar

from . import firewall, image, inventory, subnets
from .engine import replace, run
from .errors import LabError
from .inventory import Host
from .subnets import Subnets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .engine import Engine

LABEL = "emqx-lab"
NAME = re.compile(r"[a-z][a-z0-9-]{0,29}")
BOOT_TIMEOUT = 60.0
POLL = 0.1
T = TypeVar("T")


class Lab:
    """One lab by its name; what exists of it is read from Podman, never from a file of ours."""

    def __init__(self, engine: Engine, name: str) -> None:
        if not NAME.fullmatch(name):
            raise LabError(
                f"lab name {name!r}: expected a small letter, then at most 29 small letters, "
                "digits and dashes"
            )
        self.engine = engine
        self.name = name
        self.state = engine.cache / name
        self.control = engine.run_dir / "ssh" / name
        self.network = f"lab-{name}"
        self.bridge = f"lab{zlib.crc32(str(self.state).encode()):08x}"

    # -- what exists --------------------------------------------------------------------------

    def subnets(self) -> Subnets | None:
        """The lab's networks, or None when it has none yet."""
        for found in self.engine.query("network", "ls", "--filter", f"name=^{self.network}$"):
            nets = [entry["subnet"] for entry in found["subnets"]]
            v6 = next((IPv6Network(net) for net in nets if ":" in net), None)
            return Subnets(next(IPv4Network(net) for net in nets if "." in net), v6)
        return None

    def containers(self) -> dict[str, str]:
        """State ("running", "exited", ...) of each host of the lab, by name, in order."""
        found = self.engine.query("ps", "--all", "--filter", f"label={LABEL}={self.name}")
        states = {entry["Names"][0].rpartition("-")[2]: entry["State"] for entry in found}
        return dict(sorted(states.items(), key=lambda item: _number(item[0])))

    def container(self, host: str) -> str:
        """Podman's name of a host."""
        return f"{self.name}-{host}"

    def host(self, name: str, nets: Subnets) -> Host:
        """The host called n<number>."""
        number = _number(name)
        fqdn = f"{name}.{self.name}.lab"
        return Host(name, fqdn, nets.address4(number), nets.address6(number))

    # -- up -----------------------------------------------------------------------------------

    def up(self, count: int, ipv6: bool) -> list[Host]:
        """Bring up hosts n1..n<count> and wait until each has booted and answers by SSH."""
        if not 1 <= count <= subnets.MAX_HOSTS:
            raise LabError(f"--hosts {count}: expected 1 to {subnets.MAX_HOSTS}")
        engine = self.engine
        with engine.locked():
            base = image.ensure(engine)
            _sweep(engine)
            nets = self._network(ipv6)
            self._keys()
            present = self.containers()
            for number in range(1, count + 1):
                if f"n{number}" not in present:
                    self._create(self.host(f"n{number}", nets), base)
                    present[f"n{number}"] = "created"
            asleep = [self.container(name) for name, state in present.items() if state != "running"]
            if asleep:
                self._start(asleep)
        hosts = [self.host(name, nets) for name in sorted(present, key=_number)]
        self._finish(hosts, nets)
        return hosts

    def _start(self, containers: list[str]) -> None:
        try:
            self.engine.podman("start", *containers)
        except LabError as error:
            raise LabError(
                f"{error}\nIf an earlier command was killed, begin anew after: "
                f"lab.py down --name {self.name}"
            ) from error

    def _network(self, ipv6: bool) -> Subnets:
        present = self.subnets()
        if present is None:
            used = subnets.in_use(_ip("addr"), _ip("route") + _ip("-6", "route"))
            for other in self.engine.query("network", "ls", "--filter", f"label={LABEL}"):
                used += [ip_network(entry["subnet"]) for entry in other["subnets"]]
            present = subnets.choose(self.name, ipv6, used)
            v6 = ["--ipv6", "--subnet", str(present.v6)] if present.v6 else []
            v4 = ["--subnet", str(present.v4), "--gateway", present.gateway]
            label = f"{LABEL}={self.name}"
            self.engine.podman("network", "create", "--label", label, *v4, *v6, self.network)
            self._name_bridge()
        elif ipv6 and not present.v6:
            raise LabError(
                f"lab {self.name} is up without IPv6; first run: lab.py down --name {self.name}"
            )
        return present

    def _name_bridge(self) -> None:
        """Name the bridge after the lab: podman1 could be the name in another Podman's plans."""
        file = self.engine.networks / f"{self.network}.json"
        network = json.loads(file.read_text())
        network["network_interface"] = self.bridge
        replace(file, json.dumps(network))

    def _keys(self) -> None:
        self.state.mkdir(exist_ok=True)
        self.control.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = self.state / "id_ed25519"
        if not (key.exists() and key.with_suffix(".pub").exists()):
            key.unlink(missing_ok=True)
            comment = f"lab {self.name}"
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(key)])
        for path in (self.state, self.control, key, key.with_suffix(".pub")):
            _to_caller(path)

    def _create(self, host: Host, base: str) -> None:
        options = [f"ip={host.address}", f"alias={host.name}", f"alias={host.fqdn}"]
        # With a new MAC after each restart, peers would talk to the old one for half a minute.
        options.append(f"mac={subnets.mac(host.address)}")
        options += [f"ip6={host.address6}"] if host.address6 else []
        measures = self.engine.measures
        parent = ["--cgroup-parent", self.engine.cgroup] if measures.private_cgroups else []
        self.engine.podman(
            "create", "--name", self.container(host.name), "--hostname", host.name,
            "--label", f"{LABEL}={self.name}", "--network", f"{self.network}:{','.join(options)}",
            # hosts and resolv.conf are the host's own files, to be changed as on any machine.
            "--no-hosts", "--dns", "none",
            "--privileged", "--systemd", "always", *parent,
            # Containers of the host lie on no overlay: one cannot lie on another.
            "--volume", "/var/lib/containers",
            base, "/sbin/init",
        )  # fmt: skip

    # -- from started to usable ---------------------------------------------------------------

    def _finish(self, hosts: Sequence[Host], nets: Subnets) -> None:
        deadline = time.monotonic() + BOOT_TIMEOUT
        public = (self.state / "id_ed25519.pub").read_text()
        keys = _parallel(lambda host: self._provision(host, nets.gateway, public, deadline), hosts)
        for name, text in (
            ("known_hosts", inventory.known_hosts(list(zip(hosts, keys)))),
            ("hosts.yml", inventory.render(self.name, hosts, self.state, self.control)),
        ):
            replace(self.state / name, text)
            _to_caller(self.state / name)
        _parallel(lambda host: self._await_ssh(host, deadline), hosts)

    def _provision(self, host: Host, gateway: str, public: str, deadline: float) -> str:
        """Wait for the boot, give the host what is its own, once, and return its SSH host key."""
        self._await_boot(host.name, deadline)
        addresses = [host.address, *([host.address6] if host.address6 else [])]
        files = {
            "/etc/hosts": "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"
            + "".join(f"{address} {host.fqdn} {host.name}\n" for address in addresses),
            "/etc/resolv.conf": f"search {self.name}.lab\nnameserver {gateway}\n",
            "/etc/containers/containers.conf": self.engine.host_configuration(),
        }
        writes = [f"printf %s {shlex.quote(content)} > {path}" for path, content in files.items()]
        script = "\n".join(
            [
                "set -eu",
                "if [ ! -e /etc/lab-host ]; then",
                *writes,
                "touch /etc/lab-host",
                "fi",
                "install -d -m 0700 -o ops -g ops ~ops/.ssh",
                f"printf %s {shlex.quote(public)} > ~ops/.ssh/authorized_keys",
                "chown ops:ops ~ops/.ssh/authorized_keys",
                "cat /etc/ssh/ssh_host_ed25519_key.pub",
            ]
        )
        return self.engine.podman("exec", "-i", self.container(host.name), "sh", stdin=script)

    def _await_boot(self, host: str, deadline: float) -> None:
        argv = ["exec", self.container(host), "systemctl", "is-system-running", "--wait"]
        while True:
            done = subprocess.run(
                self.engine.argv(*argv),
                env=self.engine.environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=BOOT_TIMEOUT,
            )
            state = done.stdout.strip()
            if state in ("running", "degraded"):
                return
            # Podman's own codes are above 1: the host is not running, or not yet.
            ended = done.returncode > 1 and self.containers().get(host) != "running"
            if ended or time.monotonic() > deadline:
                console = self.engine.podman("logs", "--tail", "20", self.container(host))
                what = "ended" if ended else f"had not booted after {BOOT_TIMEOUT:.0f} s"
                raise LabError(
                    f"{host} of lab {self.name} {what}; systemd's state: {state or 'none'!r}. "
                    f"{done.stderr.strip()}\nEnd of its console:\n{console}"
                )
            time.sleep(POLL)

    def _await_ssh(self, host: Host, deadline: float) -> None:
        argv = [
            "ssh", "-F", "none", "-i", str(self.state / "id_ed25519"),
            *inventory.ssh_options(self.state),
            "-oBatchMode=yes", "-oConnectTimeout=5", "-oControlPath=none",
            f"{inventory.USER}@{host.address}", "sudo", "-n", "true",
        ]  # fmt: skip
        while True:
            done = subprocess.run(
                argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
            )
            if done.returncode == 0:
                return
            if time.monotonic() > deadline:
                raise LabError(
                    f"{host.name} of lab {self.name} ({host.address}) does not let "
                    f"{inventory.USER} in by SSH: {done.stderr.strip()}"
                )
            time.sleep(POLL)

    # -- later --------------------------------------------------------------------------------

    def require(self, host: str) -> Subnets:
        """The lab's networks; raises LabError unless the host exists."""
        nets = self.subnets()
        present = self.containers()
        if nets is None or host not in present:
            known = ", ".join(present) or "none: run lab.py up"
            raise LabError(f"lab {self.name} has no host {host!r} (its hosts: {known})")
        return nets

    def restart(self, host: str) -> None:
        """Shut a host down and boot it again; its files and address stay."""
        with self.engine.locked():
            self.engine.prepare()
            nets = self.require(host)
            self._close_ssh()
            self.engine.podman("restart", "--time", "30", self.container(host))
        deadline = time.monotonic() + BOOT_TIMEOUT
        self._await_boot(host, deadline)
        self._await_ssh(self.host(host, nets), deadline)

    def remove(self) -> None:
        """Remove hosts and network, whole or half made. The lock is held, Podman is prepared."""
        query = ("ps", "--all", "--filter", f"label={LABEL}={self.name}")
        found = [entry["Id"] for entry in self.engine.query(*query)]
        if found:
            try:
                self.engine.podman("rm", "--force", "--volumes", "--time", "0", *found)
            except LabError:
                self.engine.release(found)
                self.engine.podman("rm", "--force", "--volumes", "--ignore", "--time", "0", *found)
        nets = self.subnets()
        if nets is not None:
            self.engine.podman("network", "rm", self.network)
            # What follows is there only if netavark was killed, or keeps it for good.
            if Path("/sys/class/net", self.bridge).exists():
                run(["ip", "link", "delete", self.bridge])
            for tool, net in (("iptables", nets.v4), ("ip6tables", nets.v6)):
                rules = firewall.removal(run([f"{tool}-save"]), [str(net)])
                if rules:
                    run([f"{tool}-restore", "--noflush"], stdin=rules)

    def forget(self) -> None:
        """Remove the lab's keys, inventory and sockets."""
        self._close_ssh()
        for folder in (self.state, self.control):
            if folder.exists():
                shutil.rmtree(folder)

    def _close_ssh(self) -> None:
        """End the SSH masters Ansible left behind; they would outlive the hosts by a minute."""
        for socket in self.control.glob("*"):
            argv = ["ssh", "-F", "none", "-S", str(socket), "-O", "exit", "lab"]
            # A socket whose master has gone by itself is no error.
            subprocess.run(argv, capture_output=True, check=False)


def existing(engine: Engine) -> list[str]:
    """Names of all labs of which anything exists in Podman. Podman is prepared."""
    labels = [
        *(entry["Labels"] for entry in engine.query("ps", "--all") if entry["Labels"]),
        *(entry.get("labels") or {} for entry in engine.query("network", "ls")),
    ]
    return sorted({found[LABEL] for found in labels if LABEL in found})


def down(engine: Engine, name: str | None) -> None:
    """Remove one lab, or all for None; with the last one everything but the image. Idempotent."""
    with engine.locked():
        folders = {path.name for path in engine.cache.iterdir() if NAME.fullmatch(path.name)}
        names = folders if name is None else {name}
        left: list[str] = []
        if engine.storage.exists():
            engine.prepare()
            _sweep(engine)
            names |= set(existing(engine)) if name is None else set()
            for found in sorted(names):
                Lab(engine, found).remove()
            left = existing(engine)
        for found in sorted(names):
            Lab(engine, found).forget()
        if not left:
            engine.teardown()


def _sweep(engine: Engine) -> None:
    """Remove what a killed podman left in the storage without knowing it as a container."""
    for entry in engine.query("ps", "--all", "--external"):
        if entry["State"] in ("storage", "Storage"):
            engine.podman("rm", "--force", entry["Id"])


def _to_caller(path: Path) -> None:
    """Under sudo, give a file to the user who will run ansible."""
    if "SUDO_UID" in os.environ:
        os.chown(path, int(os.environ["SUDO_UID"]), int(os.environ["SUDO_GID"]))


def _ip(*args: str) -> list[dict[str, Any]]:
    found = json.loads(run(["ip", "-j", *args]) or "[]")
    return list(found)


def _number(host: str) -> int:
    return int(host[1:]) if host[1:].isdigit() else 0


def _parallel(work: Callable[[Host], T], hosts: Sequence[Host]) -> list[T]:
    with ThreadPoolExecutor(max_workers=8) as pool:
        return list(pool.map(work, hosts))
