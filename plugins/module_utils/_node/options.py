# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Options shared by the modules that talk to a node's command line, and what is made of them."""

from __future__ import annotations

import io
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.module_utils._host.processes import is_down
from ansible_collections.mqttops.emqx.plugins.module_utils._host.run import RunCommand
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Options, Record
from ansible_collections.mqttops.emqx.plugins.module_utils._node.ctl import Ctl, Runner

if t.TYPE_CHECKING:
    import subprocess


def ctl_options(timeout: int) -> Options:
    """Return the argument spec of the options documented in the fragment ``_ctl``."""
    return {
        "command": {"type": "list", "elements": "str", "default": ["emqx"]},
        "user": {"type": "str", "default": "emqx"},
        "environment": {"type": "dict", "default": {}},
        "timeout": {"type": "int", "default": timeout},
    }


def runner_of(run_command: RunCommand) -> Runner:
    """Return the one way in which commands are run: argv in; exit code, output, errors out."""

    def run(argv: list[str], environment: dict[str, str]) -> tuple[int, str, str]:
        try:
            # A pipe as standard input: the Erlang VM must not find the module's own there.
            rc, out, err = run_command(
                argv,
                environ_update=environment,
                data="\n",
                before_communicate_callback=end_input,
                handle_exceptions=False,
            )
        except OSError as error:
            return 127, "", f"failed to execute {argv[0]}: {error.strerror}"
        return int(rc), str(out), str(err)

    return run


def end_input(process: subprocess.Popen[bytes]) -> None:
    """Let a command find the end of its input at once.

    Whatever run_command writes to the pipe fails with EPIPE where the command is gone by then, as
    ``podman exec`` is when its container is not up, and takes the command's answer with it.
    """
    if process.stdin is not None:
        process.stdin.close()
    process.stdin = io.BytesIO()


def ctl_of(params: Record, run_command: RunCommand) -> Ctl:
    """Return the command line that the common options describe; raise InputError if they cannot.

    ``run_command`` is that of AnsibleModule.
    """
    if not params["command"]:
        raise InputError("command is empty: expected the argv that starts emqx, as in [emqx]")
    if params["timeout"] < 1:
        raise InputError(f"timeout is {params['timeout']}: expected at least 1 second")
    environment = {key: str(value) for key, value in params["environment"].items()}
    name = environment.get("EMQX_NODE_NAME") or environment.get("EMQX_NODE__NAME", "")
    return Ctl(
        runner_of(run_command),
        params["command"],
        params["user"],
        environment,
        is_down=lambda: is_down(params["command"], name),
    )
