# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What is to be installed on a host, from where, and where it will lie."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.platforms import (
    package_file,
    package_format,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.versions import (
    ENTERPRISE,
    OPENSOURCE,
    edition_of,
    package_of,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.module_utils._host import container

_VERSION = r"\d+\.\d+\.\d+(?:-(?:alpha|beta|rc)[.\d]*)?"
_FILE_NAME = re.compile(
    rf"(?P<package>emqx(?:-enterprise)?)-(?P<version>{_VERSION})"
    r"(?:-elixir)?(?:-otp[\d.-]+)?-(?P<token>[a-z]+[\d.]*)-(?P<arch>amd64|arm64)\.(?:deb|rpm|tar\.gz)$"
)


# EMQX documentation 5.8, deploy/install.md; the vendor keeps one folder per version below.
_DOWNLOADS = {
    OPENSOURCE: "https://www.emqx.com/en/downloads/broker",
    ENTERPRISE: "https://www.emqx.com/en/downloads/enterprise",
}


def describe_file(path: str) -> dict[str, str]:
    """Return ``package``, ``version``, ``token`` and ``arch`` from a vendor file's name.

    Empty where the name is not of the vendor's form.
    """
    match = _FILE_NAME.match(path.rpartition("/")[2])
    return match.groupdict() if match else {}


def kind_of(wish: t.Mapping[str, t.Any]) -> str:
    """Return package, tarball or container: the form that the node's files come in.

    ``wish`` holds the values of emqx_deployment, emqx_package and emqx_package_type.
    """
    if wish["deployment"] == "container":
        return "container"
    return "tarball" if package_format(wish["package"]) == "tar.gz" else str(wish["package_type"])


def release(wish: t.Mapping[str, t.Any], answer: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return what a host installs.

    ``wish`` holds the values of emqx_version, emqx_edition, emqx_package, emqx_package_source
    (download, controller, host, repository), emqx_package_type (package, tarball),
    emqx_package_sha256, emqx_download_url, emqx_deployment (package, container), emqx_image and
    emqx_container_network without their prefix, and ``package_stat`` where the package is a file
    on a machine; ``answer`` is what host_info says, {} where it could
    not be asked. The result has ``edition``, ``package`` (its name), ``version``, ``type``,
    ``format`` (deb, rpm, tar.gz), ``file`` (its name), ``source``, ``location`` (URL or path, ""
    for a repository), ``installed`` (the version found, "" where there is none),
    ``installed_package`` (its name, "" for a tar.gz), ``image`` and ``needed``. For a container
    the type is container, the format image, and the location that of an archive, "" where the
    image comes from a registry; ``mark`` names images from archives, tagged by their checksum,
    and ``image_needed`` tells whether it is the image that is missing, and not its network.
    Raises InputError for a version that is not written as the vendor's files have it.
    """
    platform = answer.get("platform", {"format": "", "token": "", "arch": ""})
    version = wish["version"]
    if not re.fullmatch(_VERSION, version):
        raise InputError(
            f"emqx_version cannot be used: expected three numbers such as 5.8.9, found {version!r}."
        )
    named = wish["package"].rpartition("/")[2]
    edition = wish["edition"] or edition_of(named or "emqx", version)
    kind = kind_of(wish)
    suffix = package_format(named)
    if not named:
        suffix = "tar.gz" if kind == "tarball" else platform["format"]
    package = package_of(edition, version)
    if kind == "container":
        return _image(wish, answer, edition, package)
    name = named or package_file(version, package, platform["token"], platform["arch"], suffix)
    location = wish["package"]
    if wish["package_source"] == "download" and not location:
        site = wish["download_url"] or _DOWNLOADS[edition]
        location = f"{site.rstrip('/')}/{version}/{name}"
    installed, installed_package = _installed(answer, kind)
    return {
        "edition": edition,
        "package": package,
        "version": version,
        "type": kind,
        "format": suffix,
        "file": name,
        "source": wish["package_source"],
        "location": location,
        "installed": installed,
        "installed_package": installed_package,
        "image": "",
        "needed": installed != version or installed_package not in ("", package),
    }


def _image(
    wish: t.Mapping[str, t.Any], answer: t.Mapping[str, t.Any], edition: str, package: str
) -> dict[str, t.Any]:
    image = container.image(wish["image"], package, wish["version"])
    found = answer.get("container", {"image": {"id": "", "names": []}, "network": None})
    archive = wish["package"]
    checksum = wish["package_sha256"] or wish.get("package_stat", {}).get("sha256", "")
    other = bool(archive and checksum) and container.mark(checksum) not in found["image"]["names"]
    image_needed = not found["image"]["id"] or other
    no_network = wish["container_network"] != "host" and found["network"] is None
    return {
        "edition": edition,
        "package": package,
        "version": wish["version"],
        "type": "container",
        "format": "image",
        "file": archive.rpartition("/")[2] or image,
        "source": wish["package_source"],
        "location": archive,
        "installed": found.get("version", ""),
        "installed_package": "",
        "image": image,
        "mark": container.MARK,
        "image_needed": image_needed,
        "needed": image_needed or no_network,
    }


def _installed(answer: t.Mapping[str, t.Any], kind: str) -> tuple[str, str]:
    if kind == "tarball":
        return str(answer.get("release", "")), ""
    package = answer.get("package", {})
    return str(package.get("version", "")), str(package.get("name", ""))
