# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
"""build.py OUTDIR: the stand-in's tar.gz there as a container image, an archive for `podman load`.

No registry and no container engine is needed: the image holds this machine's Erlang, the commands
that bin/emqx uses and the libraries of both, 45 MB in all. User, paths, volumes, ports, entry point
and environment are those of the vendor's image (deploy/docker/Dockerfile, v5.8). Nothing is done
when the archive there was made of the same.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

NAME = "localhost/emqx-stand-in"
VERSION = "5.8.9"
EPOCH = 1767225600
UID = 1000
HOME = "opt/emqx"
ERLANG = Path("/usr/lib/erlang")
LOCALE = Path("/usr/lib/locale/C.utf8")
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
#: Of Debian's coreutils, procps and so on: what bin/emqx, its Erlang scripts and the tests call.
COMMANDS = """
    awk basename bash cat chmod cp cut date dirname env expr false find grep head hostname id ls
    mkdir mktemp mv nproc ps pwd readlink realpath rm sed seq sh sleep sort stat tail tee test
    timeout touch tput tr true uname wc
"""
FOLDERS = (
    "usr/bin",
    "usr/lib",
    "usr/lib64",
    "usr/sbin",
    "usr/local/bin",
    "etc",
    "proc",
    "dev",
    "sys",
    "run",
    "var",
)
LINKS = {"bin": "usr/bin", "lib": "usr/lib", "lib64": "usr/lib64", "sbin": "usr/sbin"}
TEXTS = {
    "etc/passwd": f"root:x:0:0:root:/root:/bin/bash\nemqx:x:{UID}:{UID}::/home/emqx:/bin/sh\n",
    "etc/group": f"root:x:0:\nemqx:x:{UID}:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}
CONFIG = {
    "User": "emqx",
    "WorkingDir": f"/{HOME}",
    "Env": [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL=C.UTF-8",
        "LANG=C.UTF-8",
    ],
    "Volumes": {f"/{HOME}/log": {}, f"/{HOME}/data": {}},
    "ExposedPorts": {f"{port}/tcp": {} for port in (1883, 4370, 5369, 8083, 8084, 8883, 18083)},
    "Entrypoint": ["/usr/bin/docker-entrypoint.sh"],
    "Cmd": [f"/{HOME}/bin/emqx", "foreground"],
    "Labels": {"description": "EMQX (stand-in)"},
}


class Layer:
    """A tar archive that is the same whenever its content is."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[tarfile.TarInfo, bytes]] = {}

    def add(
        self, name: str, content: bytes | None = None, mode: int = 0o755, owner: int = 0
    ) -> None:
        """Add a file with its content, or a directory; what is there already stays."""
        entry = tarfile.TarInfo(name)
        entry.type = tarfile.DIRTYPE if content is None else tarfile.REGTYPE
        entry.mode, entry.size = mode, len(content or b"")
        entry.uid = entry.gid = owner
        self._put(entry, content or b"")

    def link(self, name: str, target: str) -> None:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = tarfile.SYMTYPE, target
        self._put(entry, b"")

    def _put(self, entry: tarfile.TarInfo, content: bytes) -> None:
        entry.mtime = EPOCH
        self._entries.setdefault(entry.name, (entry, content))

    def copy(self, source: Path, name: str) -> None:
        """Add a file of this machine, with what a link of its name points to."""
        mode = 0o755 if os.access(source, os.X_OK) else 0o644
        self.add(name, source.read_bytes(), mode=mode)

    def finish(self) -> bytes:
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as tar:
            for entry, content in self._entries.values():
                tar.addfile(entry, io.BytesIO(content))
        return stream.getvalue()


def libraries(files: list[Path]) -> set[Path]:
    """Return the shared libraries of programs, the loader too."""
    shown = subprocess.run(["ldd", *map(str, files)], capture_output=True, text=True, check=False)
    return {Path(path) for path in re.findall(r"\s(/\S+) \(0x", shown.stdout)}


def is_program(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(4) == b"\x7fELF"


def system(layer: Layer) -> None:
    """Add the commands, Erlang, and the libraries of both."""
    programs = []
    for command in COMMANDS.split():
        found = shutil.which(command, path="/usr/bin:/usr/sbin")
        if found is None:
            raise SystemExit(f"build.py: this machine has no command {command}")
        path = Path(found)
        layer.copy(path, f"usr/bin/{command}")
        programs.append(path)
    for path in sorted([*ERLANG.rglob("*"), *LOCALE.rglob("*")]):
        inside = path.relative_to("/").as_posix()
        if path.is_dir():
            continue
        if path.is_symlink():
            layer.link(inside, os.readlink(path))
        elif not path.name.endswith((".hrl", ".erl", ".script")):
            layer.copy(path, inside)
            programs += [path] if is_program(path) else []
    for library in sorted(libraries(programs)):
        layer.copy(library, (library.parent.resolve() / library.name).relative_to("/").as_posix())


def release(layer: Layer, archive: Path) -> None:
    """Add the unpacked release as the vendor's image has it: all of it the runner user's."""
    layer.add("home/emqx", owner=UID)
    layer.add(HOME, owner=UID)
    with tarfile.open(archive) as tar:
        for member in sorted(tar.getmembers(), key=lambda entry: entry.name):
            name = f"{HOME}/{member.name.removeprefix('./')}"
            stream = tar.extractfile(member) if member.isfile() else None
            if member.issym():
                layer.link(name, member.linkname)
            else:
                layer.add(name, stream.read() if stream else None, member.mode | 0o020, UID)
    for command in ("emqx", "emqx_ctl"):
        layer.link(f"usr/local/bin/{command}", f"/{HOME}/bin/{command}")


def build(archive: Path) -> bytes:
    layer = Layer()
    for name, target in LINKS.items():
        layer.link(name, target)
    for name in FOLDERS:
        layer.add(name)
    for name in ("tmp", "var/tmp"):
        layer.add(name, mode=0o1777)
    for name, text in TEXTS.items():
        layer.add(name, text.encode(), mode=0o644)
    entrypoint = Path(__file__).with_name("entrypoint.sh")
    layer.add("usr/bin/docker-entrypoint.sh", entrypoint.read_bytes())
    system(layer)
    release(layer, archive)
    return layer.finish()


def bundle(layer: bytes) -> bytes:
    """Return the archive of an image with one layer, in the form of `docker save`."""
    digest = hashlib.sha256(layer).hexdigest()
    config = json.dumps(
        {
            "architecture": ARCHITECTURE,
            "os": "linux",
            "created": "2026-01-01T00:00:00Z",
            "config": CONFIG,
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        },
        sort_keys=True,
    ).encode()
    image = hashlib.sha256(config).hexdigest()
    manifest = [
        {"Config": f"{image}.json", "RepoTags": [f"{NAME}:{VERSION}"], "Layers": [f"{digest}.tar"]}
    ]
    outer = Layer()
    outer.add(f"{digest}.tar", layer, mode=0o644)
    outer.add(f"{image}.json", config, mode=0o644)
    outer.add("manifest.json", json.dumps(manifest).encode(), mode=0o644)
    return outer.finish()


def put(path: Path, content: bytes) -> None:
    passing = path.with_name(f".{path.name}.new")
    passing.write_bytes(content)
    passing.replace(path)


def main(folder: Path) -> None:
    source = folder / f"emqx-{VERSION}-debian12-{ARCHITECTURE}.tar.gz"
    target = folder / f"emqx-image-{VERSION}-{ARCHITECTURE}.tar"
    stamp = folder / f".{target.name}.stamp"
    erts = next(iter(sorted(ERLANG.glob("erts-*")))).name
    parts = [source, Path(__file__), Path(__file__).with_name("entrypoint.sh")]
    key = erts + "".join(hashlib.sha256(part.read_bytes()).hexdigest() for part in parts)
    if target.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == key:
        return
    content = bundle(build(source))
    put(target, content)
    put(target.with_name(f"{target.name}.sha256"), hashlib.sha256(content).hexdigest().encode())
    put(stamp, key.encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
