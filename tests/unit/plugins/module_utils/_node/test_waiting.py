# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import ParseError
from ansible_collections.mqttops.emqx.plugins.module_utils._node.ctl import NO_PROCESS, Ctl
from ansible_collections.mqttops.emqx.plugins.module_utils._node.view import View, read_view
from ansible_collections.mqttops.emqx.plugins.module_utils._node.waiting import hopeless
from ansible_collections.mqttops.emqx.tests.unit.scripted import N1, N2, N3, ScriptedRunner, view


def booting(copying_tables: str = "", waiting_tables: str = "", waiting_nodes: str = "") -> View:
    answer = view(
        N1,
        [],
        ready="false",
        copying_tables=copying_tables,
        waiting_tables=waiting_tables,
        waiting_nodes=waiting_nodes,
    )
    return read_view(*answer)


class TestTables:
    def test_copied_tables_are_not_waited_for(self) -> None:
        found = booting(copying_tables="emqx_acl emqx_psk", waiting_nodes="")
        assert found.copying_tables == ("emqx_acl", "emqx_psk")
        assert found.reason == "copying table(s) emqx_acl, emqx_psk from the other members"
        assert hopeless(found, [N1]) == ""

    def test_tables_of_nodes_that_are_down(self) -> None:
        found = booting(waiting_tables="emqx_acl", waiting_nodes=N3)
        assert (found.waiting_for_tables, found.waiting_for_nodes) == (("emqx_acl",), (N3,))
        assert f"waiting for table(s) emqx_acl from {N3}" in found.reason

    @pytest.mark.parametrize(
        ("starting", "vain"), [([N1, N2], True), ([N1, N3], False), ([], False)]
    )
    def test_waiting_in_vain(self, starting: list[str], vain: bool) -> None:
        reason = hopeless(booting(waiting_tables="emqx_acl", waiting_nodes=N3), starting)
        assert bool(reason) is vain
        assert not vain or N3 in reason

    def test_nothing_is_on_its_way_where_nobody_else_runs(self) -> None:
        alone, beside = (
            read_view(
                *view(
                    N1,
                    running,
                    ready="false",
                    waiting_tables="emqx_acl",
                    waiting_nodes=N3,
                    copying_tables="emqx_psk",
                )
            )
            for running in ([N1], [N1, N2])
        )
        assert N3 in hopeless(alone, [N1])
        assert hopeless(beside, [N1]) == ""

    def test_no_view_is_no_reason(self) -> None:
        assert hopeless(None, [N1]) == ""


def test_a_node_that_does_not_run_is_not_asked() -> None:
    found = Ctl(ScriptedRunner(), as_root=False, is_down=lambda: True).view()
    assert (found.state, found.reason, found.installed) == ("down", NO_PROCESS, True)


class TestAnswersThatAreNone:
    @pytest.mark.parametrize(
        "lines",
        [
            ["node"],
            ["node x", "uptime " + "9" * 9999, "rpc_server_port -1", "done"],
            ["node x", "data no_such_table x", "data emqx_acl x", "sync a=b =", "done"],
            [
                "node x",
                "peer_",
                "peer_running",
                "peer_config x y",
                "of",
                "of y",
                "of z a b",
                "done",
            ],
            ["done", "running x"],
        ],
    )
    def test_make_a_view_or_a_parse_error(self, lines: list[str]) -> None:
        text = "".join(f"mqttops {line}\n" for line in lines)
        try:
            assert read_view(0, text, "").state == "booting"
        except ParseError as error:
            assert "broke off" in error.message

    def test_are_cut_off_and_have_no_control_characters(self) -> None:
        text = "mqttops node \x1b[31mx\x00\u202e\nmqttops done\n" + "y" * (11 << 20)
        runner = ScriptedRunner(("eval", (0, text, "z" * (11 << 20))))
        ctl = Ctl(runner, as_root=False)
        rc, out, err = ctl.run(["eval", "1"], 9)
        assert (rc, len(err)) == (0, 1 << 20)
        assert out.startswith("mqttops node x\nmqttops done\n") and len(out) <= 1 << 20

    def test_an_error_quotes_only_the_end(self) -> None:
        with pytest.raises(ParseError) as caught:
            read_view(0, "x" * 100000, "")
        assert len(str(caught.value.details)) + len(caught.value.message) < 3000
