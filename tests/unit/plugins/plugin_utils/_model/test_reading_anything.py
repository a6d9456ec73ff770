# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Any value for any variable of the argument specs: a finding that names it, or a value kept."""

from __future__ import annotations

import functools
import typing as t
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.mqttops.emqx.plugins.plugin_utils._model import checks_values, shown
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.reading import read
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings

SPECS = Path(__file__).parents[5] / "roles" / "emqx" / "meta" / "argument_specs.yml"
OPTIONS: dict[str, dict[str, t.Any]] = {
    name.partition("_")[2]: option
    for entry in yaml.safe_load(SPECS.read_text(encoding="utf-8"))["argument_specs"].values()
    for name, option in entry["options"].items()
}
NAMES = sorted(OPTIONS)
# These take a string as well as a list.
WITH_COMMAS = {"new_hosts", "remove_hosts", "phases"}
# Of these, and of each name of a list with commas, a newline at either end is no part.
TRIMMED = {"license", "k8s_token", *WITH_COMMAS}
BOOLEANS = {"y", "yes", "on", "1", "true", "t", "n", "no", "off", "0", "false", "f"}
SECRET = "Dont-Show-This-1"

some = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))

NULL = st.none()
TRUTH = st.booleans()
WHOLE = st.integers(-(10**25), 10**25)
FRACTIONS = st.floats()
INJECTED = st.builds(
    lambda before, mark, after: before + mark + after,
    st.sampled_from(["", "emqx", f"{SECRET}@"]),
    st.sampled_from(["\n", "\r\n", "\0", "\x1b[31m", "\u2028", "'\n\""]),
    st.sampled_from(["x", "ExecStartPre=/bin/id", SECRET]),
)
LISTS: st.SearchStrategy[t.Any] = st.one_of(
    st.just([]), st.just([SECRET]), st.just([[SECRET]]), st.lists(st.just({"a": SECRET}))
)
DICTIONARIES: st.SearchStrategy[t.Any] = st.one_of(
    st.just({}), st.just({"a": SECRET}), st.just({"a": {"b": [SECRET, None]}})
)
OTHER = st.sampled_from([b"x", object(), {1}])


def no_number(text: str) -> bool:
    return not text.strip().lstrip("+-").isdecimal()


def out_of_range(name: str) -> st.SearchStrategy[t.Any]:
    if name not in checks_values.RANGES:
        return st.nothing()
    low, high, _what = checks_values.RANGES[name]
    numbers = st.one_of(st.integers(max_value=low - 1), st.integers(min_value=high + 1))
    return st.one_of(numbers, numbers.map(str))


def injected(name: str) -> st.SearchStrategy[t.Any]:
    return INJECTED.filter(lambda text: name not in TRIMMED or not text.strip().isprintable())


def wrong_strings(name: str) -> st.SearchStrategy[t.Any]:
    choices = OPTIONS[name].get("choices")
    if choices:
        return st.text().filter(lambda text: text not in choices)
    return injected(name)


def wrong_lists(name: str) -> st.SearchStrategy[t.Any]:
    bad = st.one_of(NULL, TRUTH, FRACTIONS, DICTIONARIES, injected(name), st.just([SECRET]))
    listed = st.lists(bad, min_size=1, max_size=3)
    return listed if name in WITH_COMMAS else st.one_of(listed, st.text(), WHOLE)


def wrong(name: str) -> st.SearchStrategy[t.Any]:
    """Return values that no variable of this name may have."""
    kind = OPTIONS[name]["type"]
    if kind in ("str", "path"):
        return st.one_of(
            NULL, TRUTH, WHOLE, FRACTIONS, LISTS, DICTIONARIES, OTHER, wrong_strings(name)
        )
    if kind == "bool":
        words = st.text().filter(lambda text: text.strip().lower() not in {*BOOLEANS, ""})
        numbers = st.one_of(WHOLE, FRACTIONS).filter(lambda number: number not in (0, 1))
        nothing = st.nothing() if "default" not in OPTIONS[name] else st.one_of(NULL, st.just(""))
        return st.one_of(words, numbers, LISTS, DICTIONARIES, OTHER, nothing)
    if kind == "int":
        words = st.text().filter(no_number)
        return st.one_of(
            NULL, TRUTH, FRACTIONS, words, LISTS, DICTIONARIES, OTHER, out_of_range(name)
        )
    if kind == "dict":
        return st.one_of(NULL, TRUTH, WHOLE, FRACTIONS, st.text(), INJECTED, LISTS, OTHER)
    return st.one_of(NULL, TRUTH, FRACTIONS, DICTIONARIES, OTHER, wrong_lists(name))


# What "" stands for there follows from other variables.
RESOLVED = ("rpc_tls", "new_cookie", "cookie_file", "dashboard_password_file", "tls_ca_dir")
WORDS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-.äß", min_size=1, max_size=20)
VALUES: dict[str, list[t.Any]] = {
    "package": ["", "https://a.example/emqx.deb"],
    "version": ["5.8.9", "6.0.0-rc.1"],
    "cookie": ["", "abcdefghijklmnop"],
    "dashboard_password": ["", "correct horse", "12345678a"],
    "license": ["", "evaluation", "abc.def=="],
    "data_dir": ["", "/data/emqx"],
    "root_dir": ["/opt/emqx", "/srv/emqx-5"],
    "download_dir": ["/srv/cache"],
    "upgrade_dir": ["/srv/saved"],
    "rollback_package": ["", "/srv/emqx.deb"],
    "package_sha256": ["", "0a" * 32],
    "download_url": ["https://a.example/x?y=z#1", "http://u:p@a.example"],
    "repository_url": ["https://a.example/x"],
    "repository_key": ["file:///a.gpg"],
    "image": ["a.example:5000/b/c:1@sha256:00"],
    "container_name": ["emqx", "a.b_c-1"],
    "container_network": ["host", "emqx-net"],
    "container_subnet": ["10.0.0.0/8"],
    "container_ports": [[], ["1883", "1884:1883"]],
    "evacuate_redirect_to": [[], ["b1.example.org:1883", "[2001:db8::1]:1883"]],
    "restart_since": ["", "2026-12-01T06:30:00Z"],
    "tls_ca_dir": ["/a/b", "a"],
    "environment": [{}, {"EMQX_A__B": "x", "C": 1, "D": False}],
}


def right(name: str) -> st.SearchStrategy[t.Any]:
    """Return values, of the type that they are to have, which a variable of this name may have."""
    option = OPTIONS[name]
    if name in VALUES:
        return st.sampled_from(VALUES[name])
    if name == "phases":
        return st.lists(st.sampled_from(option["choices"]), min_size=1)
    if "choices" in option:
        return st.sampled_from([choice for choice in option["choices"] if choice])
    low, high, _what = checks_values.RANGES.get(name, (1, 825, ""))
    by_type: dict[str, t.Callable[[], st.SearchStrategy[t.Any]]] = {
        "bool": st.booleans,
        "int": lambda: st.integers(low, high),
        "dict": lambda: st.dictionaries(WORDS, st.one_of(WORDS, WHOLE, TRUTH, NULL)),
        "raw": lambda: st.lists(WORDS),
        "list": lambda: st.lists(st.integers(1, 65535) if option["elements"] == "int" else WORDS),
    }
    names = WORDS.map(lambda word: f"x{word}x")
    return by_type.get(option["type"], lambda: names)()


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_value_is_a_finding_that_names_its_variable(name: str) -> None:
    @some
    @given(wrong(name))
    def check(value: t.Any) -> None:
        found = read({f"emqx_{name}": value}, "n1", "/inventory")
        assert [each.subject for each in found.findings] == [f"emqx_{name}"]
        assert found.settings == read({}, "n1", "/inventory").settings
        for each in found.findings:
            assert each.sentence().isprintable()
            if name in shown.SECRETS:
                assert SECRET not in str(each.as_dict())

    check()


@pytest.mark.parametrize("name", NAMES)
def test_a_right_value_survives_unchanged(name: str) -> None:
    @some
    @given(right(name))
    def check(value: t.Any) -> None:
        found = read({f"emqx_{name}": value}, "n1", "/inventory")
        assert found.findings == ()
        expected = tuple(value) if isinstance(value, list) else value
        # An empty one may stand for what others say.
        if value != "":
            assert getattr(found.settings, name) == expected
            assert type(getattr(found.settings, name)) is type(expected)

    check()


ANYTHING = st.recursive(
    st.one_of(NULL, TRUTH, WHOLE, FRACTIONS, st.text(), INJECTED, OTHER),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@functools.lru_cache(maxsize=1)
def default() -> Settings:
    return read({}, "n1", "/inventory").settings


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=12))
def test_whatever_is_written_gives_settings_and_findings(values: dict[str, t.Any]) -> None:
    variables = {f"emqx_{name}": value for name, value in values.items()}
    found = read(variables, "n1", "/inventory")
    subjects = {each.subject for each in found.findings}
    for name in NAMES:
        value = getattr(found.settings, name)
        assert type(value) is type(getattr(default(), name))
        if f"emqx_{name}" in subjects and name not in RESOLVED:
            assert f"emqx_{name}" in variables
    assert subjects <= set(variables)
