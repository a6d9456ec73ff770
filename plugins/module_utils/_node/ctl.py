# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The EMQX command line of one node: run it, and read a node's whole view from one call.

Every call boots a helper VM (0.7 to 2 s), so all questions go into a single ``emqx eval``.
"""

from __future__ import annotations

import os
import pwd
import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import CommandError
from ansible_collections.mqttops.emqx.plugins.module_utils._node.expression import view_expression
from ansible_collections.mqttops.emqx.plugins.module_utils._node.view import View, read_view

Runner = t.Callable[[t.List[str], t.Dict[str, str]], t.Tuple[int, str, str]]

# The longest a single read may take: 8 s of connection set-up to an unreachable peer, the rest
# for a slow machine. A read that takes longer is a hanging one.
VIEW_TIMEOUT = 45

# timeout(1) ended the command by TERM, by KILL, or was itself hit by that KILL.
_CUT_OFF = (124, 137, -9)

# The most that is taken of an answer, in characters: the view of 100 members has some 100,000.
_LONGEST = 1 << 20

NO_PROCESS = "no process of this node runs on this host"

# CSI sequences, the G0 charset switch that tput sgr0 prints for TERM=xterm, and all else that is
# no text but for tabs and line ends.
_CONTROL = re.compile(
    r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\([AB0])|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)


def plain(text: str) -> str:
    """Return what a command printed without control characters (emqx ctl prints warnings in red),
    cut off where no answer ends."""
    return _CONTROL.sub("", text[:_LONGEST])


def _home(user: str) -> dict[str, str]:
    """Return HOME of a user, as runuser leaves the caller's in place; {} for an unknown user."""
    try:
        return {"HOME": pwd.getpwnam(user).pw_dir}
    except KeyError:
        return {}


class Ctl:
    """The command line of the node on this host.

    ``command`` is the argv that starts it; ``user`` the runner user, taken on by runuser when
    the caller is root (bin/emqx would go through a login shell, which loses EMQX_* variables);
    ``environment`` reaches the command as variables and never as arguments. ``is_down`` tells
    whether the node is known not to run, so that it is not asked: the command line of a stopped
    node writes below its data directory, where it may just have been deleted (5.8.9).
    """

    def __init__(
        self,
        runner: Runner,
        command: t.Sequence[str] = ("emqx",),
        user: str = "emqx",
        environment: t.Mapping[str, str] | None = None,
        as_root: bool | None = None,
        is_down: t.Callable[[], bool] = lambda: False,
    ) -> None:
        is_root = os.geteuid() == 0 if as_root is None else as_root
        self._runner = runner
        self.is_down = is_down
        self._command = list(command)
        self._switch = ["runuser", "-u", user, "--"] if user and is_root else []
        home = _home(user) if self._switch else {}
        self._environment = {**home, **(environment or {}), "LC_ALL": "C", "TERM": "dumb"}

    def run(self, arguments: t.Sequence[str], timeout: float) -> tuple[int, str, str]:
        """Run one command and return its exit code, output and error output as plain text.

        A command still running after ``timeout`` seconds is ended with all its children (a ctl
        call has no limit of its own) and raised as CommandError.
        """
        limit = max(1, round(timeout))
        argv = [*self._switch, "timeout", "-k", "5", str(limit), *self._command, *arguments]
        rc, out, err = self._runner(argv, dict(self._environment))
        out, err = plain(out), plain(err)
        if rc in _CUT_OFF:
            # The view expression is long and says nothing to people.
            shown = ["eval", "..."] if arguments[:1] == ["eval"] else list(arguments)
            argv[len(argv) - len(arguments) :] = shown
            raise CommandError(
                f"{' '.join([*self._command, *shown])} gave no answer within {limit} s: "
                "the node hangs or is overloaded",
                argv,
                rc,
                out,
                err,
            )
        return rc, out, err

    def cluster(self, *arguments: str, timeout: float) -> str:
        """Run ``ctl cluster ...`` and return what it printed; its exit code means nothing."""
        _rc, out, err = self.run(["ctl", "cluster", *arguments], timeout)
        return "\n".join(line for line in (out + "\n" + err).splitlines() if line.strip())

    def view(
        self,
        ask: t.Iterable[str] = (),
        seed: str = "",
        timeout: float = VIEW_TIMEOUT,
        others: bool = False,
    ) -> View:
        """Return this node's view, and through it what it gets to know of the running members.

        ``ask`` names further nodes to ask: former or future members. They are left alone when
        this node is in a cluster that does not know them. ``seed`` is one of them whose
        configuration is compared with ours. With ``others``, each of them says of itself all
        that this one does, if it runs the same release of Erlang/OTP: a function of the shell
        is understood by no other.
        """
        return self.question(view_expression(ask, seed, others), timeout)[0]

    def question(self, expression: str, timeout: float) -> tuple[View, str]:
        """Return the view in the answer to an expression that begins with one, and all of it."""
        if self.is_down():
            return View(state="down", reason=NO_PROCESS), ""
        rc, out, err = self.run(["eval", expression], min(timeout, VIEW_TIMEOUT))
        return read_view(rc, out, err), out
