# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx import platforms
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import release

WISH: dict[str, t.Any] = {
    "version": "5.8.9",
    "edition": "",
    "package": "",
    "package_source": "download",
    "package_type": "package",
    "deployment": "package",
    "image": "",
    "container_network": "host",
    "download_url": "https://vendor.example/",
}
NO_CONTAINER: dict[str, t.Any] = {
    "engine": False,
    "image": {"id": "", "names": []},
    "network": None,
    "version": "",
}
DEBIAN = platforms.platform({"ID": "debian", "VERSION_ID": "12"}, "x86_64")
ROCKY = platforms.platform({"ID": "rocky", "VERSION_ID": "9.4"}, "aarch64")
DEB, RPM, TAR = (
    "emqx-5.8.9-debian12-amd64.deb",
    "emqx-5.8.9-el9-arm64.rpm",
    "emqx-5.8.9-debian12-amd64.tar.gz",
)


def answer(platform: dict[str, t.Any] | None = None, **found: t.Any) -> dict[str, t.Any]:
    nothing = {"package": {"name": "", "version": ""}, "release": "", "container": NO_CONTAINER}
    return {"platform": platform or DEBIAN, **nothing, **found}


class TestWhatAndWhere:
    @pytest.mark.parametrize(
        ("wish", "platform", "kind", "suffix", "file", "location"),
        [
            ({}, DEBIAN, "package", "deb", DEB, f"https://vendor.example/5.8.9/{DEB}"),
            ({}, ROCKY, "package", "rpm", RPM, f"https://vendor.example/5.8.9/{RPM}"),
            (
                {"package_type": "tarball"},
                DEBIAN,
                "tarball",
                "tar.gz",
                TAR,
                f"https://vendor.example/5.8.9/{TAR}",
            ),
            (
                {"package": f"https://mirror.example/{DEB}"},
                DEBIAN,
                "package",
                "deb",
                DEB,
                f"https://mirror.example/{DEB}",
            ),
            # The ending of a file says more than emqx_package_type.
            (
                {"package": f"https://mirror.example/{TAR}"},
                DEBIAN,
                "tarball",
                "tar.gz",
                TAR,
                f"https://mirror.example/{TAR}",
            ),
            (
                {"package_source": "controller", "package": f"/tmp/{DEB}"},
                DEBIAN,
                "package",
                "deb",
                DEB,
                f"/tmp/{DEB}",
            ),
            (
                {"package_source": "controller", "package": f"/tmp/{TAR}"},
                DEBIAN,
                "tarball",
                "tar.gz",
                TAR,
                f"/tmp/{TAR}",
            ),
            (
                {"package_source": "host", "package": f"/srv/{RPM}"},
                ROCKY,
                "package",
                "rpm",
                RPM,
                f"/srv/{RPM}",
            ),
            (
                {"package_source": "host", "package": f"/srv/{TAR}"},
                DEBIAN,
                "tarball",
                "tar.gz",
                TAR,
                f"/srv/{TAR}",
            ),
            ({"package_source": "repository"}, DEBIAN, "package", "deb", DEB, ""),
            ({"package_source": "repository"}, ROCKY, "package", "rpm", RPM, ""),
            # Not taken for what the host would need.
            (
                {"package_source": "host", "package": "/srv/emqx.zip"},
                DEBIAN,
                "package",
                "",
                "emqx.zip",
                "/srv/emqx.zip",
            ),
        ],
    )
    def test_table(
        self,
        wish: dict[str, t.Any],
        platform: dict[str, t.Any],
        kind: str,
        suffix: str,
        file: str,
        location: str,
    ) -> None:
        plan = release.release({**WISH, **wish}, answer(platform))
        assert plan == {
            "edition": "opensource",
            "package": "emqx",
            "version": "5.8.9",
            "type": kind,
            "format": suffix,
            "file": file,
            "source": wish.get("package_source", "download"),
            "location": location,
            "installed": "",
            "installed_package": "",
            "image": "",
            "needed": True,
        }

    def test_a_host_that_could_not_be_asked(self) -> None:
        plan = release.release(WISH, {})
        assert (plan["edition"], plan["package"], plan["needed"]) == ("opensource", "emqx", True)
        assert (plan["format"], plan["installed"]) == ("", "")


@pytest.mark.parametrize(
    ("version", "edition", "package", "expected"),
    [
        ("5.8.9", "", "", ("opensource", "emqx")),
        ("5.8.9", "enterprise", "", ("enterprise", "emqx-enterprise")),
        ("5.8.9", "opensource", "", ("opensource", "emqx")),
        (
            "5.8.9",
            "",
            "/tmp/emqx-enterprise-5.8.9-el9-amd64.rpm",
            ("enterprise", "emqx-enterprise"),
        ),
        ("5.8.9", "", "/tmp/emqx-5.8.9-el9-amd64.rpm", ("opensource", "emqx")),
        # From 5.9 on there is one edition.
        ("5.9.0", "", "", ("enterprise", "emqx-enterprise")),
        ("5.10.4", "", "", ("enterprise", "emqx-enterprise")),
        ("6.2.1", "", "", ("enterprise", "emqx-enterprise")),
    ],
)
def test_edition(version: str, edition: str, package: str, expected: tuple[str, str]) -> None:
    wish = {**WISH, "version": version, "edition": edition, "package": package}
    plan = release.release(wish, answer())
    assert (plan["edition"], plan["package"]) == expected
    if not package:
        assert plan["file"] == f"{expected[1]}-{version}-debian12-amd64.deb"


@pytest.mark.parametrize(
    ("wish", "found", "installed", "needed"),
    [
        ({}, {}, "", True),
        ({}, {"package": {"name": "emqx", "version": "5.8.9"}}, "5.8.9", False),
        ({}, {"package": {"name": "emqx", "version": "5.8.8"}}, "5.8.8", True),
        # The same version of the other edition is not what was asked for.
        ({}, {"package": {"name": "emqx-enterprise", "version": "5.8.9"}}, "5.8.9", True),
        (
            {"edition": "enterprise"},
            {"package": {"name": "emqx-enterprise", "version": "5.8.9"}},
            "5.8.9",
            False,
        ),
        ({}, {"release": "5.8.9"}, "", True),
        ({"package_type": "tarball"}, {"release": "5.8.9"}, "5.8.9", False),
        ({"package_type": "tarball"}, {"release": "5.8.8"}, "5.8.8", True),
        (
            {"package_type": "tarball"},
            {"package": {"name": "emqx", "version": "5.8.9"}},
            "",
            True,
        ),
        (
            {"version": "6.3.0-beta.2"},
            {"package": {"name": "emqx-enterprise", "version": "6.3.0-beta.2"}},
            "6.3.0-beta.2",
            False,
        ),
    ],
)
def test_installed(
    wish: dict[str, t.Any], found: dict[str, t.Any], installed: str, needed: bool
) -> None:
    plan = release.release({**WISH, **wish}, answer(**found))
    assert (plan["installed"], plan["needed"]) == (installed, needed)


@pytest.mark.parametrize("version", ["v5.8.9", "e5.10.4", "5.10", "latest", "", "5.8.9-1"])
def test_a_version_the_vendor_has_no_file_of_is_refused(version: str) -> None:
    with pytest.raises(InputError, match=r"emqx_version cannot be used: .* such as 5\.8\.9"):
        release.release({**WISH, "version": version}, answer())


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"/tmp/{DEB}", ("emqx", "5.8.9", "debian12", "amd64")),
        (f"https://vendor.example/{RPM}", ("emqx", "5.8.9", "el9", "arm64")),
        (TAR, ("emqx", "5.8.9", "debian12", "amd64")),
        (
            "emqx-enterprise-5.10.4-ubuntu22.04-amd64.deb",
            ("emqx-enterprise", "5.10.4", "ubuntu22.04", "amd64"),
        ),
        (
            "emqx-enterprise-6.3.0-beta.2-amzn2023-arm64.rpm",
            ("emqx-enterprise", "6.3.0-beta.2", "amzn2023", "arm64"),
        ),
        ("emqx-5.0.26-elixir-el8-amd64.rpm", ("emqx", "5.0.26", "el8", "amd64")),
        ("emqx-5.0.4-otp24.2.1-1-debian11-arm64.deb", ("emqx", "5.0.4", "debian11", "arm64")),
        ("mybuild.deb", None),
        ("emqx_5.8.9_amd64.deb", None),
        (f"{DEB}.sha256", None),
    ],
)
def test_describe_file(path: str, expected: tuple[str, ...] | None) -> None:
    keys = ("package", "version", "token", "arch")
    assert release.describe_file(path) == (dict(zip(keys, expected)) if expected else {})


def test_names_that_are_made_are_read_back() -> None:
    for name in (DEBIAN, ROCKY):
        made = platforms.package_file("5.8.9", "emqx", name["token"], name["arch"], "tar.gz")
        found = release.describe_file(made)
        assert (found["token"], found["arch"]) == (name["token"], name["arch"])


def test_vendor_site_by_edition() -> None:
    for version, folder in (("5.8.9", "broker"), ("5.10.4", "enterprise")):
        plan = release.release({**WISH, "version": version, "download_url": ""}, answer())
        assert plan["location"].startswith(f"https://www.emqx.com/en/downloads/{folder}/{version}/")


class TestContainer:
    WISH: t.ClassVar[dict[str, t.Any]] = {
        **WISH,
        "deployment": "container",
        "package_sha256": "",
    }
    THERE: t.ClassVar[dict[str, t.Any]] = {
        **NO_CONTAINER,
        "image": {"id": "1", "names": ["localhost/mqttops-emqx-archive:ab12"]},
    }

    def plan(self, found: dict[str, t.Any] | None = None, **wish: t.Any) -> dict[str, t.Any]:
        return release.release(
            {**self.WISH, **wish}, answer(ROCKY, container=found or NO_CONTAINER)
        )

    def test_from_the_registry(self) -> None:
        assert self.plan() == {
            "edition": "opensource",
            "package": "emqx",
            "version": "5.8.9",
            "type": "container",
            "format": "image",
            "file": "docker.io/emqx/emqx:5.8.9",
            "source": "download",
            "location": "",
            "installed": "",
            "installed_package": "",
            "image": "docker.io/emqx/emqx:5.8.9",
            "mark": "localhost/mqttops-emqx-archive",
            "image_needed": True,
            "needed": True,
        }

    @pytest.mark.parametrize(
        ("wish", "image"),
        [
            ({"version": "5.10.4"}, "docker.io/emqx/emqx-enterprise:5.10.4"),
            ({"edition": "enterprise"}, "docker.io/emqx/emqx-enterprise:5.8.9"),
            ({"image": "registry.example/emqx@sha256:1"}, "registry.example/emqx@sha256:1"),
        ],
    )
    def test_image(self, wish: dict[str, t.Any], image: str) -> None:
        assert self.plan(**wish)["image"] == image

    @pytest.mark.parametrize("platform", [{}, DEBIAN, ROCKY])
    def test_before_the_host_was_asked(self, platform: dict[str, t.Any]) -> None:
        assert release.release(self.WISH, {"platform": platform} if platform else {})["needed"]

    @pytest.mark.parametrize(
        ("wish", "found", "needed"),
        [
            ({}, THERE, False),
            ({"package": "/a.tar", "package_sha256": "AB12"}, THERE, False),
            ({"package": "/a.tar", "package_stat": {"sha256": "ab12"}}, THERE, False),
            # An image of that name, but from another archive.
            ({"package": "/a.tar", "package_stat": {"sha256": "cd34"}}, THERE, True),
            # Not known what the archive holds: the image that is there counts.
            ({"package": "https://mirror.example/a.tar"}, THERE, False),
            ({"container_network": "net"}, THERE, True),
            ({"container_network": "net"}, {**THERE, "network": ["10.0.0.0/24"]}, False),
        ],
    )
    def test_needed(self, wish: dict[str, t.Any], found: dict[str, t.Any], needed: bool) -> None:
        assert self.plan(found, **wish)["needed"] is needed

    def test_a_missing_network_needs_no_image(self) -> None:
        assert self.plan(self.THERE, container_network="net")["image_needed"] is False

    def test_an_archive_is_what_there_is_to_bring(self) -> None:
        plan = self.plan(package="/srv/image.tar", package_source="host")
        assert (plan["file"], plan["location"]) == ("image.tar", "/srv/image.tar")

    def test_installed_is_what_the_unit_starts(self) -> None:
        assert self.plan({**self.THERE, "version": "5.8.8"})["installed"] == "5.8.8"
