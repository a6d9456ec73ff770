# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import gzip
import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mqttops.emqx.plugins.module_utils._package import file_names, formats
from ansible_collections.mqttops.emqx.plugins.module_utils._package.facts import (
    PackageFacts,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._package.vendor_version import (
    vendor_version,
)
from ansible_collections.mqttops.emqx.tests.unit.package_files import ar, deb, rpm, tar, targz

HTML = b"<!DOCTYPE html>\n<html><body>Sign in</body></html>\n"


def read(folder: Path, suffix: str, content: bytes) -> PackageFacts:
    path = folder / f"emqx.{suffix}"
    path.write_bytes(content)
    facts = formats.read(str(path))
    assert facts is not None
    return facts


@pytest.mark.parametrize(
    ("suffix", "content", "expected"),
    [
        ("deb", deb(), ("emqx", "5.8.9", "amd64")),
        ("deb", deb(packed="xz"), ("emqx", "5.8.9", "amd64")),
        ("deb", deb(packed=""), ("emqx", "5.8.9", "amd64")),
        (
            "deb",
            deb("emqx-enterprise", "6.3.0-beta.2", "arm64"),
            ("emqx-enterprise", "6.3.0-beta.2", "arm64"),
        ),
        ("deb", deb("nginx", "1:1.22.1-9"), ("nginx", "1.22.1", "amd64")),
        ("rpm", rpm(), ("emqx", "5.8.9", "amd64")),
        (
            "rpm",
            rpm("emqx-enterprise", "6.3.0_beta.2", "aarch64"),
            ("emqx-enterprise", "6.3.0-beta.2", "arm64"),
        ),
        ("tar.gz", targz(), ("emqx", "5.8.9", "amd64")),
        ("tar.gz", targz("5.10.4", "yes", 0xB7, ""), ("emqx-enterprise", "5.10.4", "arm64")),
        ("tar.gz", targz(root="emqx/"), ("emqx", "5.8.9", "amd64")),
        ("tar.gz", targz(enterprise="{{ x }}", machine=3), ("", "5.8.9", "")),
    ],
)
def test_what_a_package_says_of_itself(
    tmp_path: Path, suffix: str, content: bytes, expected: tuple[str, str, str]
) -> None:
    name, version, arch = expected
    assert read(tmp_path, suffix, content) == PackageFacts(suffix, name, version, arch)


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="only with dpkg-deb")
def test_a_control_file_that_only_dpkg_deb_unpacks(tmp_path: Path) -> None:
    control = tmp_path / "tree" / "DEBIAN" / "control"
    control.parent.mkdir(parents=True)
    control.write_text(
        "Package: emqx\nVersion: 5.8.9\nArchitecture: amd64\nMaintainer: a <a@b.c>\n"
        "Description: a\n"
    )
    path = tmp_path / "emqx.deb"
    build = ["dpkg-deb", "-Zzstd", "--build", str(tmp_path / "tree"), str(path)]
    done = subprocess.run(build, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("this dpkg-deb does not pack with zstd")
    assert formats.read(str(path)) == PackageFacts("deb", "emqx", "5.8.9", "amd64")


@pytest.mark.parametrize("suffix", formats.FORMATS)
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (HTML, "a web page"),
        (b"\n  <html>", "a web page"),
        (b"not found\n", "text"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
        (b"PK\x03\x04", "a zip archive"),
        (b"\x00\x01\x02", "other data"),
    ],
)
def test_what_is_no_package(tmp_path: Path, suffix: str, content: bytes, words: str) -> None:
    assert read(tmp_path, suffix, content).problem.startswith(f"it is {words}")


@pytest.mark.parametrize(("suffix", "other"), [("deb", rpm()), ("rpm", targz()), ("tar.gz", deb())])
def test_another_format_under_this_name(tmp_path: Path, suffix: str, other: bytes) -> None:
    assert (
        f"and not a{'n' if suffix == 'rpm' else ''} {suffix}"
        in read(tmp_path, suffix, other).problem
    )


@pytest.mark.parametrize(
    ("suffix", "content"), [("deb", deb()), ("rpm", rpm()), ("tar.gz", targz())]
)
def test_every_cut_is_seen(tmp_path: Path, suffix: str, content: bytes) -> None:
    for length in range(0, len(content) - 1, 7):
        assert read(tmp_path, suffix, content[:length]).problem, length


@pytest.mark.parametrize(
    ("suffix", "content", "words"),
    [
        ("deb", ar({"debian-binary": b"2.0\n"}), "without the parts of a deb"),
        (
            "deb",
            ar({"control.tar.gz": tar({"./md5sums": b""}, "w:gz"), "data.tar": b""}),
            "without a control file",
        ),
        ("deb", ar({"control.tar.gz": b"\x1f\x8bnothing", "data.tar": b""}), "damaged"),
        ("rpm", b"\xed\xab\xee\xdb".ljust(200, b"\0"), "damaged"),
        ("tar.gz", gzip.compress(tar({"README": b"x"})), "no EMQX releases"),
        ("tar.gz", gzip.compress(b"no tar" * 1000), "damaged"),
        (
            "tar.gz",
            gzip.compress(tar({"a/releases/emqx_vars": b"", "b/releases/emqx_vars": b""})),
            "2 EMQX releases",
        ),
    ],
)
def test_what_is_damaged_or_holds_something_else(
    tmp_path: Path, suffix: str, content: bytes, words: str
) -> None:
    assert words in read(tmp_path, suffix, content).problem


@pytest.mark.parametrize("suffix", formats.FORMATS)
@given(noise=st.binary(max_size=400), begin=st.sampled_from([b"", deb(), rpm(), targz()]))
def test_noise_is_a_problem_and_no_traceback(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, noise: bytes, begin: bytes
) -> None:
    folder = tmp_path_factory.mktemp("noise")
    facts = read(folder, suffix, begin[: len(noise) * 3] + noise)
    assert facts.format == suffix
    assert all(isinstance(value, str) for value in facts.as_dict().values())


def test_a_name_of_no_format_is_not_read() -> None:
    assert formats.read("/nowhere/image.tar") is None


def test_a_file_that_is_not_there_is_an_error_of_the_caller() -> None:
    with pytest.raises(FileNotFoundError):
        formats.read("/nowhere/emqx.deb")


def test_each_format_is_known_by_its_suffix() -> None:
    for suffix, each in formats.FORMATS.items():
        assert file_names.package_format(f"/tmp/emqx.{suffix}") == suffix == each.suffix


@pytest.mark.parametrize(
    ("version", "expected"),
    [("5.8.9", "5.8.9"), ("1:5.8.9-1", "5.8.9"), ("6.3.0~rc.1", "6.3.0-rc.1"), ("odd", "odd")],
)
def test_vendor_version(version: str, expected: t.Any) -> None:
    assert vendor_version(version) == expected
