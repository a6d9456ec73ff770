# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Have EMQX judge configuration files before they are in place: emqx check_config, 5.0 to 6.3.

The candidates are mounted over the files in force in a private mount namespace, or given to a
container in their place: nobody else sees them.
"""

from __future__ import annotations

import os
import pwd
import tempfile
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.changes import is_hocon
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.refusal import explain_refusal
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.secret_values import secret_values
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import CommandError, RefusedError
from ansible_collections.mqttops.emqx.plugins.module_utils._host.run import RunCommand, search_path
from ansible_collections.mqttops.emqx.plugins.module_utils._host.writing import stage_candidate
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Record
from ansible_collections.mqttops.emqx.plugins.module_utils._node.ctl import Ctl

# Mounts "source target" pairs up to "--", each with what is mounted below its source, then becomes
# the command.
_MOUNT_AND_RUN = (
    'while [ "$1" != -- ]; do mount --rbind "$1" "$2" || exit 125; shift 2; done; shift; exec "$@"'
)
_NO_MOUNT = 125


def judge(
    candidates: t.Mapping[str, str], params: Record, run_command: RunCommand, tmpdir: str
) -> None:
    """Have EMQX judge HOCON files; ``candidates`` maps the path in force to the new text.

    ``params`` are those of the module managed_files: ``files``, ``command``, ``user``,
    ``container``, ``environment``, ``mounts`` and ``timeout``. Raise RefusedError with EMQX's
    reason.
    """
    environment = {key: str(value) for key, value in params["environment"].items()}
    with tempfile.TemporaryDirectory(dir=tmpdir) as folder:
        group = _group_of(params["user"])
        staged = {
            path: stage_candidate(folder, text, group, 0o640) for path, text in candidates.items()
        }
        rc, out, err = _check_config(staged, params, environment, run_command)
    if rc == _NO_MOUNT or (err.startswith("unshare:") and not params["container"]):
        raise RefusedError(_not_tried(params["container"], err))
    if rc != 0:
        # Also those of files that are in force already.
        known = [item["content"] for item in params["files"] if is_hocon(item["path"])]
        secrets = secret_values(known, environment)
        raise RefusedError(
            "EMQX refuses the new configuration, the files in force were left as they are: "
            f"{explain_refusal(out, err, secrets)}. Correct emqx_config, emqx_base_config, "
            "emqx_environment or the variable behind that key.",
            rc=rc,
        )


def _check_config(
    staged: t.Mapping[str, str],
    params: Record,
    environment: t.Mapping[str, str],
    run_command: RunCommand,
) -> tuple[int, str, str]:
    container = params["container"]
    command = _in_container(container, staged) if container else params["command"]
    pairs = [part for path, candidate in staged.items() for part in (candidate, path)]
    pairs += [mount[end] for mount in params["mounts"] for end in ("source", "target")]
    mounts = ["unshare", "--mount", "sh", "-c", _MOUNT_AND_RUN, "sh", *pairs, "--"]

    def run(argv: list[str], variables: dict[str, str]) -> tuple[int, str, str]:
        rc, out, err = run_command(
            argv if container else [*mounts, *argv],
            environ_update={**variables, "PATH": search_path()},
            handle_exceptions=False,
        )
        return int(rc), str(out), str(err)

    ctl = Ctl(run, command, "" if container else params["user"], environment)
    try:
        return ctl.run(["check_config"], params["timeout"])
    except OSError as error:
        return _NO_MOUNT, "", str(error)
    except CommandError as error:
        # Without its details: they hold what was printed, which may quote a secret.
        raise RefusedError(f"The new configuration could not be judged: {error.message}.") from None


def _not_tried(container: Record | None, err: str) -> str:
    if container:
        return (
            "The new configuration could not be tried out: the container engine refused to run "
            f"{container['image']} with {_last_line(err)!r}. Mend the engine, or set "
            "emqx_config_validate: false to go without the check."
        )
    return (
        "The new configuration could not be tried out: mounting it in a private namespace "
        f"failed with {err.strip()!r}. Run as root with the right to mount, or set "
        "emqx_config_validate: false to go without the check."
    )


def _in_container(container: Record, staged: t.Mapping[str, str]) -> list[str]:
    """Return the command line of EMQX in a container that sees the candidates as its files."""
    argv = list(container["run"])
    for volume in container["volumes"]:
        source, rest = volume.split(":", 1)
        source = staged.get(source, source)
        if os.path.exists(source):
            argv.append(f"--volume={source}:{rest}")
    return [*argv, container["image"], "emqx"]


def _last_line(text: str) -> str:
    return next(iter(text.strip().splitlines()[::-1]), "no reason given")


def _group_of(user: str) -> int:
    if user.isdecimal():
        return int(user)
    try:
        return pwd.getpwnam(user).pw_gid
    except KeyError:
        return 0
