# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
"""What the packages contain, and that building them is repeatable."""

from __future__ import annotations

import hashlib
import re
import subprocess
from pathlib import Path

import pytest

from tests.standin.tests.world import build

FLAVOURS = {"5.8.8": "emqx", "5.8.9": "emqx", "5.10.4": "emqx-enterprise"}
# Empty directories below the data directory, as the vendor ships them.
DATA = {"configs/", "mnesia/", "patches/", "scripts/"}


@pytest.fixture(scope="module", params=FLAVOURS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory, version: str) -> Path:
    return build(tmp_path_factory.mktemp("packages"), version).parent


def deb(packages: Path) -> Path:
    (found,) = packages.glob("*.deb")
    return found


def output(*argv: str | Path) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def test_names_and_hashes(packages: Path, version: str) -> None:
    arch = output("dpkg", "--print-architecture").strip()
    for kind in ("deb", "tar.gz"):
        package = packages / f"{FLAVOURS[version]}-{version}-debian12-{arch}.{kind}"
        sidecar = Path(f"{package}.sha256").read_text()
        assert sidecar == hashlib.sha256(package.read_bytes()).hexdigest()


def test_same_source_same_bytes(packages: Path, version: str, tmp_path: Path) -> None:
    build(tmp_path, version)
    for package in packages.glob("emqx-*"):
        assert (tmp_path / package.name).read_bytes() == package.read_bytes()


def test_nothing_is_built_twice(packages: Path, version: str) -> None:
    before = deb(packages).stat().st_mtime_ns
    build(packages, version)
    assert deb(packages).stat().st_mtime_ns == before


def test_deb_fields(packages: Path, version: str) -> None:
    fields = output("dpkg-deb", "--show", "--showformat", "${Package} ${Version}", deb(packages))
    assert fields == f"{FLAVOURS[version]} {version}"


def test_deb_contents(packages: Path) -> None:
    listing = output("dpkg-deb", "--contents", deb(packages))
    modes = {path: mode for mode, path in re.findall(r"^(\S+) .* \./(\S+)$", listing, re.M)}
    for name in ("emqx.conf", "base.hocon", "vm.args", "ssl_dist.conf", "acl.conf"):
        assert modes[f"etc/emqx/{name}"] == "-rw-r--r--"
    for name in ("emqx", "emqx_ctl", "nodetool"):
        assert modes[f"usr/lib/emqx/bin/{name}"] == "-rwxr-xr-x"
    for name in ("cacert", "cert", "key"):
        assert f"etc/emqx/certs/{name}.pem" in modes
    assert {"etc/emqx/certs/", "var/lib/emqx/", "var/log/emqx/"} <= set(modes)
    assert "lib/systemd/system/emqx.service" in modes
    assert not [path for path in modes if "/erts-" in path]
    below = {path[len("var/lib/emqx/") :] for path in modes if path.startswith("var/lib/emqx/")}
    assert below - {""} == DATA


def test_conffiles(packages: Path) -> None:
    conffiles = output("dpkg-deb", "--info", deb(packages), "conffiles").split()
    assert "/etc/emqx/emqx.conf" in conffiles
    assert all(path.startswith("/etc/emqx/") for path in conffiles)


def test_archive_has_no_leading_folder(packages: Path) -> None:
    (archive,) = packages.glob("*.tar.gz")
    members = output("tar", "-tzf", archive).split()
    tops = {member.split("/")[0] for member in members}
    (erts,) = {top for top in tops if top.startswith("erts-")}
    assert tops - {erts} == {"bin", "data", "etc", "lib", "log", "releases"}
    below = {member[len("data/") :] for member in members if member.startswith("data/")}
    assert below - {""} == DATA
    variables = output("tar", "-xzOf", archive, "releases/emqx_vars")
    assert 'EMQX_ETC_DIR="$RUNNER_ROOT_DIR/etc"' in variables
