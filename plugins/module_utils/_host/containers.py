# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What there is on a host for a node in a container."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._host.container import (
    parse_image,
    parse_network,
    unit_version,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._host.files import read_text
from ansible_collections.mqttops.emqx.plugins.module_utils._host.run import Runner
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json


def container(run: Runner, wanted: t.Mapping[str, str], unit: str) -> Json:
    """Return what there is for a node in a container: ``engine`` (bool), ``image`` (``id`` and
    ``names``), ``network`` (its subnets, None where there is none), and the ``version`` that the
    unit starts in one.

    ``wanted`` names ``engine``, ``image`` and ``network``; {} where no container is wanted.
    """
    answer: Json = {
        "engine": False,
        "image": parse_image(""),
        "network": None,
        "version": unit_version(read_text(f"/etc/systemd/system/{unit}") or ""),
    }
    engine = f"/usr/bin/{wanted['engine']}" if wanted else ""
    if not os.path.exists(engine):
        return answer
    answer["engine"] = True
    # Both print [] and fail where there is none.
    _rc, stdout, _stderr = run([engine, "image", "inspect", wanted["image"]])
    answer["image"] = parse_image(stdout)
    if wanted["network"] != "host":
        _rc, stdout, _stderr = run([engine, "network", "inspect", wanted["network"]])
        answer["network"] = parse_network(stdout)
    return answer
