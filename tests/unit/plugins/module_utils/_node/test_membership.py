# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import (
    RefusedError,
    WaitTimeout,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._node.ctl import Ctl
from ansible_collections.mqttops.emqx.plugins.module_utils._node.membership import (
    Desired,
    Outcome,
    foresee,
    fulfil,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._node.wait import Deadline
from ansible_collections.mqttops.emqx.tests.unit.scripted import (
    DOWN,
    EVICTED,
    JOINED,
    LEFT,
    N1,
    N2,
    N3,
    NODE_DOWN,
    NOT_INSTALLED,
    TWICE,
    UNREACHABLE,
    Answer,
    ScriptedRunner,
    peer,
    view,
)

JOIN_N1 = Desired("joined", N1)
EVICT_N3 = Desired("evicted", N3)

ALONE = view(N2, [N2], peers={N1: peer([N1])})
NO_SEED = view(N2, [N2], peers={N1: UNREACHABLE})
MEMBER = view(N2, [N1, N2], peers={N1: peer([N1, N2])})
OUT = view(N2, [N2], peers={N1: peer([N1])})
TRIO = view(N1, [N1, N2, N3], peers={N2: peer([N1, N2, N3]), N3: peer([N1, N2, N3])})
ONE_GONE = view(N1, [N1, N2], [N3], peers={N2: peer([N1, N2], [N3])})
DUO = view(N1, [N1, N2], peers={N2: peer([N1, N2])})

JOIN_CALL = f"ctl cluster join {N1}"


class Scene:
    """A scripted command line, a clock that only sleeping moves, and a scripted dialler."""

    def __init__(self, *script: tuple[str, Answer], dialled: str = "open") -> None:
        self.runner = ScriptedRunner(*script)
        self.ctl = Ctl(self.runner, as_root=False)
        self.dialled: list[tuple[str, int]] = []
        self.pauses: list[float] = []
        self._now = 0.0
        self._answer = dialled

    def dial(self, host: str, port: int) -> str:
        self.dialled.append((host, port))
        return self._answer

    def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self._now += seconds

    def fulfil(self, desired: Desired, timeout: float = 60) -> Outcome:
        deadline = Deadline(timeout, lambda: self._now, self._sleep)
        outcome = fulfil(self.ctl, desired, deadline, self.dial)
        self.runner.finish()
        return outcome

    def fail(self, error: type[Exception], desired: Desired, timeout: float = 60) -> t.Any:
        with pytest.raises(error) as caught:
            self.fulfil(desired, timeout)
        self.runner.finish()
        return caught.value

    def foresee(self, desired: Desired) -> Outcome:
        outcome = foresee(self.ctl, desired, 60, self.dial)
        self.runner.finish()
        return outcome


def lists(running: list[str], stopped: list[str] | None = None) -> dict[str, list[str]]:
    return {"running_nodes": running, "stopped_nodes": stopped or []}


def test_a_join_costs_the_bare_command_and_two_calls() -> None:
    scene = Scene(("eval", ALONE), (JOIN_CALL, JOINED), ("eval", MEMBER))
    outcome = scene.fulfil(JOIN_N1)
    assert outcome == Outcome(
        "join", f"this node is alone and {N1} is ready", lists([N2]), lists([N1, N2])
    )
    assert len(scene.runner.calls) == 3
    assert scene.pauses == []


def test_a_repeated_join_costs_one_call() -> None:
    scene = Scene(("eval", MEMBER))
    outcome = scene.fulfil(JOIN_N1)
    assert (outcome.action, outcome.before, outcome.after) == (
        "none",
        lists([N1, N2]),
        lists([N1, N2]),
    )


def test_a_leave_costs_the_bare_command_and_two_calls() -> None:
    scene = Scene(("eval", MEMBER), ("ctl cluster leave", LEFT), ("eval", OUT))
    outcome = scene.fulfil(Desired("left"))
    assert (outcome.action, outcome.before, outcome.after, outcome.warnings) == (
        "leave",
        lists([N1, N2]),
        lists([N2]),
        (),
    )
    assert "Ask = []," in scene.runner.calls[0][-1]
    assert f"Ask = ['{N1}']," in scene.runner.calls[2][-1]


def test_leaving_twice_costs_one_call() -> None:
    assert Scene(("eval", view(N2, [N2]))).fulfil(Desired("left")).action == "none"


def test_an_evict_costs_the_bare_command_and_two_calls() -> None:
    scene = Scene(("eval", ONE_GONE), (f"ctl cluster force-leave {N3}", EVICTED), ("eval", DUO))
    outcome = scene.fulfil(EVICT_N3)
    assert (outcome.action, outcome.before, outcome.after) == (
        "evict",
        lists([N1, N2], [N3]),
        lists([N1, N2]),
    )
    assert outcome.warnings[0].startswith(f"{N3} cannot start again on its old data")


def test_evicting_twice_costs_one_call() -> None:
    assert Scene(("eval", DUO)).fulfil(EVICT_N3).action == "none"


def test_a_running_node_is_evicted_by_force_only() -> None:
    error = Scene(("eval", TRIO)).fail(RefusedError, EVICT_N3)
    assert f"{N3} is running as seen by {N1}, {N2}: use state: left on it" in str(error)
    scene = Scene(("eval", TRIO), ("ctl cluster force-leave", EVICTED), ("eval", DUO))
    assert scene.fulfil(Desired("evicted", N3, consent=True)).action == "evict"


def test_a_survivor_that_still_lists_the_evicted_node_is_waited_for() -> None:
    late = view(N1, [N1, N2], peers={N2: peer([N1, N2], [N3])})
    scene = Scene(
        ("eval", ONE_GONE), ("ctl cluster force-leave", EVICTED), ("eval", late), ("eval", DUO)
    )
    assert scene.fulfil(EVICT_N3).after == lists([N1, N2])
    assert scene.pauses == [1]


def test_a_force_leave_that_does_nothing_is_not_believed() -> None:
    """EMQX 5.0 to 6.3: a force-leave that fails in mria exits 0."""
    nothing: Answer = (0, "Failed to remove the node from cluster: timeout\n", "")
    scene = Scene(
        ("eval", ONE_GONE),
        ("ctl cluster force-leave", nothing),
        ("eval", ONE_GONE),
        ("ctl cluster force-leave", EVICTED),
        ("eval", DUO),
    )
    assert scene.fulfil(EVICT_N3).after == lists([N1, N2])
    error = Scene(("eval", ONE_GONE), ("ctl cluster force-leave", nothing), ("eval", ONE_GONE))
    caught = error.fail(WaitTimeout, EVICT_N3, timeout=0)
    assert "evict had no effect within 0 s" in str(caught)
    assert "EMQX answered last: Failed to remove the node from cluster: timeout" in str(caught)


def test_a_half_done_force_leave_is_told() -> None:
    half: Answer = (
        0,
        "Failed to remove the node from cluster_rpc.\n{error,aborted}\n",
        "",
    )
    scene = Scene(("eval", ONE_GONE), ("ctl cluster force-leave", half), ("eval", DUO))
    warnings = scene.fulfil(EVICT_N3).warnings
    assert "Failed to remove the node from cluster_rpc." in warnings[-1]
    assert "conf cluster_sync status" in warnings[-1]


def test_a_join_that_exits_0_and_fails_is_tried_again() -> None:
    scene = Scene(
        ("eval", ALONE),
        (JOIN_CALL, NODE_DOWN),
        ("eval", ALONE),
        (JOIN_CALL, NODE_DOWN),
        ("eval", ALONE),
        (JOIN_CALL, JOINED),
        ("eval", MEMBER),
    )
    assert scene.fulfil(JOIN_N1).action == "join"
    assert scene.pauses == [1, 1.5]


def test_a_join_that_reports_success_is_verified_at_the_seed() -> None:
    one_sided = view(N2, [N1, N2], peers={N1: peer([N1])})
    scene = Scene(("eval", ALONE), (JOIN_CALL, JOINED), *[("eval", one_sided)] * 3)
    error = scene.fail(WaitTimeout, JOIN_N1, timeout=2)
    assert str(error) == (
        f"not joined within 2 s: the views differ: this node sees {N1}, {N2} running, {N1} sees "
        f"{N1} running; EMQX answered: Join the cluster successfully.\n"
        "Cluster status: #{running_nodes => ['emqx1@127.0.0.1','emqx2@127.0.0.1'],\n"
        "                  stopped_nodes => []}"
    )
    assert error.last == lists([N1, N2])


@pytest.mark.parametrize("rc", [0, 1])
def test_a_licence_that_cannot_cluster(rc: int) -> None:
    refused: Answer = (
        rc,
        f'Failed to join the cluster: "Node {N1} has a single node license"\n',
        "",
    )
    error = Scene(("eval", ALONE), (JOIN_CALL, refused)).fail(RefusedError, JOIN_N1)
    assert "set license.key on all nodes before joining" in str(error)


def test_a_seed_that_boots_is_waited_for() -> None:
    booting = view(N2, [N2], peers={N1: peer([N1], ready=False)})
    scene = Scene(
        ("eval", NO_SEED),
        ("eval", booting),
        ("eval", ALONE),
        (JOIN_CALL, JOINED),
        ("eval", MEMBER),
    )
    assert scene.fulfil(JOIN_N1).action == "join"
    assert scene.pauses == [1, 1.5]
    assert scene.dialled == []


def test_a_joiner_that_boots_is_waited_for() -> None:
    scene = Scene(
        ("eval", DOWN),
        ("eval", TWICE),
        ("eval", view(N2, [], ready="false")),
        ("eval", MEMBER),
    )
    assert scene.fulfil(JOIN_N1).action == "none"


@pytest.mark.parametrize(
    ("dialled", "cause"),
    [
        ("open", "tcp 127.0.0.1:4371 is open, so the cookies differ"),
        ("refused", "tcp 127.0.0.1:4371 refuses connections: EMQX is down there"),
        ("filtered", "tcp 127.0.0.1:4371 does not answer: a firewall drops it"),
    ],
)
def test_a_seed_that_never_answers_has_a_likely_cause(dialled: str, cause: str) -> None:
    scene = Scene(*[("eval", NO_SEED)] * 3, dialled=dialled)
    error = scene.fail(WaitTimeout, JOIN_N1, timeout=2)
    assert str(error).startswith(f"not joined within 2 s: {N1} does not answer: ")
    assert cause in str(error)
    assert scene.dialled == [("127.0.0.1", 4371)]


def test_a_cut_off_join_is_judged_by_state() -> None:
    hanging: Answer = (124, "", "")
    scene = Scene(("eval", ALONE), (JOIN_CALL, hanging), ("eval", MEMBER))
    assert scene.fulfil(JOIN_N1).action == "join"


def test_a_refusal_carries_what_was_seen() -> None:
    other = view(N2, [N2, N3], peers={N3: peer([N2, N3])})
    error = Scene(("eval", other)).fail(RefusedError, JOIN_N1)
    assert "is in another cluster" in str(error)
    assert error.details == {"seen": lists([N2, N3])}


def test_data_goes_only_with_consent() -> None:
    rich = view(N2, [N2], peers={N1: peer([N1])}, data={"emqx_admin": 2, "emqx_app": 1})
    error = Scene(("eval", rich)).fail(RefusedError, JOIN_N1)
    assert "joining deletes what this node holds itself: 1 dashboard users, 1 api keys" in str(
        error
    )
    scene = Scene(("eval", rich), (JOIN_CALL, JOINED), ("eval", MEMBER))
    outcome = scene.fulfil(Desired("joined", N1, consent=True))
    assert outcome.warnings == ("deleted by the join: 1 dashboard users, 1 api keys",)


def test_leaving_under_discovery_warns() -> None:
    static = view(N2, [N1, N2], peers={N1: peer([N1, N2])}, discovery="static")
    out = view(N2, [N2], peers={N1: UNREACHABLE}, discovery="static")
    scene = Scene(("eval", static), ("ctl cluster leave", LEFT), ("eval", out))
    warnings = scene.fulfil(Desired("left")).warnings
    assert "will come back at its next restart" in warnings[0]
    assert warnings[1] == f"not asked, because they did not answer: {N1}"


def test_the_call_is_bounded_by_the_time_left() -> None:
    scene = Scene(("eval", ALONE), (JOIN_CALL, JOINED), ("eval", MEMBER))
    scene.fulfil(JOIN_N1, timeout=300)
    limits = [call[call.index("-k") + 2] for call in scene.runner.calls]
    assert limits == ["45", "300", "45"]


# check mode: one look, never an action


@pytest.mark.parametrize(
    ("answer", "desired", "action", "after"),
    [
        (ALONE, JOIN_N1, "join", lists([N1, N2])),
        (MEMBER, JOIN_N1, "none", lists([N1, N2])),
        (MEMBER, Desired("left"), "leave", lists([N2])),
        (OUT, Desired("left"), "none", lists([N2])),
        (ONE_GONE, EVICT_N3, "evict", lists([N1, N2])),
        (DUO, EVICT_N3, "none", lists([N1, N2])),
        (NOT_INSTALLED, JOIN_N1, "join", lists([N1])),
        (NOT_INSTALLED, Desired("left"), "none", lists([])),
        (NOT_INSTALLED, EVICT_N3, "none", lists([])),
    ],
)
def test_prediction(
    answer: Answer, desired: Desired, action: str, after: dict[str, list[str]]
) -> None:
    outcome = Scene(("eval", answer)).foresee(desired)
    assert (outcome.action, outcome.after, outcome.warnings) == (
        action,
        after,
        outcome.warnings if desired == EVICT_N3 else (),
    )


def test_prediction_for_a_seed_that_does_not_answer_yet() -> None:
    outcome = Scene(("eval", NO_SEED), dialled="refused").foresee(JOIN_N1)
    assert (outcome.action, outcome.after) == ("join", lists([N1, N2]))
    assert outcome.warnings[0].startswith(f"prediction only: {N1} does not answer: tcp ")


def test_prediction_for_a_node_that_is_down() -> None:
    outcome = Scene(("eval", DOWN)).foresee(JOIN_N1)
    assert (outcome.action, outcome.before, outcome.after) == ("none", lists([]), lists([]))
    assert outcome.warnings == (
        "prediction only: this node is down: Node 'emqx2@127.0.0.1' not responding to pings",
    )


def test_prediction_refuses_as_the_real_thing_does() -> None:
    scene = Scene(("eval", view(N2, [N2, N3])))
    with pytest.raises(RefusedError, match="is in another cluster"):
        scene.foresee(JOIN_N1)
