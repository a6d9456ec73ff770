# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pyhocon
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx import hocon, hocon_tree
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon_reader import parse
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError

Config = t.Dict[str, t.Any]

ODD_CHARACTERS = '\\"\n\r\t\b\f\v\x01\x1b\x7f\x85\xa0 #/${}[],:=@~é\U0001f600\ufeff'
TEXT = st.lists(
    st.sampled_from(ODD_CHARACTERS)
    | st.characters(codec="utf-8", exclude_characters="\x00\u2028\u2029"),
    max_size=8,
).map("".join)
ODD_TEXT = TEXT | st.sampled_from(
    ["", "null", "true", "on", "5", "1.5", "5s", "10MB", "80%", "${a.b}", '"""', "\\\\", "//x"]
)
BARE_KEYS = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,5}", fullmatch=True)
ODD_KEYS = st.sampled_from(["a.b", "a b", " a", "a@b", "5", "null", "include", "é", "${a}", "#"])
QUOTED_KEYS = TEXT.filter(lambda key: key != "" and not key.endswith("\\"))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | ODD_TEXT
)


def configs(keys: st.SearchStrategy[str]) -> st.SearchStrategy[Config]:
    values = st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
        max_leaves=12,
    )
    return st.dictionaries(keys, values, max_size=4)


def plain(value: t.Any) -> t.Any:
    """Turn what pyhocon returns into ordinary values."""
    if isinstance(value, dict):
        return {key.strip('"'): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def without_empty_items(value: t.Any) -> t.Any:
    """Drop what pyhocon loses: it takes an empty string in a list for no item."""
    if isinstance(value, dict):
        return {key: without_empty_items(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_empty_items(item) for item in value if item not in ("", None)]
    return value


class TestRender:
    def test_layout_is_stable_and_keeps_the_order(self) -> None:
        config = {
            "node": {"name": "emqx@10.0.0.1", "role": "core"},
            "a": {},
            "cluster": {"static": {"seeds": ["emqx@10.0.0.1", "emqx@10.0.0.2"]}, "links": []},
            "sources": [{"type": "file", "enable": True}, {}, [1, [2]]],
            "x.y": None,
        }
        assert hocon.render(config) == (
            "node {\n"
            '  name = "emqx@10.0.0.1"\n'
            '  role = "core"\n'
            "}\n"
            "a = {}\n"
            "cluster {\n"
            "  static {\n"
            "    seeds = [\n"
            '      "emqx@10.0.0.1",\n'
            '      "emqx@10.0.0.2"\n'
            "    ]\n"
            "  }\n"
            "  links = []\n"
            "}\n"
            "sources = [\n"
            "  {\n"
            '    type = "file"\n'
            "    enable = true\n"
            "  },\n"
            "  {},\n"
            "  [\n"
            "    1,\n"
            "    [\n"
            "      2\n"
            "    ]\n"
            "  ]\n"
            "]\n"
            '"x.y" = null\n'
        )

    def test_indent(self) -> None:
        assert hocon.render({"a": {"b": 1}}, indent=4) == "a {\n    b = 1\n}\n"

    def test_nothing(self) -> None:
        assert hocon.render({}) == ""

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (True, "true"),
            (None, "null"),
            (-5, "-5"),
            (10**30, "1" + "0" * 30),
            (0.1, "0.1"),
            (1e-7, "0.0000001"),
            (1e21, "1" + "0" * 21 + ".0"),
            (-0.0, "-0.0"),
            ("5s", '"5s"'),
            ("null", '"null"'),
            ("${HOME}", '"${HOME}"'),
            ('a"b\\', '"a\\"b\\\\"'),
            ("a\nb\r\tc", '"a\\nb\\r\\tc"'),
            (" é\x1b ", '" é\x1b "'),
        ],
    )
    def test_scalar(self, value: t.Any, text: str) -> None:
        assert hocon.render({"k": value}) == f"k = {text}\n"

    @pytest.mark.parametrize(
        ("config", "words"),
        [
            ({"a": {"b": float("nan")}}, ["a.b", "nan"]),
            ({"a": [1, float("inf")]}, ["a.2", "inf"]),
            ({"a": {1883: "x"}}, ["1883", "int", "quotes"]),
            ({"a": {True: "x"}}, ["True", "bool"]),
            ({"a": {"": "x"}}, ["''", "empty"]),
            ({"a\\": "x"}, ["backslash"]),
            ({"a": {"b c": object()}}, ['a."b c"', "object"]),
            ({"a": {"b": {1, 2}}}, ["a.b", "set"]),
            ({"a": "x\u2028y"}, ["a holds", "U+2028"]),
            ({"a": "\x00"}, ["U+0000"]),
            ({"a": "\ud800"}, ["U+D800"]),
        ],
    )
    def test_refuses_what_emqx_cannot_read(self, config: Config, words: list[str]) -> None:
        with pytest.raises(InputError) as caught:
            hocon.render(config)
        for word in words:
            assert word in str(caught.value)

    def test_only_dictionaries(self) -> None:
        with pytest.raises(InputError, match="found list"):
            hocon.render(t.cast(Config, []))

    @given(configs(BARE_KEYS | ODD_KEYS))
    @settings(max_examples=150, deadline=None)
    def test_pyhocon_reads_the_same(self, config: Config) -> None:
        wanted = without_empty_items(config)
        assert plain(pyhocon.ConfigFactory.parse_string(hocon.render(wanted))) == wanted

    @given(configs(BARE_KEYS | QUOTED_KEYS))
    @settings(max_examples=300, deadline=None)
    def test_we_read_the_same(self, config: Config) -> None:
        text = hocon.render(config)
        assert parse(text) == config
        assert hocon.render(parse(text)) == text

    def test_every_value_ends_its_line(self) -> None:
        """EMQX's reader joins a string ending in a backslash with a later one on its line."""
        text = hocon.render({"a": ["x\\", "y"], "b": {"c": "\\", "d": "\\"}})
        assert [line.count('"') for line in text.split("\n") if '"' in line] == [2, 2, 2, 2]


PACKAGED = """\
## NOTE: a comment with "quotes" and { braces
node {
  name = "emqx@127.0.0.1"
  cookie = "emqxsecretcookie"  # not a secret
  data_dir = "/var/lib/emqx" // here
}

cluster {
  name = emqxcl
  discovery_strategy = manual
}
cluster.autoclean = 24h
node.max_ports: 1048576
listeners.tcp."my tcp" {bind = "0.0.0.0:1883", enable = true,}
dashboard { listeners { http { bind = 18083 } } }
log.file_handlers.default.level = warning, "quoted.key" = 1.50
list = [1, two, "three"
]
empty {
}
nothing = null
ratio = 80%
size = 10MB
"""


class TestParse:
    def test_packaged_style(self) -> None:
        assert parse(PACKAGED.replace('tcp."my tcp"', "tcp.my")) == {
            "node": {
                "name": "emqx@127.0.0.1",
                "cookie": "emqxsecretcookie",
                "data_dir": "/var/lib/emqx",
                "max_ports": 1048576,
            },
            "cluster": {"name": "emqxcl", "discovery_strategy": "manual", "autoclean": "24h"},
            "listeners": {"tcp": {"my": {"bind": "0.0.0.0:1883", "enable": True}}},
            "dashboard": {"listeners": {"http": {"bind": 18083}}},
            "log": {"file_handlers": {"default": {"level": "warning"}}},
            "quoted.key": 1.5,
            "list": [1, "two", "three"],
            "empty": {},
            "nothing": None,
            "ratio": "80%",
            "size": "10MB",
        }

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("a = 1\na = 2", {"a": 2}),
            ("a { b = 1 }\na { c = 2 }", {"a": {"b": 1, "c": 2}}),
            ("a.b = 1\na = 5\na.c = 2", {"a": {"c": 2}}),
            ("a = [1]\na = [2]", {"a": [2]}),
            ("{ a = 1 }", {"a": 1}),
            ("", {}),
            ("# only a comment", {}),
            ("\ufeffa = 1\r\nb = 2\r\n", {"a": 1, "b": 2}),
            ("a =\n  5", {"a": 5}),
            ('a = "\\u0041\\d"', {"a": "\\u0041\\d"}),
            ('a = "${x}"', {"a": "${x}"}),
            ("a = -1\nb = +2\nc = .5\nd = 1.0e-3", {"a": -1, "b": 2, "c": 0.5, "d": 0.001}),
            ('a = """x "y" \\n z"""', {"a": 'x "y" \\n z'}),
            ('a = """~\n    SELECT\n      *\n  ~"""', {"a": "SELECT\n  *\n"}),
            ('a = """~\n    one\n\n    two~"""', {"a": "one\n\ntwo"}),
            ('a = """~\n  x"""', {"a": "x"}),
            ('a = """~\n\n  x~"""', {"a": "\n  x"}),
        ],
    )
    def test_reads_as_emqx_does(self, text: str, value: Config) -> None:
        assert parse(text) == value

    @pytest.mark.parametrize(
        ("text", "line", "words"),
        [
            ("a = 1\nb = ${a}", 2, ["${a}"]),
            ('include "x.conf"', 1, ["a key", "include"]),
            ("a = 1\n\nb += 2", 3, ["'=', ':' or '{'"]),
            ("a = one two", 1, ["'=', ':' or '{'", "end of the text"]),
            ("a {\n b = 1\n", 3, ["a key", "end of the text"]),
            ("a = 1 }", 1, ["a key", "'}'"]),
            ("{ a = 1 } b = 2", 1, ["the end of the text", "'b'"]),
            ("a = [1 2]", 1, ["',' or ']'"]),
            ("a = [1", 1, ["',' or ']'"]),
            ('a = "open\n"', 1, ["expected"]),
            ("a..b = 1", 1, ["a key"]),
            ("= 1", 1, ["a key"]),
            ("a = 1e5", 1, ["'1e5'", "a number"]),
            ("a =", 1, ["a value", "end of the text"]),
            ("a = _x", 1, ["'_x'"]),
            ("a = /etc/x", 1, ["'/etc/x'"]),
        ],
    )
    def test_names_the_line_of_what_it_cannot_read(
        self, text: str, line: int, words: list[str]
    ) -> None:
        with pytest.raises(InputError) as caught:
            parse(text)
        assert caught.value.details["line"] == line
        assert f"Line {line} " in str(caught.value)
        for word in words:
            assert word in str(caught.value)

    def test_no_secret_in_an_error(self) -> None:
        with pytest.raises(InputError) as caught:
            parse('node { cookie = [1 "hunter2hunter2xx"] }')
        assert "hunter2" not in str(caught.value)


class TestExpand:
    @pytest.mark.parametrize(
        ("value", "expanded"),
        [
            ({"a.b": 1, "a": {"c": 2}}, {"a": {"b": 1, "c": 2}}),
            ({"a": {"b.c": 1, "b": {"d.e": 2}}}, {"a": {"b": {"c": 1, "d": {"e": 2}}}}),
            ({'"a.b"': 1, 'x."y.z".w': 2}, {"a.b": 1, "x": {"y.z": {"w": 2}}}),
            ({"a": [{"b.c": 1}, [{"d.e": 2}]]}, {"a": [{"b": {"c": 1}}, [{"d": {"e": 2}}]]}),
            ({"a.b": {}, "a": {"b": {"c": 1}}}, {"a": {"b": {"c": 1}}}),
            ({}, {}),
        ],
    )
    def test_dots_are_paths(self, value: Config, expanded: Config) -> None:
        assert hocon.expand(value) == expanded

    @pytest.mark.parametrize(
        ("value", "path"),
        [
            ({"a": 1, "a.b": 2}, "a"),
            ({"a.b": 2, "a": 1}, "a"),
            ({"x": {"a.b": 1, "a": {"b": 2}}}, "x.a.b"),
            ({"a.b": [1], "a": {"b": [2]}}, "a.b"),
        ],
    )
    def test_collision(self, value: Config, path: str) -> None:
        with pytest.raises(InputError, match="given twice") as caught:
            hocon.expand(value)
        assert caught.value.details["path"] == path

    @pytest.mark.parametrize("key", ["", ".", "a.", ".a", "a..b", '"a', 'a"b"', '"a"b'])
    def test_bad_path(self, key: str) -> None:
        with pytest.raises(InputError, match="not a path of keys"):
            hocon.expand({key: 1})

    def test_key_that_is_no_text(self) -> None:
        with pytest.raises(InputError, match=r"1883 at a.*int"):
            hocon.expand({"a": {1883: 1}})

    def test_leaves_its_input_alone(self) -> None:
        value = {"a": {"b.c": 1}, "a.b": {"d": 2}}
        hocon.expand(value)
        assert value == {"a": {"b.c": 1}, "a.b": {"d": 2}}


class TestMerge:
    def test_dictionaries_merge_and_all_else_is_replaced(self) -> None:
        base = {"a": {"b": 1, "c": [1, 2]}, "d": {"e": 1}, "f": 1}
        override = {"a": {"c": [3]}, "d": 5, "f": {"g": 1}, "h": None}
        merged = {"a": {"b": 1, "c": [3]}, "d": 5, "f": {"g": 1}, "h": None}
        assert hocon_tree.merge(base, override) == merged
        assert base == {"a": {"b": 1, "c": [1, 2]}, "d": {"e": 1}, "f": 1}

    @given(configs(BARE_KEYS))
    @settings(max_examples=50, deadline=None)
    def test_same_on_top_changes_nothing(self, config: Config) -> None:
        assert hocon_tree.merge(config, config) == config
        assert hocon_tree.merge({}, config) == config


class TestFlatten:
    def test_paths(self) -> None:
        config = {"a": {"b": {"c": 1}, "d.e": [{"f": 1}]}, "g": {}}
        assert hocon_tree.flatten(config) == {"a.b.c": 1, 'a."d.e"': [{"f": 1}], "g": {}}

    @given(st.dictionaries(TEXT, SCALARS | st.dictionaries(TEXT, SCALARS, max_size=3), max_size=4))
    @settings(max_examples=150, deadline=None)
    def test_expand_undoes_it(self, config: Config) -> None:
        assert hocon.expand(hocon_tree.flatten(config)) == config


def test_split_path() -> None:
    assert hocon.split_path('a."b.c"."d\\"e".f') == ["a", "b.c", 'd"e', "f"]
