# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What the module managed_files does: look, judge, show, and write all files or none."""

from __future__ import annotations

import tempfile
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx import changes
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.masked_files import (
    masked_texts,
    masked_whole,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.masking import MASK
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import RefusedError
from ansible_collections.mqttops.emqx.plugins.module_utils._host import rights
from ansible_collections.mqttops.emqx.plugins.module_utils._host.files import file_state, read_text
from ansible_collections.mqttops.emqx.plugins.module_utils._host.services import stale_boot_files
from ansible_collections.mqttops.emqx.plugins.module_utils._host.writing import (
    make_directories,
    stage_candidate,
    write_files,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Options
from ansible_collections.mqttops.emqx.plugins.module_utils._node.judge_config import judge

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

DIRECTORY_SPEC: Options = {
    "path": {"type": "path", "required": True},
    "owner": {"type": "str", "default": "root"},
    "group": {"type": "str", "default": "root"},
    "mode": {"type": "str", "default": "0755"},
}
FILE_SPEC: Options = {
    **DIRECTORY_SPEC,
    "content": {"type": "str", "required": True, "no_log": True},
    "mode": {"type": "str", "default": "0644"},
    "secret": {"type": "bool", "default": False},
    "check": {"type": "list", "elements": "str", "default": []},
}
CONTAINER_SPEC: Options = {
    "run": {"type": "list", "elements": "str", "required": True},
    "volumes": {"type": "list", "elements": "str", "required": True},
    "image": {"type": "str", "required": True},
}
MOUNT_SPEC: Options = {
    "source": {"type": "path", "required": True},
    "target": {"type": "path", "required": True},
}
OPTIONS: Options = {
    # The journal of a host gets the options of each module but for such ones.
    "files": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": FILE_SPEC,
        "no_log": True,
    },
    "directories": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": DIRECTORY_SPEC,
    },
    "validate": {"type": "bool", "default": True},
    "command": {"type": "list", "elements": "str", "default": ["emqx"]},
    "user": {"type": "str", "default": "emqx"},
    "container": {"type": "dict", "options": CONTAINER_SPEC},
    "environment": {"type": "dict", "default": {}, "no_log": True},
    "mounts": {"type": "list", "elements": "dict", "default": [], "options": MOUNT_SPEC},
    "judge_all": {"type": "bool", "default": False},
    "boot_files": {"type": "list", "elements": "path", "default": []},
    "boot_record": {"type": "path", "default": "/run/mqttops-emqx/emqx"},
    "timeout": {"type": "int", "default": 60},
}


def withhold(module: AnsibleModule) -> Json:
    """Return the parameters, with the texts and the environment taken out of the module.

    With no_log alone, Ansible stars each value of the environment out of all that the module
    returns, paths and keys too ("emqx" or "1" is a common value), and a text without secrets out
    of its diff. What we return is masked by key.
    """
    params: Json = module.params
    hidden = [{**item, "content": MASK} for item in params["files"]]
    module.params = {**params, "files": hidden, "environment": MASK}
    module.no_log_values.clear()
    return params


def run(module: AnsibleModule, params: Json) -> Json:
    """Return the module's result; raises EmqxError before anything is written."""
    listed = [*params["directories"], *params["files"]]
    states = {item["path"]: file_state(item["path"]) for item in listed}
    waiting = [
        item["path"] for item in listed if not rights.is_as_desired(item, states[item["path"]])
    ]
    folders = [item for item in params["directories"] if item["path"] in waiting]
    pending = [item for item in params["files"] if item["path"] in waiting]
    in_force = [
        path for path, state in states.items() if state["exists"] and changes.is_hocon(path)
    ]
    if params["container"]:
        # The image has the files that are not there yet.
        in_force = [path for path in states if changes.is_hocon(path)]
    candidates = {item["path"]: item["content"] for item in pending if item["path"] in in_force}
    # The environment is judged together with the files.
    asked = candidates or params["judge_all"] or (pending and params["environment"])
    if params["validate"] and in_force and asked:
        judge(candidates, params, module.run_command, module.tmpdir)
    for item in pending:
        if item["check"]:
            check_file(module, item)
    shown = [*directory_diffs(folders, states), *diffs(pending, states)]
    before = {path: read_text(path) for path in params["boot_files"]}
    after = {**before, **{i["path"]: i["content"] for i in pending if i["path"] in before}}
    stale = stale_boot_files(after, params["boot_record"])
    if stale == [changes.UNKNOWN_BOOT]:
        # The files in force are the best guess at what the node was started with.
        stale += changes.boot_changes(before, after)
    if not module.check_mode:
        make_directories(folders)
        write_files(pending)
    return {"changed": bool(waiting), "changed_files": waiting, "diff": shown, "stale": stale}


def check_file(module: AnsibleModule, item: Json) -> None:
    """Have the command of a file judge its new content; raise RefusedError with its reason."""
    with tempfile.TemporaryDirectory(dir=module.tmpdir) as folder:
        candidate = stage_candidate(folder, item["content"], -1, 0o600)
        argv = [candidate if word == "%s" else word for word in item["check"]]
        try:
            rc, out, err = module.run_command(argv, handle_exceptions=False)
        except OSError as error:
            if module.check_mode:
                # The command comes with a package that is not installed yet.
                return
            rc, out, err = 1, "", str(error)
    if rc != 0:
        reason = " ".join((err or out).replace(candidate, item["path"]).split())
        raise RefusedError(
            f"{item['check'][0]} refuses the new content of {item['path']}, the file in force was "
            f"left as it is: {reason}",
            rc=rc,
        )


def diffs(pending: list[Json], states: dict[str, Json]) -> list[dict[str, str]]:
    result = []
    for item in pending:
        path = item["path"]
        texts = read_text(path), item["content"]
        before, after = masked_whole(*texts) if item["secret"] else masked_texts(path, *texts)
        if states[path]["exists"] and not rights.has_rights(item, states[path]):
            old, new = _rights(states[path]), _rights(item)
            before, after = f"# {old}\n{before}", f"# {new}\n{after}"
        result.append(
            {"before_header": path, "after_header": path, "before": before, "after": after}
        )
    return result


def directory_diffs(pending: list[Json], states: dict[str, Json]) -> list[dict[str, str]]:
    return [
        {
            "before_header": item["path"],
            "after_header": item["path"],
            "before": f"{_rights(states[item['path']])}\n"
            if states[item["path"]]["exists"]
            else "",
            "after": f"{_rights(item)}\n",
        }
        for item in pending
    ]


def _rights(state: Json) -> str:
    return f"owner {state['owner']}, group {state['group']}, mode {state['mode']}"
