# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from hostlab.errors import LabError
from hostlab.setup import check_system, missing


def test_debian_12_is_supported() -> None:
    check_system({"ID": "debian", "VERSION_ID": "12"})


@pytest.mark.parametrize(
    ("release", "named"),
    [
        (
            {"ID": "ubuntu", "VERSION_ID": "24.04", "PRETTY_NAME": "Ubuntu 24.04 LTS"},
            "Ubuntu 24.04",
        ),
        ({"ID": "debian", "VERSION_ID": "13", "PRETTY_NAME": "Debian 13"}, "Debian 13"),
        ({}, "an unnamed system"),
    ],
)
def test_others_are_named_along_with_what_is_supported(release: dict[str, str], named: str) -> None:
    with pytest.raises(LabError, match=rf"runs {named}.*Debian 12 \(bookworm\) only"):
        check_system(release)


def test_missing_tells_installed_from_known_and_removed() -> None:
    status = "podman installed\ncrun config-files\nnftables not-installed\nuidmap installed\n"
    wanted = ["podman", "crun", "nftables", "uidmap", "debootstrap"]
    assert missing(wanted, status) == ["crun", "nftables", "debootstrap"]
    assert missing(wanted, "") == wanted
