# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Which vendor package fits which host: operating systems and package formats.

Source: EMQX build workflows and package Makefiles, v5.0.0 to 6.2 (tokens such as ``debian12``,
``el9``, ``amzn2023``); repository names are those of packagecloud.io/emqx.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json

# os-release ID -> (family, {major or full VERSION_ID: (token, repository release)})
_DEBIAN = {
    "11": ("debian11", "bullseye"),
    "12": ("debian12", "bookworm"),
    "13": ("debian13", "trixie"),
}
_UBUNTU = {
    "20.04": ("ubuntu20.04", "focal"),
    "22.04": ("ubuntu22.04", "jammy"),
    "24.04": ("ubuntu24.04", "noble"),
}
_EL = {"8": ("el8", "8"), "9": ("el9", "9")}
_AMAZON = {"2023": ("amzn2023", "2023")}

_SYSTEMS: dict[str, tuple[str, str, dict[str, tuple[str, str]]]] = {
    "debian": ("deb", "debian", _DEBIAN),
    "ubuntu": ("deb", "ubuntu", _UBUNTU),
    "rhel": ("rpm", "el", _EL),
    "centos": ("rpm", "el", _EL),
    "rocky": ("rpm", "el", _EL),
    "almalinux": ("rpm", "el", _EL),
    "ol": ("rpm", "el", _EL),
    "amzn": ("rpm", "amazon", _AMAZON),
}

_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}

SUPPORTED = (
    "Debian 11-13, Ubuntu 20.04, 22.04 and 24.04, RHEL and its rebuilds 8 and 9, Amazon Linux 2023"
)


def parse_os_release(text: str) -> dict[str, str]:
    """Return the keys of an os-release(5) file without their quotes."""
    result: dict[str, str] = {}
    for line in text.splitlines():
        key, separator, value = line.strip().partition("=")
        if separator and not key.startswith("#"):
            result[key] = value.strip().strip("\"'")
    return result


def platform(os_release: t.Mapping[str, str], machine: str) -> Json:
    """Return what the package tables say of a host.

    ``os_release`` is the parsed os-release file, ``machine`` is ``uname -m``. The result holds
    ``name``, ``version``, ``arch`` (amd64, arm64 or ""), ``supported`` (bool) and, where it is
    supported, ``format`` (deb, rpm), ``token`` and ``repository`` (dist path and release).
    """
    name = os_release.get("ID", "unknown")
    version = os_release.get("VERSION_ID", "")
    result: Json = {
        "name": name,
        "version": version,
        "machine": machine,
        "arch": _ARCHITECTURES.get(machine, ""),
        "supported": False,
        "format": "",
        "token": "",
        "repository": {},
    }
    package_format, dist, releases = _SYSTEMS.get(name, ("", "", {}))
    found = releases.get(version) or releases.get(version.split(".")[0])
    if found is not None and result["arch"]:
        result.update(
            supported=True,
            format=package_format,
            token=found[0],
            repository={"dist": dist, "release": found[1]},
        )
    return result
