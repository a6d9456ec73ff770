# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.module_utils._package import file_names
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    HostState,
    Release,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import packages, release
from ansible_collections.mqttops.emqx.tests.unit import plans

VENDOR = "https://vendor.example/"
DEB, RPM, TAR = (
    "emqx-5.8.9-debian12-amd64.deb",
    "emqx-5.8.9-el9-arm64.rpm",
    "emqx-5.8.9-debian12-amd64.tar.gz",
)


def planned(
    host: HostState | None = None, stat: dict[str, t.Any] | None = None, **given: t.Any
) -> Release:
    wanted = {"download_url": VENDOR, **given}
    return release.release(plans.settings(**wanted), host or plans.host(), stat or {})


class TestWhatAndWhere:
    @pytest.mark.parametrize(
        ("given", "platform", "kind", "suffix", "file", "location"),
        [
            ({}, plans.DEBIAN, "package", "deb", DEB, f"https://vendor.example/5.8.9/{DEB}"),
            ({}, plans.ROCKY, "package", "rpm", RPM, f"https://vendor.example/5.8.9/{RPM}"),
            (
                {"package_type": "tarball"},
                plans.DEBIAN,
                "tarball",
                "tar.gz",
                TAR,
                f"https://vendor.example/5.8.9/{TAR}",
            ),
            (
                {"package": f"https://mirror.example/{DEB}"},
                plans.DEBIAN,
                "package",
                "deb",
                DEB,
                f"https://mirror.example/{DEB}",
            ),
            # The ending of a file says more than emqx_package_type.
            (
                {"package": f"https://mirror.example/{TAR}"},
                plans.DEBIAN,
                "tarball",
                "tar.gz",
                TAR,
                f"https://mirror.example/{TAR}",
            ),
            (
                {"package_source": "controller", "package": f"/tmp/{DEB}"},
                plans.DEBIAN,
                "package",
                "deb",
                DEB,
                f"/tmp/{DEB}",
            ),
            (
                {"package_source": "controller", "package": f"/tmp/{TAR}"},
                plans.DEBIAN,
                "tarball",
                "tar.gz",
                TAR,
                f"/tmp/{TAR}",
            ),
            (
                {"package_source": "host", "package": f"/srv/{RPM}"},
                plans.ROCKY,
                "package",
                "rpm",
                RPM,
                f"/srv/{RPM}",
            ),
            (
                {"package_source": "host", "package": f"/srv/{TAR}"},
                plans.DEBIAN,
                "tarball",
                "tar.gz",
                TAR,
                f"/srv/{TAR}",
            ),
            ({"package_source": "repository"}, plans.DEBIAN, "package", "deb", DEB, ""),
            ({"package_source": "repository"}, plans.ROCKY, "package", "rpm", RPM, ""),
            # Not taken for what the host would need.
            (
                {"package_source": "host", "package": "/srv/emqx.zip"},
                plans.DEBIAN,
                "package",
                "",
                "emqx.zip",
                "/srv/emqx.zip",
            ),
        ],
    )
    def test_table(
        self,
        given: dict[str, t.Any],
        platform: dict[str, t.Any],
        kind: str,
        suffix: str,
        file: str,
        location: str,
    ) -> None:
        source = given.get("package_source", "download")
        path = {"host": location, "repository": ""}.get(source, f"/var/cache/mqttops-emqx/{file}")
        assert planned(plans.host(platform), **given) == Release(
            edition="opensource",
            package="emqx",
            version="5.8.9",
            kind=kind,
            format=suffix,
            file=file,
            source=source,
            location=location,
            path=path,
            installed="",
            installed_package="",
            needed=True,
            repository_url="https://packagecloud.io/emqx/emqx",
            repository_key="https://packagecloud.io/emqx/emqx/gpgkey",
        )

    def test_a_host_that_could_not_be_asked(self) -> None:
        plan = planned(HostState())
        assert (plan.edition, plan.package, plan.needed) == ("opensource", "emqx", True)
        assert (plan.format, plan.installed) == ("", "")


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
    plan = planned(version=version, edition=edition, package=package)
    assert (plan.edition, plan.package) == expected
    given = plans.settings(version=version, edition=edition, package=package)
    assert release.edition(given) == expected[0]
    if not package:
        assert plan.file == f"{expected[1]}-{version}-debian12-amd64.deb"


@pytest.mark.parametrize(
    ("given", "found", "installed", "needed"),
    [
        ({}, {}, "", True),
        ({}, {"package_name": "emqx", "package_version": "5.8.9"}, "5.8.9", False),
        ({}, {"package_name": "emqx", "package_version": "5.8.8"}, "5.8.8", True),
        # The same version of the other edition is not what was asked for.
        ({}, {"package_name": "emqx-enterprise", "package_version": "5.8.9"}, "5.8.9", True),
        (
            {"edition": "enterprise"},
            {"package_name": "emqx-enterprise", "package_version": "5.8.9"},
            "5.8.9",
            False,
        ),
        ({}, {"release": "5.8.9"}, "", True),
        ({"package_type": "tarball"}, {"release": "5.8.9"}, "5.8.9", False),
        ({"package_type": "tarball"}, {"release": "5.8.8"}, "5.8.8", True),
        (
            {"package_type": "tarball"},
            {"package_name": "emqx", "package_version": "5.8.9"},
            "",
            True,
        ),
        (
            {"version": "6.3.0-beta.2"},
            {"package_name": "emqx-enterprise", "package_version": "6.3.0-beta.2"},
            "6.3.0-beta.2",
            False,
        ),
    ],
)
def test_installed(
    given: dict[str, t.Any], found: dict[str, t.Any], installed: str, needed: bool
) -> None:
    plan = planned(plans.host(**found), **given)
    assert (plan.installed, plan.needed) == (installed, needed)


@pytest.mark.parametrize("version", ["v5.8.9", "e5.10.4", "5.10", "latest", "", "5.8.9-1"])
def test_a_version_the_vendor_has_no_file_of_is_refused(version: str) -> None:
    with pytest.raises(InputError, match=r"emqx_version cannot be used: .* such as 5\.8\.9"):
        planned(version=version)


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
    assert packages.describe_file(path) == (dict(zip(keys, expected)) if expected else {})


def test_names_that_are_made_are_read_back() -> None:
    for name in (plans.DEBIAN, plans.ROCKY):
        made = file_names.package_file("5.8.9", "emqx", name["token"], name["arch"], "tar.gz")
        found = packages.describe_file(made)
        assert (found["token"], found["arch"]) == (name["token"], name["arch"])


def test_vendor_site_by_edition() -> None:
    for version, folder in (("5.8.9", "broker"), ("5.10.4", "enterprise")):
        plan = planned(version=version, download_url="")
        assert plan.location.startswith(f"https://www.emqx.com/en/downloads/{folder}/{version}/")


@pytest.mark.parametrize(
    ("given", "url", "key"),
    [
        ({"version": "5.10.4"}, "https://packagecloud.io/emqx/emqx-enterprise5", "{}/gpgkey"),
        ({"repository_url": "https://mirror.example/e"}, "https://mirror.example/e", "{}/gpgkey"),
        ({"repository_key": "https://k.example/key"}, "https://packagecloud.io/emqx/emqx", None),
    ],
)
def test_repository(given: dict[str, t.Any], url: str, key: str | None) -> None:
    plan = planned(package_source="repository", **given)
    assert plan.repository_url == url
    assert plan.repository_key == (key or "https://k.example/key").format(url)


class TestContainer:
    THERE: t.ClassVar[dict[str, t.Any]] = {
        **plans.NO_CONTAINER,
        "image": {"id": "1", "names": ["localhost/mqttops-emqx-archive:ab12"]},
    }

    def plan(
        self,
        found: dict[str, t.Any] | None = None,
        stat: dict[str, t.Any] | None = None,
        **given: t.Any,
    ) -> Release:
        host = plans.host(plans.ROCKY, container=found or plans.NO_CONTAINER)
        return planned(host, stat, deployment="container", **given)

    def test_from_the_registry(self) -> None:
        assert self.plan() == Release(
            edition="opensource",
            package="emqx",
            version="5.8.9",
            kind="container",
            format="image",
            file="docker.io/emqx/emqx:5.8.9",
            source="download",
            location="",
            installed="",
            installed_package="",
            image="docker.io/emqx/emqx:5.8.9",
            mark="localhost/mqttops-emqx-archive",
            image_needed=True,
            needed=True,
        )

    @pytest.mark.parametrize(
        ("given", "image"),
        [
            ({"version": "5.10.4"}, "docker.io/emqx/emqx-enterprise:5.10.4"),
            ({"edition": "enterprise"}, "docker.io/emqx/emqx-enterprise:5.8.9"),
            ({"image": "registry.example/emqx@sha256:1"}, "registry.example/emqx@sha256:1"),
        ],
    )
    def test_image(self, given: dict[str, t.Any], image: str) -> None:
        assert self.plan(**given).image == image

    @pytest.mark.parametrize("platform", [{}, plans.DEBIAN, plans.ROCKY])
    def test_before_the_host_was_asked(self, platform: dict[str, t.Any]) -> None:
        settings = plans.settings(deployment="container")
        assert release.release(settings, HostState(platform=platform), {}).needed

    @pytest.mark.parametrize(
        ("given", "stat", "found", "needed"),
        [
            ({}, {}, THERE, False),
            ({"package": "/a.tar", "package_sha256": "AB12"}, {}, THERE, False),
            ({"package": "/a.tar"}, {"sha256": "ab12"}, THERE, False),
            # An image of that name, but from another archive.
            ({"package": "/a.tar"}, {"sha256": "cd34"}, THERE, True),
            # Not known what the archive holds: the image that is there counts.
            ({"package": "https://mirror.example/a.tar"}, {}, THERE, False),
            ({"container_network": "net"}, {}, THERE, True),
            ({"container_network": "net"}, {}, {**THERE, "network": ["10.0.0.0/24"]}, False),
        ],
    )
    def test_needed(
        self,
        given: dict[str, t.Any],
        stat: dict[str, t.Any],
        found: dict[str, t.Any],
        needed: bool,
    ) -> None:
        assert self.plan(found, stat, **given).needed is needed

    def test_a_missing_network_needs_no_image(self) -> None:
        assert self.plan(self.THERE, container_network="net").image_needed is False

    def test_an_archive_is_what_there_is_to_bring(self) -> None:
        plan = self.plan(package="/srv/image.tar", package_source="host")
        assert (plan.file, plan.location, plan.path) == (
            "image.tar",
            "/srv/image.tar",
            "/srv/image.tar",
        )

    def test_installed_is_what_the_unit_starts(self) -> None:
        assert self.plan({**self.THERE, "version": "5.8.8"}).installed == "5.8.8"
