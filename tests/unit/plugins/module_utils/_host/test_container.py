# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._host import container


class TestAnswers:
    def test_image(self) -> None:
        shown = json.dumps([{"Id": "ab", "RepoTags": ["docker.io/emqx/emqx:5.8.9"]}])
        assert container.parse_image(shown) == {"id": "ab", "names": ["docker.io/emqx/emqx:5.8.9"]}
        assert container.parse_image('[{"Id": "ab", "RepoTags": null}]')["names"] == []

    @pytest.mark.parametrize("shown", ["", "[]\n", "Error: no such image", "[1]"])
    def test_no_image_and_no_network(self, shown: str) -> None:
        assert container.parse_image(shown) == {"id": "", "names": []}
        assert container.parse_network(shown) is None

    @pytest.mark.parametrize(
        "shown",
        [
            {"subnets": [{"subnet": "10.1.0.0/24"}]},
            {"plugins": [{"ipam": {"ranges": [[{"subnet": "10.1.0.0/24"}]]}}, {"type": "portmap"}]},
            {"IPAM": {"Config": [{"Subnet": "10.1.0.0/24"}]}},
        ],
        ids=["podman", "podman 3", "docker"],
    )
    def test_network(self, shown: dict[str, t.Any]) -> None:
        assert container.parse_network(json.dumps([shown])) == ["10.1.0.0/24"]

    def test_unit(self) -> None:
        start = 'ExecStart=/usr/bin/podman "run" "--label=mqttops.emqx.version=6.3.0-beta.2"'
        assert container.unit_version(start) == "6.3.0-beta.2"
        assert container.unit_version("ExecStart=/bin/bash /usr/bin/emqx foreground") == ""
