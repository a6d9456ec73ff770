# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
"""Podman with a storage and configuration, and where the machine demands it mounts, of our own."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import detect
from .errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Run inside the new mount namespace. The tmpfs on /run keeps all of podman's run-time state
#: (network namespaces, container state, locks) inside it, to end with it. lab-ready comes last.
NAMESPACE_SETUP = """
umount -R /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs /run
: > /run/lab-ready
"""
#: End the control group $1. What was killed leaves it a moment after the kill.
END_CGROUP = """
test -d "$1" || exit 0
echo 1 > "$1/cgroup.kill"
for try in $(seq 50); do
    if grep -q 'populated 0' "$1/cgroup.events"; then break; fi
    sleep 0.1
done
find "$1" -depth -type d -delete
"""
#: A host with systemd takes 7 inotify instances; with the kernel's default of 128 for all of root's
#: processes, the 18th host would not boot. The value before is kept for all checkouts together.
INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
INOTIFY_INSTANCES = 8192
INOTIFY_BEFORE = Path("/run/emqx-lab.inotify")
ORPHAN_GRACE = 30.0
#: In the environment of every process that may change state, so that a later command can await it.
LOCK_MARK = "EMQX_LAB_LOCKED"
#: These inherit the mark but live as long as their hosts.
DAEMONS = ("conmon", "aardvark-dns")


class Engine:
    """Podman calls of the lab of one checkout; nothing here reaches another storage."""

    def __init__(self, cache: Path) -> None:
        """cache is <checkout>/.cache/lab; it need not exist."""
        self.cache = cache
        # No lab name starts with a dot, so this never meets a lab's own folder.
        self.home = cache / ".engine"
        self.storage = self.home / "storage"
        self.networks = self.home / "networks"
        self.scratch = self.home / "tmp"
        self.build = self.home / "build"
        self.config = self.home / "containers.conf"
        # Socket paths must stay far below 108 characters, however deep the checkout lies.
        tag = hashlib.sha256(str(cache.resolve()).encode()).hexdigest()[:8]
        self.cgroup = f"lab-{tag}"
        self.run_dir = Path("/run") / f"emqx-lab-{tag}"
        self.namespace = self.run_dir / "ns/mnt"
        self._interrupt = threading.Event()
        self.measures = detect.measures(detect.read_machine())
        self.environment = {
            **os.environ,
            "CONTAINERS_CONF": str(self.config),
            "TMPDIR": str(self.scratch),
        }

    # -- locking ------------------------------------------------------------------------------

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lab's lock; on entry nothing of an earlier, killed command is still at work."""
        self.cache.mkdir(parents=True, exist_ok=True)
        with (self.cache / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print("lab: waiting for another lab command to finish", file=sys.stderr)
                fcntl.flock(lock, fcntl.LOCK_EX)
            self._await_orphans()
            self.environment[LOCK_MARK] = str(self.run_dir)
            # A podman that is cut off half way leaves half a host: Ctrl-C waits for the call's end.
            previous = signal.signal(signal.SIGINT, lambda *_: self._interrupt.set())
            try:
                yield
            finally:
                signal.signal(signal.SIGINT, previous)
                del self.environment[LOCK_MARK]

    def _await_orphans(self) -> None:
        deadline = time.monotonic() + ORPHAN_GRACE
        while orphans := self._marked_processes(DAEMONS):
            if time.monotonic() > deadline:
                _kill(orphans)
                deadline = time.monotonic() + ORPHAN_GRACE
            time.sleep(0.1)

    def _marked_processes(self, besides: Sequence[str] = ()) -> list[int]:
        """Processes started under the lock, and what they started."""
        found = []
        mark = f"{LOCK_MARK}={self.run_dir}".encode()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    marked = mark in (entry / "environ").read_bytes().split(b"\0")
                    excepted = (entry / "comm").read_text().strip() in besides
                except OSError:
                    continue
                if marked and not excepted:
                    found.append(int(entry.name))
        return found

    # -- podman -------------------------------------------------------------------------------

    def argv(self, *args: str) -> list[str]:
        """Command line of a podman call."""
        return [
            *self._entry(), "podman",
            "--root", str(self.storage),
            "--runroot", str(self.run_dir / "root"),
            "--tmpdir", str(self.run_dir / "tmp"),
            "--storage-driver", "overlay",
            *args,
        ]  # fmt: skip

    def _entry(self) -> list[str]:
        private = self.measures.private_cgroups
        return ["nsenter", f"--mount={self.namespace}", "--"] if private else []

    def podman(self, *args: str, stdin: str | None = None) -> str:
        """Run podman and return what it printed; raises LabError with its message."""
        if self._interrupt.is_set():
            raise KeyboardInterrupt
        return run(self.argv(*args), env=self.environment, stdin=stdin)

    def query(self, *args: str) -> list[dict[str, Any]]:
        """Run a podman query that prints a JSON list."""
        found = json.loads(self.podman(*args, "--format", "json") or "null")
        return found or []

    # -- set-up and teardown ------------------------------------------------------------------

    def prepare(self) -> None:
        """Make podman callable: configuration, folders and, where needed, the mount namespace."""
        missing = [tool for tool in ("podman", "crun", "ip") if not shutil.which(tool)]
        if missing:
            raise LabError(f"not installed: {', '.join(missing)}; run: tests/lab/lab.py setup")
        for folder in (self.storage, self.networks, self.scratch, self.run_dir):
            folder.mkdir(parents=True, exist_ok=True)
        replace(self.config, self._configuration())
        _raise_inotify()
        if not self.is_up():
            self._make_namespace()

    def is_up(self) -> bool:
        """Whether podman can be called; false means that no lab can be up."""
        return self.run_dir.exists() and (
            not self.measures.private_cgroups or self._namespace_ready()
        )

    def _configuration(self) -> str:
        containers = ['log_driver = "k8s-file"', *self._limits()]
        engine = ['events_logger = "none"', 'lock_type = "file"']
        if self.measures.private_cgroups:
            engine.append('cgroup_manager = "cgroupfs"')
        return "\n".join(
            [
                "[containers]", *containers,
                "[network]",
                'network_backend = "netavark"',
                f"network_config_dir = {json.dumps(str(self.networks))}",
                "[engine]", *engine,
                "",
            ]
        )  # fmt: skip

    def host_configuration(self) -> str:
        """What Podman on a lab host needs to know of this machine: its containers.conf."""
        return "\n".join(["[containers]", *self._limits(), ""])

    def _limits(self) -> list[str]:
        limits = []
        if self.measures.default_ulimits:
            limits.append(f"default_ulimits = {json.dumps(self.measures.default_ulimits)}")
        if self.measures.no_pids_limit:
            limits.append("pids_limit = 0")
        return limits

    def _namespace_ready(self) -> bool:
        mountinfo = Path("/proc/self/mountinfo").read_text()
        if detect.mount_type(mountinfo, str(self.namespace)) != "nsfs":
            return False
        check = [*self._entry(), "test", "-e", "/run/lab-ready"]
        return subprocess.run(check, check=False, capture_output=True).returncode == 0

    def _make_namespace(self) -> None:
        self._unmount_all()
        folder = self.namespace.parent
        folder.mkdir(parents=True, exist_ok=True)
        self.namespace.touch()
        # A namespace can be kept only on a mount that does not propagate into it.
        run(["mount", "--bind", str(folder), str(folder)])
        run(["mount", "--make-private", str(folder)])
        keep = [f"--mount={self.namespace}", "--propagation", "private"]
        run(["unshare", *keep, "sh", "-euc", NAMESPACE_SETUP], env=self.environment)

    def teardown(self) -> None:
        """Remove every mount, run-time file and control group; the storage with the image stays."""
        if self.measures.private_cgroups and self.is_up():
            self._end_cgroup(self.cgroup)
            # Only here: on an ordinary machine a name server may serve the user's containers too.
            _kill(self._marked_processes())
        self._unmount_all()
        for folder in (self.run_dir, self.scratch, self.build):
            if folder.exists():
                shutil.rmtree(folder)
        if not list(self.run_dir.parent.glob("emqx-lab-*")):
            _restore_inotify()

    def release(self, containers: Sequence[str]) -> None:
        """Free containers (by id) that a killed podman left with processes or mounts."""
        entry = self._entry()
        for container in containers:
            if self.measures.private_cgroups:
                self._end_cgroup(f"{self.cgroup}/libpod-{container}")
            for line in reversed(run([*entry, "cat", "/proc/self/mountinfo"]).splitlines()):
                if container in line:
                    run([*entry, "umount", "--lazy", _unescape(line.split()[4])])

    def _end_cgroup(self, group: str) -> None:
        """Kill what runs in a control group of ours and remove it."""
        run([*self._entry(), "sh", "-euc", END_CGROUP, "sh", f"/sys/fs/cgroup/{group}"])

    def _unmount_all(self) -> None:
        """Unmount what lies under our folders in this namespace, latest mount first."""
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
        for line in reversed(lines):
            target = _unescape(line.split()[4])
            if target.startswith((f"{self.run_dir}/", f"{self.home.resolve()}/")):
                run(["umount", "--lazy", target])


def _raise_inotify() -> None:
    current = INOTIFY.read_text()
    if int(current) < INOTIFY_INSTANCES:
        INOTIFY_BEFORE.write_text(current)
        INOTIFY.write_text(str(INOTIFY_INSTANCES))


def _restore_inotify() -> None:
    """Set the machine's limit back, unless someone else has changed it meanwhile."""
    if INOTIFY_BEFORE.exists():
        if int(INOTIFY.read_text()) == INOTIFY_INSTANCES:
            INOTIFY.write_text(INOTIFY_BEFORE.read_text())
        INOTIFY_BEFORE.unlink()


def _kill(pids: Sequence[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _unescape(path: str) -> str:
    """Undo the octal escapes of mountinfo (blank is \\040)."""
    return path.encode().decode("unicode_escape").encode("latin-1").decode()


def run(argv: Sequence[str], stdin: str | None = None, env: dict[str, str] | None = None) -> str:
    """Run a command and return what it printed; raises LabError with its message."""
    done = subprocess.run(
        argv,
        env=env,
        input="" if stdin is None else stdin,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    if done.returncode:
        raise LabError(
            f"{' '.join(argv)}\nended with code {done.returncode}:\n"
            f"{done.stderr.strip() or done.stdout.strip()}"
        )
    return done.stdout


def replace(path: Path, text: str) -> None:
    """Write a file in one step: readers see the old text or the new one."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text)
    os.replace(fresh, path)
