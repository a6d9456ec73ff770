# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import inspect
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.mqttops.emqx.plugins.filter import (
    restart_plan,
    tuning_plan,
)

MODULES = (restart_plan, tuning_plan)
FILTERS: dict[str, t.Callable[..., t.Any]] = {
    name: function
    for module in MODULES
    for name, function in module.FilterModule().filters().items()
}


def test_each_file_holds_the_filter_of_its_name() -> None:
    assert list(FILTERS) == [module.__name__.rpartition(".")[2] for module in MODULES]


def test_tuning_plan() -> None:
    wanted = {"net.core.somaxconn": 32768}
    assert FILTERS["tuning_plan"]({"net.core.somaxconn": "4096"}, wanted, [4370]) == {
        "values": {"net.core.somaxconn": "32768"},
        "pending": ["net.core.somaxconn"],
        "skipped": [],
    }


def test_restart_plan() -> None:
    states = {
        host: {"role": "core", "active": True, "stale": ["node.cookie"]} for host in ("n1", "n2")
    }
    assert FILTERS["restart_plan"](states, ["n2"]) == {
        "stop": ["n1", "n2"],
        "start": [],
        "restart": ["n1"],
        "last": ["n2"],
        "replicants": [],
        "cores_start": True,
        "full": True,
        "keys": ["node.cookie"],
    }


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        (
            "tuning_plan",
            ({"fs.file-max": "1"}, {"fs.file-max": "2M"}, []),
            "fs.file-max in emqx_tuning_sysctl",
        ),
    ],
)
def test_wrong_input_is_an_error_that_says_so(
    name: str, arguments: tuple[t.Any, ...], message: str
) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        FILTERS[name](*arguments)
    assert message in str(caught.value)


@pytest.mark.parametrize("module", MODULES, ids=FILTERS)
def test_the_documentation_names_the_arguments(module: t.Any) -> None:
    text = Path(module.__file__).with_suffix(".yml").read_text(encoding="utf-8")
    documentation = yaml.safe_load(text)["DOCUMENTATION"]
    _input, *arguments = inspect.signature(FILTERS[documentation["name"]]).parameters
    assert list(documentation["options"]) == ["_input", *arguments]
    assert documentation.get("positional", "") == ", ".join(arguments)
