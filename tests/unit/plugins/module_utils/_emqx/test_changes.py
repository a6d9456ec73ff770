# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx import changes as _config
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx import (
    hocon,
    masked_files,
    refusal,
    secret_values,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.module_utils._host import rights

CONF, ENV = "/etc/emqx/emqx.conf", "/etc/mqttops-emqx/emqx.env"
UNIT = "/etc/systemd/system/emqx.service"
UNREADABLE = "node { cookie = ${COOKIE}\n"


class TestBootChanges:
    @pytest.mark.parametrize(
        ("before", "after", "changes"),
        [
            ('dashboard.default_password = "a"', 'dashboard.default_password = "b"', []),
            ('cluster.static.seeds = ["a@b.c"]', 'cluster.static.seeds = ["d@b.c"]', []),
            ("a = 1 # old\n", "// new\n\na  :  1", []),
            ("a { b = 1, c = 2 }", "a.c = 2\na.b = 1", []),
            ("a = [{x = 1, y = 2}]", "a = [{y = 2, x = 1}]", []),
            ("a = 1", "a = 1\nb.c = 2", ["b.c"]),
            ("a = 1\nb.c = 2", "a = 1", ["b.c"]),
            ("a = 1\nb = 2", "a = 3\nb = 2", ["a"]),
            ("a = null", "", ["a"]),
            ("a = null", "a = null # yes", []),
            ("a = 1", "a = true", ["a"]),
            ("a = 1", 'a = "1"', ["a"]),
            ("a = 1", "a = 1.0", ["a"]),
            (None, "# only a comment\n", []),
            (None, "a = 1", ["a"]),
            ("a = 1", None, ["a"]),
            (None, None, []),
            (UNREADABLE, UNREADABLE, []),
            (UNREADABLE, "a = 1", [CONF, "a"]),
            ("a = 1", UNREADABLE, [CONF, "a"]),
            (UNREADABLE, UNREADABLE + "b = ${B}", [CONF]),
        ],
    )
    def test_emqx_conf_is_compared_key_by_key(
        self, before: str | None, after: str | None, changes: list[str]
    ) -> None:
        assert _config.boot_changes({CONF: before}, {CONF: after}) == changes

    @pytest.mark.parametrize(
        ("before", "after", "changes"),
        [("a", "a", []), (None, "", []), (None, "a", [UNIT]), ("a", "# b\na", [UNIT])],
    )
    def test_other_files_count_as_a_whole(
        self, before: str | None, after: str | None, changes: list[str]
    ) -> None:
        assert _config.boot_changes({UNIT: before}, {UNIT: after}) == changes

    @pytest.mark.parametrize(
        ("before", "after", "changes"),
        [
            ('A="1"\n', '# b\nA="1"\n', []),
            (None, 'EMQX_RPC__PROTOCOL="ssl"', ["rpc.protocol"]),
            ('EMQX_CLUSTER__PROTO_DIST="inet_tls"\n', "", ["cluster.proto_dist"]),
            ('EMQX_NODE_COOKIE="a"\nB="2"\n', 'EMQX_NODE_COOKIE="b"\nB="2"\n', ["node.cookie"]),
            ('ERL_FLAGS="+S 1"', 'ERL_FLAGS="+S 2"', ["ERL_FLAGS"]),
            ('A="1\n2"\n', 'A="1\n3"\n', ["A"]),
        ],
    )
    def test_an_environment_is_compared_by_the_keys_that_it_overrides(
        self, before: str | None, after: str | None, changes: list[str]
    ) -> None:
        assert _config.boot_changes({ENV: before}, {ENV: after}) == changes

    def test_files_are_taken_together_and_sorted(self) -> None:
        before = {CONF: "b = 1", "/etc/emqx/base.hocon": None, UNIT: "x"}
        after = {CONF: "b = 2", "/etc/emqx/base.hocon": "a = 1", UNIT: "y"}
        assert _config.boot_changes(before, after) == [UNIT, "a", "b"]

    def test_a_file_that_was_not_recorded_counts_as_missing(self) -> None:
        assert _config.boot_changes({}, {CONF: "a = 1"}) == ["a"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/etc/emqx/emqx.conf", True),
        ("/etc/emqx/base.hocon", True),
        ("/etc/emqx/ssl_dist.conf", False),
        ("/etc/emqx/vm.args", False),
        ("/etc/systemd/system/emqx.service.d/50-mqttops.conf", False),
    ],
)
def test_is_hocon(path: str, expected: bool) -> None:
    assert _config.is_hocon(path) is expected


def test_cluster_wide() -> None:
    keys = ["rpc.server_port", "mqtt.max_packet_size", "node.cookie", "node.name", CONF]
    assert _config.cluster_wide(keys) == ["node.cookie", "rpc.server_port"]


SECRETS = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=8, max_size=20).map(
    "S3c".__add__
)
SECRET_KEYS = st.sampled_from(
    [
        "node.cookie",
        "dashboard.default_password",
        "license.key",
        "a.private_key",
        "a.ssl.passphrase",
        "connectors.http.x.headers.Authorization",
        'a."b.c".client_secret',
        "x.access-token",
        "X.PASSWD",
    ]
)


def _as_env(key: str) -> str:
    return "EMQX_" + key.replace('"', "").replace("-", "_").replace(".", "__").upper()


@st.composite
def hocon_with_secret(draw: st.DrawFn) -> tuple[str, str]:
    """A HOCON text and the secret that stands somewhere in it."""
    secret, key = draw(SECRETS), draw(SECRET_KEYS)
    tree: dict[str, t.Any] = draw(
        st.sampled_from(
            [
                {key: secret},
                {key: [secret, "x"]},
                {"list": [{"name": "n", key: secret}, {"other": 1}]},
                {"url": f"mysql://user:{secret}@db.example/d"},
                {"pem": f"-----BEGIN EC PRIVATE KEY-----\n{secret}\n-----END EC PRIVATE KEY-----"},
            ]
        )
    )
    return hocon.render(hocon.expand({"node.name": "emqx@10.0.0.1", **tree})), secret


# What only EMQX's reader takes, so that texts are shown line by line.
BROKEN = "\ninclude file\n"


class TestMaskedTexts:
    @given(hocon_with_secret(), hocon_with_secret(), st.sampled_from(["", BROKEN]))
    def test_no_secret_of_hocon_is_shown(
        self, old: tuple[str, str], new: tuple[str, str], rest: str
    ) -> None:
        shown = masked_files.masked_texts(CONF, old[0] + rest, new[0] + rest)
        for text in shown:
            assert old[1] not in text and new[1] not in text
            assert "emqx@10.0.0.1" in text

    @given(SECRETS, SECRET_KEYS)
    def test_no_secret_of_an_environment_is_shown(self, secret: str, key: str) -> None:
        name = _as_env(key)
        before = f'EMQX_LOG__LEVEL="debug"\n{name}="{secret}"\n'
        after = f'EMQX_LOG__LEVEL="debug"\n{name}="{secret}2"\n'
        assert masked_files.masked_texts(ENV, before, after) == (
            f'EMQX_LOG__LEVEL="debug"\n{name}=********\n',
            f'EMQX_LOG__LEVEL="debug"\n{name}=******** (changed)\n',
        )

    @pytest.mark.parametrize(
        "text",
        [
            "  # cookie = Hidden",
            '"password" : "Hidden"',
            "mysql { username = root, password = Hidden, pool = 8 }",
            'license {\n  key = "Hidden"\n}',
            'password =\n\n  "Hidden"',
            'password = """\nHidden\n"""',
            'secret = [\n  "Hidden",\n  "Hidden"\n]',
            'EMQX_X__CERT="-----BEGIN RSA PRIVATE KEY-----\nHidden\n-----END RSA PRIVATE KEY-----"',
            'EMQX_X__URL="https://user:Hidden@example.com/"',
            'EMQX_A__PASSWORD="two\nHidden lines"',
            'Environment="EMQX_NODE__COOKIE=Hidden"',
            "a = 1 # the password: Hidden",
        ],
    )
    def test_lines_hide_secrets_in_any_form(self, text: str) -> None:
        before, after = masked_files.masked_texts(
            ENV, f"A=1\n{text}\nB=2\n", f"A=1\n{text}\nB=2\nC=3\n"
        )
        assert "Hidden" not in before + after
        assert before.startswith("A=1\n") and before.endswith("\nB=2\n")
        assert after == before + "C=3\n"

    def test_a_secret_without_its_end_hides_the_rest(self) -> None:
        text = "A=1\n-----BEGIN PRIVATE KEY-----\nHidden\nB=2\n"
        assert masked_files.masked_texts(ENV, None, text)[1] == "A=1\n********\n"

    @pytest.mark.parametrize(
        ("before", "after", "shown"),
        [
            ('node.cookie = "a"', 'node.cookie = "b"', 'cookie = "******** (changed)"'),
            ('"b.c" { password = x }', '"b.c" { password = y }', 'password = "******** (changed)"'),
            ("l = [{password = x}]", "l = [{password = y}]", 'password = "******** (changed)"'),
            ('u = "db://u:x@h"', 'u = "db://u:y@h"', 'u = "db://u:********@h (changed)"'),
            ("token = 1", "token = 2", 'token = "******** (changed)"'),
            ("token = 1", "token = 1\na = 1", 'token = "********"\n'),
            ("", "token = 1", 'token = "********"\n'),
            ("token = ${A}", "token = ${B}", "token = ******** (changed)"),
            ("token = ${A}", "token = ${A}\na = 1", "token = ********\n"),
        ],
    )
    def test_a_changed_secret_can_be_seen(self, before: str, after: str, shown: str) -> None:
        old, new = masked_files.masked_texts(CONF, before, after)
        assert shown in new
        assert "(changed)" not in old

    def test_layout_and_comments_are_no_difference(self) -> None:
        before, after = masked_files.masked_texts(CONF, "# old\na { b = 1 }", "a.b : 1 // new\n")
        assert before == after == "a {\n  b = 1\n}\n"

    def test_a_new_file_has_no_before(self) -> None:
        assert masked_files.masked_texts(CONF, None, "a = 1") == ("", "a = 1\n")
        assert masked_files.masked_texts(ENV, None, "A=1") == ("", "A=1\n")

    def test_ordinary_values_stay_readable_in_lines(self) -> None:
        text = "[Service]\nLimitNOFILE=5\nEnvironmentFile=-/etc/mqttops-emqx/emqx.env\n"
        assert masked_files.masked_texts(ENV, text, text + "User=x\n") == (text, text + "User=x\n")


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("EMQX_NODE__COOKIE", "node.cookie"),
        ("EMQX_NODE_COOKIE", "node.cookie"),
        ("EMQX_NODE_NAME", "node.name"),
        ("EMQX_LISTENERS__TCP__DEFAULT__MAX_CONNECTIONS", "listeners.tcp.default.max_connections"),
        ("ERL_FLAGS", ""),
    ],
)
def test_environment_key(name: str, key: str) -> None:
    assert _config.environment_key(name) == key


def test_secret_values() -> None:
    texts = ['node.cookie = "cook1e"\na = [{password = "p4ss"}]\nlicense.key = 12345', UNREADABLE]
    environment = {"EMQX_DASHBOARD__DEFAULT_PASSWORD": "0dashboard", "EMQX_LOG__LEVEL": "debug"}
    assert secret_values.secret_values(texts, environment) == {
        "cook1e",
        "p4ss",
        "12345",
        "0dashboard",
    }


@pytest.mark.parametrize("value", ["MQtt#123", '"MQtt#123"'])
def test_secrets_of_an_environment_are_known_as_emqx_reads_them(value: str) -> None:
    found = secret_values.secret_values([], {"EMQX_DASHBOARD__DEFAULT_PASSWORD": value})
    assert found & {"MQtt#123", "MQtt"}
    assert value in found


def test_secret_values_leaves_out_what_any_message_holds() -> None:
    assert secret_values.secret_values(["password = abc"], {}) == set()


# From here on word for word from EMQX 5.8.9.
CALL_1 = (
    "ERROR: call_hocon_failed: -v -s emqx_conf_schema -c /opt/n2/etc/base.hocon -c "
    "/opt/n2/data/configs/cluster.hocon -c /opt/n2/etc/emqx.conf check_schema\n"
)
CALL_127 = (
    "  in function  hocon_tconf:assert/2 (hocon_tconf.erl, line 1237)\n"
    "  in call from hocon_tconf:map/4 (hocon_tconf.erl, line 300)\n"
    "  in call from escript:run/2 (escript.erl, line 750)\n"
    "  in call from init:do_boot/3 \n"
    "ERROR: call_hocon_failed: -s emqx_conf_schema -c /opt/n2/etc/emqx.conf multi_get "
    "node.data_dir node.name node.cookie node.db_backend cluster.proto_dist "
    "node.dist_net_ticktime\n"
)
LOG = "2026-11-23T11:29:53.208986+00:00 [error] failed_to_check_schema: emqx_conf_schema\n"
UNKNOWN_FIELD = """\
escript: exception throw: {emqx_conf_schema,[#{kind => validation_error,path => "node",
                                      reason => unknown_fields,
                                      unknown => "nosuch",
                                      unmatched =>
                                          "applications,backtrace_depth,..."}]}
"""
ENUM = """\
escript: exception throw: {emqx_conf_schema,[#{kind => validation_error,
                                      path => "cluster.discovery_strategy",
                                      reason =>
                                          unable_to_convert_to_enum_symbol,
                                      value => <<"bogus">>}]}
"""
DURATION = """\
escript: exception throw: {emqx_conf_schema,[#{kind => validation_error,
                                      path => "cluster.autoclean",
                                      reason => "Not a valid duration",
                                      value => <<"banana">>}]}
"""
REPLICANT = """\
escript: exception throw: {emqx_conf_schema,[#{kind => validation_error,
                                      path => "node.role",
                                      reason =>
                                          "Node role 'replicant' is only allowed in Enterprise \
edition since 5.8.0",
                                      value => replicant}]}
"""
SYNTAX = (
    '[error]: {parse_error,#{file => "/opt/n2/etc/emqx.conf",line => 18,reason => '
    '"syntax error before: "}}\n\n'
)
BYTESIZE = (
    LOG + "2026-11-23T11:29:53.213387+00:00 [error] #{kind => validation_error,path => "
    '"mqtt.max_packet_size",reason => "Not a valid bytesize",value => <<"abc">>}\n'
)
BIND = (
    LOG + "2026-11-23T11:30:10.266554+00:00 [error] #{kind => validation_error,matched_type => "
    '"emqx:mqtt_tcp_listener",path => "listeners.tcp.default.bind",reason => bad_ip_port,'
    'value => <<"127.0.0.1:99999">>}\n'
)
SHORT_NAME = (
    LOG + "2026-11-23T11:30:54.624940+00:00 [error] #{exception => {error,{badmatch,"
    '["emqx2"]}},kind => validation_error,reason => integrity_validation_crash,stacktrace => '
    '[{emqx_conf_schema,validate_cluster_strategy,1,[{file,"emqx_conf_schema.erl"},{line,1614}]},'
    '{hocon_tconf,assert_integrity,4,[{file,"hocon_tconf.erl"},{line,179}]}\n'
)
BAD_NAME = "ERROR: Invalid node name, should be of format '^[0-9A-Za-z_-]+$'.\n"
NO_FILE = "ERROR: emqx.conf is not found in /opt/n2/etc\n"


class TestExplainRefusal:
    @pytest.mark.parametrize(
        ("stdout", "stderr", "reason"),
        [
            ("", UNKNOWN_FIELD + CALL_127, 'node: unknown_fields "nosuch"'),
            (
                "",
                ENUM + CALL_127,
                'cluster.discovery_strategy: unable_to_convert_to_enum_symbol "bogus"',
            ),
            ("", DURATION + CALL_127, 'cluster.autoclean: Not a valid duration "banana"'),
            (
                "",
                REPLICANT + CALL_127,
                "node.role: Node role 'replicant' is only allowed in Enterprise edition since "
                "5.8.0 replicant",
            ),
            ("", SYNTAX + CALL_127, "line 18: syntax error"),
            (BYTESIZE, CALL_1, 'mqtt.max_packet_size: Not a valid bytesize "abc"'),
            (BIND, CALL_1, 'listeners.tcp.default.bind: bad_ip_port "127.0.0.1:99999"'),
            (
                SHORT_NAME,
                CALL_1,
                'the file: integrity_validation_crash {error,{badmatch,["emqx2"]}}',
            ),
            ("", BAD_NAME, BAD_NAME.strip()),
            ("", NO_FILE, NO_FILE.strip()),
            ("", "", "it gave no reason"),
            ("", CALL_1, CALL_1.strip()),
            ("something new\n", CALL_1, "something new"),
        ],
    )
    def test_recorded_failures(self, stdout: str, stderr: str, reason: str) -> None:
        assert refusal.explain_refusal(stdout, stderr) == reason

    def test_all_faults_are_named_once_each_with_its_own_fields(self) -> None:
        faults = (
            '[#{kind => validation_error,path => "node.role",reason => bad},'
            '#{kind => validation_error,path => "dashboard.default_password",'
            'reason => "too short",value => <<"hushhush">>},'
            '#{kind => validation_error,path => "node",reason => unknown_fields,unknown => "x"},'
            '#{kind => validation_error,path => "node.role",reason => bad}]'
        )
        assert refusal.explain_refusal("", faults) == (
            "node.role: bad; dashboard.default_password: too short ********; "
            'node: unknown_fields "x"'
        )

    @given(SECRETS, SECRET_KEYS)
    def test_a_secret_is_never_quoted(self, secret: str, key: str) -> None:
        path = key.replace('"', "")
        shown = refusal.explain_refusal(
            f'#{{kind => validation_error,path => "{path}",reason => bad,value => <<"{secret}">>}}',
            "",
        )
        assert shown == f"{path}: bad ********"

    @pytest.mark.parametrize(
        "text",
        [
            '#{path => "a.b",reason => "cannot parse Hidden1",value => <<"x">>}',
            '#{path => "a.b",reason => bad,value => <<"http://u:Hidden1@example.com">>}',
            "#{exception => {badmatch,Hidden1},kind => validation_error,reason => crash}",
            '[error]: {parse_error,#{file => "/f",line => 3,reason => '
            '"syntax error before: Hidden1"}}',
            "panic: Hidden1 is not good",
            '#{reason => bad,value => <<"Hidden1">>}',
        ],
    )
    def test_known_secrets_are_kept_out_of_any_text(self, text: str) -> None:
        answer = refusal.explain_refusal("", text, {"Hidden1"})
        assert "Hidden1" not in answer and len(answer) > 10

    @pytest.mark.parametrize(
        "text",
        [
            '#{line => 3,reason => "syntax error before: Hidden1"}',
            '#{reason => bad,value => <<"Hidden1">>}',
        ],
    )
    def test_text_of_an_unknown_place_is_not_quoted(self, text: str) -> None:
        assert "Hidden1" not in refusal.explain_refusal("", text)

    def test_a_value_broken_over_lines_is_joined(self) -> None:
        text = '#{path => "a.b",reason => {bad,[value]},value => <<"one "\n      "two"/utf8>>}'
        assert refusal.explain_refusal(text, "") == 'a.b: {bad,[value]} "one two"'


class TestPendingFiles:
    WANTED: t.ClassVar[dict[str, str]] = {
        "path": CONF,
        "content": "a = \u00e9\n",
        "owner": "root",
        "group": "emqx",
        "mode": "0640",
    }
    STATE: t.ClassVar[dict[str, t.Any]] = {
        "exists": True,
        "sha256": hashlib.sha256("a = \u00e9\n".encode()).hexdigest(),
        "owner": "root",
        "group": "emqx",
        "uid": "0",
        "gid": "990",
        "mode": "0640",
    }

    def test_a_file_as_desired(self) -> None:
        assert rights.is_as_desired(self.WANTED, self.STATE)

    @pytest.mark.parametrize(
        "other",
        [
            {"sha256": "0" * 64},
            {"owner": "emqx", "uid": "990"},
            {"group": "root", "gid": "0"},
            {"mode": "0644"},
            {
                "exists": False,
                **dict.fromkeys(("sha256", "owner", "group", "uid", "gid", "mode"), ""),
            },
        ],
    )
    def test_any_difference_counts(self, other: dict[str, t.Any]) -> None:
        assert not rights.is_as_desired(self.WANTED, {**self.STATE, **other})

    def test_a_number_says_the_same_as_the_name(self) -> None:
        numbered = {**self.WANTED, "owner": "0", "group": "990"}
        assert rights.is_as_desired(numbered, self.STATE)
        assert not rights.is_as_desired({**numbered, "group": "991"}, self.STATE)

    # 416 is what YAML makes of 0640 without quotes.
    @pytest.mark.parametrize("mode", [416, "416", "640", "u=rw", "", "0680"])
    def test_an_unclear_mode_is_refused(self, mode: t.Any) -> None:
        with pytest.raises(InputError, match=r"mode of /etc/emqx/emqx\.conf .* four octal digits"):
            rights.is_as_desired({**self.WANTED, "mode": mode}, self.STATE)
