# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx import platforms
from ansible_collections.mqttops.emqx.plugins.module_utils._package import file_names

SYSTEMS = [
    ("debian", "11", "deb", "debian11", "debian", "bullseye"),
    ("debian", "12", "deb", "debian12", "debian", "bookworm"),
    ("debian", "13", "deb", "debian13", "debian", "trixie"),
    ("ubuntu", "20.04", "deb", "ubuntu20.04", "ubuntu", "focal"),
    ("ubuntu", "22.04", "deb", "ubuntu22.04", "ubuntu", "jammy"),
    ("ubuntu", "24.04", "deb", "ubuntu24.04", "ubuntu", "noble"),
    ("rhel", "8.10", "rpm", "el8", "el", "8"),
    ("rhel", "9.4", "rpm", "el9", "el", "9"),
    ("centos", "9", "rpm", "el9", "el", "9"),
    ("rocky", "9.4", "rpm", "el9", "el", "9"),
    ("almalinux", "8.9", "rpm", "el8", "el", "8"),
    ("ol", "9.3", "rpm", "el9", "el", "9"),
    ("amzn", "2023", "rpm", "amzn2023", "amazon", "2023"),
]


@pytest.mark.parametrize(("machine", "arch"), [("x86_64", "amd64"), ("aarch64", "arm64")])
@pytest.mark.parametrize(("name", "version", "package_format", "token", "dist", "release"), SYSTEMS)
def test_supported(
    name: str,
    version: str,
    package_format: str,
    token: str,
    dist: str,
    release: str,
    machine: str,
    arch: str,
) -> None:
    assert platforms.platform({"ID": name, "VERSION_ID": version}, machine) == {
        "name": name,
        "version": version,
        "machine": machine,
        "arch": arch,
        "supported": True,
        "format": package_format,
        "token": token,
        "repository": {"dist": dist, "release": release},
    }


@pytest.mark.parametrize(
    "os_release",
    [
        {"ID": "alpine", "VERSION_ID": "3.20.1"},
        {"ID": "debian", "VERSION_ID": "10"},
        {"ID": "debian"},
        {"ID": "ubuntu", "VERSION_ID": "22.10"},
        {"ID": "rhel", "VERSION_ID": "10.0"},
        {"ID": "amzn", "VERSION_ID": "2"},
        {},
    ],
)
def test_unknown_system(os_release: dict[str, str]) -> None:
    found = platforms.platform(os_release, "x86_64")
    assert not found["supported"]
    assert (found["format"], found["token"], found["repository"]) == ("", "", {})
    assert found["arch"] == "amd64"
    assert found["name"] == os_release.get("ID", "unknown")


@pytest.mark.parametrize("machine", ["armv7l", "riscv64", "i686", ""])
def test_unknown_architecture(machine: str) -> None:
    found = platforms.platform({"ID": "debian", "VERSION_ID": "12"}, machine)
    assert (found["supported"], found["arch"], found["machine"]) == (False, "", machine)
    assert found["token"] == ""


def test_parse_os_release() -> None:
    text = (
        '# from the vendor\nNAME="Rocky Linux"\nID="rocky"\n\nVERSION_ID=\'9.4\'\n'
        'ID_LIKE="rhel centos fedora"\nURL="https://example.com/?a=b"\nnonsense\n'
    )
    assert platforms.parse_os_release(text) == {
        "NAME": "Rocky Linux",
        "ID": "rocky",
        "VERSION_ID": "9.4",
        "ID_LIKE": "rhel centos fedora",
        "URL": "https://example.com/?a=b",
    }


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("5.8.9", "emqx", "debian12", "amd64", "deb"), "emqx-5.8.9-debian12-amd64.deb"),
        (
            ("5.10.4", "emqx-enterprise", "ubuntu22.04", "amd64", "deb"),
            "emqx-enterprise-5.10.4-ubuntu22.04-amd64.deb",
        ),
        (
            ("6.2.1", "emqx-enterprise", "el9", "arm64", "rpm"),
            "emqx-enterprise-6.2.1-el9-arm64.rpm",
        ),
        (("5.8.9", "emqx", "amzn2023", "arm64", "tar.gz"), "emqx-5.8.9-amzn2023-arm64.tar.gz"),
    ],
)
def test_package_file(arguments: tuple[str, str, str, str, str], name: str) -> None:
    assert file_names.package_file(*arguments) == name


@pytest.mark.parametrize(
    ("path", "package_format"),
    [
        ("/tmp/emqx.deb", "deb"),
        ("https://example.com/emqx-5.8.9-el9-amd64.rpm", "rpm"),
        ("emqx-5.8.9-debian12-amd64.tar.gz", "tar.gz"),
        ("emqx.tgz", ""),
        ("emqx.deb.sha256", ""),
        ("deb", ""),
        ("", ""),
    ],
)
def test_package_format(path: str, package_format: str) -> None:
    assert file_names.package_format(path) == package_format
