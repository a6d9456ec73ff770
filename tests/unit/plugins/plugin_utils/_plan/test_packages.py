# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.module_utils._package.facts import PackageFacts
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import HostState
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.packages import package_findings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.release import release
from ansible_collections.mqttops.emqx.tests.unit import plans

SHA = "a1" * 32
DEB = "emqx-5.8.9-debian12-amd64.deb"
FILE: dict[str, t.Any] = {"package": f"/tmp/{DEB}", "package_source": "controller"}
STAT = {"exists": True, "sha256": SHA, "sidecar": SHA}
GOOD = PackageFacts("deb", "emqx", "5.8.9", "amd64")


def found(
    stat: dict[str, t.Any] | None = None,
    opened: PackageFacts | None = None,
    host: HostState | None = None,
    **given: t.Any,
) -> list[Finding]:
    settings = plans.settings(**given)
    host = host or plans.host()
    stat = STAT if stat is None else stat
    return package_findings(settings, release(settings, host, stat), host, stat, opened)


def codes(*arguments: t.Any, **given: t.Any) -> list[str]:
    findings = found(*arguments, **given)
    assert all(each.subject.startswith("emqx_") for each in findings)
    return [each.code for each in findings]


@pytest.mark.parametrize(
    ("given", "stat"),
    [
        ({}, {}),
        (FILE, STAT),
        ({**FILE, "package_source": "host"}, STAT),
        ({**FILE, "package_sha256": SHA.upper()}, {"exists": True, "sha256": SHA, "sidecar": ""}),
        ({"package": f"https://mirror.example/{DEB}"}, {}),
        ({"package_source": "repository"}, {}),
        ({"deployment": "container"}, {}),
    ],
)
def test_nothing_is_wrong(given: dict[str, t.Any], stat: dict[str, t.Any]) -> None:
    assert codes(stat, GOOD if given.get("package_source") == "controller" else None, **given) == []


@pytest.mark.parametrize(
    ("given", "code", "subject"),
    [
        ({"package_source": "controller"}, "package_unset", "emqx_package"),
        ({"package_source": "host"}, "package_unset", "emqx_package"),
        ({**FILE, "package": "/tmp/emqx.zip"}, "package_format", "emqx_package"),
        ({**FILE, "package": "/tmp/emqx.rpm"}, "package_format", "emqx_package"),
        ({**FILE, "version": "5.8.8"}, "package_version", "emqx_version"),
        ({**FILE, "edition": "enterprise"}, "package_edition", "emqx_edition"),
        (
            {**FILE, "package": "/tmp/emqx-5.8.9-debian12-arm64.deb"},
            "package_arch",
            "emqx_package",
        ),
        ({**FILE, "deployment": "container"}, "package_format", "emqx_package"),
    ],
)
def test_names(given: dict[str, t.Any], code: str, subject: str) -> None:
    assert [(each.code, each.subject) for each in found(**given)] == [(code, subject)]


@pytest.mark.parametrize(
    ("stat", "code", "subject", "words"),
    [
        ({}, "package_missing", "emqx_package", f"no file /tmp/{DEB}"),
        (
            {**STAT, "sidecar": ""},
            "package_sha256",
            "emqx_package_sha256",
            f"neither emqx_package_sha256 nor /tmp/{DEB}.sha256",
        ),
        (
            {**STAT, "sha256": "b2" * 32},
            "package_sha256",
            "emqx_package_sha256",
            "b2b2",
        ),
    ],
)
def test_checksums(stat: dict[str, t.Any], code: str, subject: str, words: str) -> None:
    (finding,) = found(stat, **FILE)
    assert (finding.code, finding.subject) == (code, subject)
    assert words in finding.found


class TestTransfer:
    """A checksum that comes over the same plain connection as the package says nothing."""

    @pytest.mark.parametrize(
        ("given", "wrong"),
        [
            ({"package": f"http://mirror.example/{DEB}"}, True),
            ({"download_url": "HTTP://mirror.example"}, True),
            ({"package": f"http://mirror.example/{DEB}", "package_sha256": SHA}, False),
            ({"package": f"https://mirror.example/{DEB}"}, False),
            ({"package": "http://mirror.example/image.tar", "deployment": "container"}, True),
            ({"package_source": "repository"}, False),
        ],
    )
    def test_plain_http(self, given: dict[str, t.Any], wrong: bool) -> None:
        assert ("package_unverified" in codes({}, **given)) is wrong

    def test_not_where_nothing_is_left_to_be_fetched(self) -> None:
        host = plans.host(package_name="emqx", package_version="5.8.9")
        assert codes({}, host=host, download_url="http://mirror.example") == []


class TestContent:
    PLAIN: t.ClassVar[dict[str, t.Any]] = {**FILE, "package": "/tmp/emqx.deb"}

    @pytest.mark.parametrize(
        ("opened", "code", "words"),
        [
            (PackageFacts("deb", problem="it is a web page"), "package_unreadable", "a web page"),
            (PackageFacts("deb", "nginx", "1.22.1", "amd64"), "package_product", "nginx 1.22.1"),
            (
                PackageFacts("deb", "emqx", "5.8.8", "amd64"),
                "package_version",
                "version 5.8.8 in emqx.deb",
            ),
            (
                PackageFacts("deb", "emqx-enterprise", "5.8.9", "amd64"),
                "package_edition",
                "emqx-enterprise in emqx.deb",
            ),
            (PackageFacts("deb", "emqx", "5.8.9", "arm64"), "package_arch", "arm64 in emqx.deb"),
        ],
    )
    def test_what_was_read(self, opened: PackageFacts, code: str, words: str) -> None:
        (finding,) = found(STAT, opened, **self.PLAIN)
        assert finding.code == code
        assert words in finding.found

    def test_what_could_not_be_told_is_not_judged(self) -> None:
        assert codes(STAT, PackageFacts("deb"), **self.PLAIN) == []

    def test_what_name_and_content_say_is_said_once(self) -> None:
        given = {**FILE, "version": "5.8.8"}
        assert codes(STAT, GOOD, **given) == ["package_version"]

    def test_an_archive_of_an_image_is_no_package(self) -> None:
        given = {**FILE, "package": "/tmp/image.tar", "deployment": "container"}
        assert codes(STAT, PackageFacts("tar.gz", problem="x"), **given) == []
