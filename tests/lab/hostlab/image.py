# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
"""The host image: built once per recipe, kept in the lab's own storage."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from . import recipe
from .engine import LOCK_MARK, run
from .errors import LabError

if TYPE_CHECKING:
    from .engine import Engine

LAB_FOLDER = Path(__file__).resolve().parent.parent
PACKAGES = LAB_FOLDER / "packages.toml"
RECIPE = LAB_FOLDER / "image"
REPOSITORY = "localhost/emqx-lab-host"
MIRROR = "http://deb.debian.org/debian"
LOG_TAIL = 25


def ensure(engine: Engine) -> str:
    """Return the image of the present recipe, building it first if need be. The lock is held."""
    names = recipe.packages(PACKAGES, "hosts")
    architecture = run(["dpkg", "--print-architecture"]).strip()
    image = f"{REPOSITORY}:{recipe.key(RECIPE, names, architecture)}"
    engine.prepare()
    present = {name for found in engine.query("images") for name in found.get("Names") or []}
    if image not in present:
        _build(engine, image, names)
        _drop_unused(engine, present)
    return image


def _build(engine: Engine, image: str, names: list[str]) -> None:
    """Make the file system, import it under a passing name, and name it only when it is whole."""
    started = time.monotonic()
    print(f"lab: building the host image {image} (a minute or two)", file=sys.stderr)
    root, log = engine.build, engine.home / "build.log"
    for folder in (root, engine.scratch):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    mirror = os.environ.get("LAB_MIRROR", MIRROR)
    argv = [str(RECIPE / "build.sh"), str(root), mirror, *names]
    with log.open("w") as output:
        done = subprocess.run(
            [*_CONFINED, *argv],
            env={key: value for key, value in engine.environment.items() if key in _PASSED},
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        tail = "\n".join(log.read_text().splitlines()[-LOG_TAIL:])
        raise LabError(f"the host image could not be built; end of {log}:\n{tail}")
    passing = f"{REPOSITORY}:unfinished"
    _import(engine, root, passing)
    engine.podman("tag", passing, image)
    engine.podman("untag", passing, passing)
    shutil.rmtree(root)
    print(f"lab: image built in {time.monotonic() - started:.0f} s", file=sys.stderr)


#: The image must not depend on more of the caller's environment than is needed to reach the mirror.
_PASSED = ("PATH", "http_proxy", "https_proxy", "no_proxy", "LAB_SECURITY_MIRROR", LOCK_MARK)

#: Mounts and processes of the build end with it, and the build ends with us, however we end.
_CONFINED = (
    "setpriv", "--pdeathsig", "KILL", "--",
    "unshare", "--mount", "--propagation", "private",
    "--pid", "--fork", "--kill-child", "--mount-proc", "--",
)  # fmt: skip


def _import(engine: Engine, root: Path, image: str) -> None:
    argv = engine.argv("import", "--change", "STOPSIGNAL=SIGRTMIN+3", "-", image)
    tar = subprocess.Popen(
        ["tar", "-C", str(root), "-c", "."], env=engine.environment, stdout=subprocess.PIPE
    )
    done = subprocess.run(
        argv, env=engine.environment, stdin=tar.stdout, capture_output=True, text=True, check=False
    )
    # A tar that was killed may look like the end of the archive to podman: its code counts too.
    if tar.wait() or done.returncode:
        raise LabError(f"the host image could not be imported:\n{done.stderr.strip()}")


def _drop_unused(engine: Engine, images: set[str]) -> None:
    """Remove images of earlier recipes that no host of a running lab needs."""
    used = {container["Image"] for container in engine.query("ps", "--all")}
    for image in sorted(images - used):
        engine.podman("rmi", image)
