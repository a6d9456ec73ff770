# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon_reader import read_variable
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model import environment
from ansible_collections.mqttops.emqx.tests.unit.plans import settings

PLAIN = "EMQX_MQTT__RETAIN"
PASSWORD = "EMQX_DASHBOARD__DEFAULT_PASSWORD"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("MQtt#123", '"MQtt#123"'),
        ("a=b", '"a=b"'),
        ("a b", '"a b"'),
        ("http://h:1/x", '"http://h:1/x"'),
        ("0.0.0.0:1883", '"0.0.0.0:1883"'),
        ("# only a comment", '"# only a comment"'),
        ('say "hi"', '"say \\"hi\\""'),
        ("two\nlines", '"two\\nlines"'),
        ("007", '"007"'),
        ("1.50", '"1.50"'),
        ("[unclosed", '"[unclosed"'),
        ("${VAR}", '"${VAR}"'),
        ("", ""),
        # HOCON that means itself stays.
        ("5", "5"),
        ("5s", "5s"),
        ("80%", "80%"),
        ("true", "true"),
        ("null", "null"),
        ("word", "word"),
        ('"in quotes # too"', '"in quotes # too"'),
        ("[1, 2]", "[1, 2]"),
        ("{a = 1}", "{a = 1}"),
        # What YAML made of it.
        (5, "5"),
        (0.00001, "0.00001"),
        (True, "true"),
        (None, "null"),
        ([], "[]"),
        ([1, "a"], '[1, "a"]'),
        ({"a": [{"b": 1}, {"c": {}}], "d.e": "#"}, '{a = [{b = 1}, {c = {}}], "d.e" = "#"}'),
        ({"a": "ends\\", "b": 1}, '{\n  a = "ends\\\\"\n  b = 1\n}'),
        ({}, "{}"),
    ],
)
def test_a_value_reads_as_it_was_written(value: t.Any, text: str) -> None:
    assert environment.value_text(PLAIN, value) == text


@pytest.mark.parametrize("value", ["true", "123", "[a]", "{a = 1}", "null", "5s", "a#b"])
def test_a_password_is_a_text_whatever_it_looks_like(value: str) -> None:
    text = environment.value_text(PASSWORD, value)
    assert read_variable(text) == value


def test_a_password_in_quotes_of_hocon_stays() -> None:
    assert environment.value_text(PASSWORD, '"MQtt#123"') == '"MQtt#123"'


@given(value=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\u2028\u2029")))
def test_every_password_arrives(value: str) -> None:
    text = environment.value_text(PASSWORD, value)
    arrived = read_variable(text)
    assert arrived == value or value[0] == '"'


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="ascii"), max_size=8),
    lambda deeper: (
        st.lists(deeper, max_size=3)
        | st.dictionaries(st.from_regex("[a-z]{1,4}", fullmatch=True), deeper, max_size=3)
    ),
)


@given(value=JSON.filter(lambda value: isinstance(value, (list, dict))))
def test_lists_and_dictionaries_arrive(value: t.Any) -> None:
    if "\0" not in repr(value).replace("\\x00", "\0"):
        assert read_variable(environment.value_text(PLAIN, value)) == value


@pytest.mark.parametrize("name", ["HTTP_PROXY", "EMQX_WAIT_FOR_START", "ERL_FLAGS", "EMQX_LOG_DIR"])
def test_what_emqx_does_not_read_as_hocon_stays(name: str) -> None:
    assert environment.value_text(name, "http://p:1 # x") == "http://p:1 # x"
    assert environment.value_text(name, True) == "true"


@pytest.mark.parametrize(
    ("value", "line"),
    [('"MQtt#123"', '"\\"MQtt#123\\""'), ("a\\b", '"a\\\\b"'), ("$x `y`", '"$x `y`"')],
)
def test_quoted_for_systemd(value: str, line: str) -> None:
    assert environment.quoted(value) == line


def test_values_are_sorted() -> None:
    given = settings(environment={"EMQX_B": 1, "EMQX_A": "a#b"})
    assert environment.values(given) == {"EMQX_A": '"a#b"', "EMQX_B": "1"}


class TestFindings:
    def remedies(self, **variables: t.Any) -> list[str]:
        found = environment.environment_findings(settings(environment=variables))
        assert all(
            (each.severity, each.subject) == ("warning", "emqx_environment") for each in found
        )
        return [each.remedy for each in found]

    @pytest.mark.parametrize(
        "name",
        [
            "EMQX_DASHBOARD__DEFAULT_PASSWORD",
            "EMQX_LOG__CONSOLE__LEVEL",
            "EMQX_WAIT_FOR_START",
            "EMQX_LISTENERS__TCP__DEFAULT__BIND",
            "EMQX_SOME_PLUGIN__KEY",
            "HTTP_PROXY",
            "LANG",
            "EMQX_AUTHENTICATION__1__MECHANISM",
        ],
    )
    def test_sound_names(self, name: str) -> None:
        assert self.remedies(**{name: "1"}) == []

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("EMQX_NAME", "emqx_node_name"),
            ("EMQX_HOST", "emqx_node_address"),
            ("EMQX_CLUSTER__DISCOVERY", "emqx_discovery_strategy"),
            ("EMQX_LISTENER__TCP__EXTERNAL", "EMQX_LISTENERS__TCP__DEFAULT__BIND"),
            ("EMQX_ALLOW_ANONYMOUS", "authentication"),
            ("EMQX_AUTH__MYSQL__SERVER", "authentication"),
            ("cluster__discovery_strategy", "EMQX_CLUSTER__DISCOVERY_STRATEGY"),
            ("emqx_mqtt__max_packet_size", "EMQX_MQTT__MAX_PACKET_SIZE"),
            ("EMQX_DASHBORD__DEFAULT_PASSWORD", "EMQX_DASHBOARD__"),
        ],
    )
    def test_names_that_do_nothing(self, name: str, words: str) -> None:
        (remedy,) = self.remedies(**{name: "1"})
        assert words in remedy

    def test_a_reference_that_stays_text(self) -> None:
        (remedy,) = self.remedies(EMQX_DASHBOARD__DEFAULT_PASSWORD="${DASHBOARD_PASSWORD}")
        assert "lookup" in remedy

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("EMQX_LISTENERS__SSL__DEFAULT__SSL_OPTIONS__CERTFILE", "${EMQX_ETC_DIR}/cert.pem"),
            ("EMQX_RETAINER__X", "${clientid}"),
            ("EMQX_API_KEY__BOOTSTRAP_FILE", "${FILE}"),
        ],
    )
    def test_references_that_emqx_resolves(self, name: str, value: str) -> None:
        assert self.remedies(**{name: value}) == []

    def test_no_value_is_shown(self) -> None:
        given = settings(environment={"EMQX_DASHBOARD__DEFAULT_PASSWORD": "${SECRET}hunter2"})
        assert "hunter2" not in repr(environment.environment_findings(given))
