# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Commands on a host: argv in; exit code, output and errors out."""

from __future__ import annotations

import os
import typing as t

# Commands of a host: argv in.
Runner = t.Callable[[t.List[str]], t.Tuple[int, str, str]]
# That of AnsibleModule.
RunCommand = t.Callable[..., t.Tuple[int, str, str]]


def runner(run_command: RunCommand) -> Runner:
    """Return a runner over AnsibleModule.run_command; it raises OSError for a missing command."""

    def run(argv: list[str]) -> tuple[int, str, str]:
        environment = {"LC_ALL": "C", "PATH": search_path()}
        try:
            rc, out, err = run_command(argv, environ_update=environment, handle_exceptions=False)
        except FileNotFoundError as error:
            raise OSError(f"the command {argv[0]} is not installed on this host") from error
        return int(rc), str(out), str(err)

    return run


def search_path() -> str:
    """Return PATH with the folders of system commands, which a plain ``su`` leaves out."""
    return ":".join([os.environ.get("PATH", "/usr/bin:/bin"), "/usr/sbin", "/sbin"])
