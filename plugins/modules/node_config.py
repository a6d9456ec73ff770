#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node_config
short_description: Write a node's configuration files once EMQX itself accepts them
version_added: 0.1.0
author:
  - mqttops contributors (@mqttops)
description:
  - Writes emqx.conf and the files beside it, each in one step, with owner and mode set before the
    content is in place.
  - Before anything is written, C(emqx check_config) judges the candidates. They are mounted over
    the files in force in a private
    mount namespace, so neither a running node nor one that starts meanwhile ever sees a bad file.
  - The diff compares what EMQX reads, key by key, and shows no secret.
  - It restarts nothing, and says what the running node does not know yet.
extends_documentation_fragment:
  - mqttops.emqx._attributes
  - mqttops.emqx._attributes.change_module
options:
  files:
    description: The files.
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description: >-
          Where it lies. Files named emqx.conf or C(*.hocon) are HOCON. Missing parent directories
          are made.
        type: path
        required: true
      content:
        description: The whole text.
        type: str
        required: true
      owner:
        description: Name or number of the owner.
        type: str
        default: root
      group:
        description: Name or number of the group.
        type: str
        default: root
      mode:
        description: Octal mode of four digits, in quotes, such as V(0640).
        type: str
        default: "0644"
      secret:
        description: Whether the whole content is a secret, of which a diff shows nothing.
        type: bool
        default: false
      check:
        description: >-
          Command that judges the content before it is in place, by its exit code. One of its words
          is C(%s) and stands for the file to look at.
        type: list
        elements: str
        default: []
  directories:
    description: >-
      Directories that are made, or given their owner and mode, before any file is written.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Where it lies.
        type: path
        required: true
      owner:
        description: Name of the owner.
        type: str
        default: root
      group:
        description: Name of the group.
        type: str
        default: root
      mode:
        description: Octal mode of four digits, in quotes, such as V(0750).
        type: str
        default: "0755"
  validate:
    description: >-
      Whether C(emqx check_config) judges the HOCON files. It needs the right to mount, as root
      has on real and virtual
      machines.
    type: bool
    default: true
  command:
    description: The command that starts the EMQX command line.
    type: list
    elements: str
    default: [emqx]
  user:
    description: The user that EMQX runs as, who has to be able to read the files.
    type: str
    default: emqx
  container:
    description: >-
      A container that judges the HOCON files in place of O(command), for a node that runs in one.
    type: dict
    suboptions:
      run:
        description: The command that runs a container, with its options, up to the volumes.
        type: list
        elements: str
        required: true
      volumes:
        description: >-
          Volumes, SOURCE:TARGET:OPTIONS. A candidate takes the place of the source that it is to
          become; a source that is not there is left out.
        type: list
        elements: str
        required: true
      image:
        description: The image.
        type: str
        required: true
  environment:
    description: Environment of the node, which overrides its files.
    type: dict
    default: {}
  boot_files:
    description: Files that a node reads only when it boots.
    type: list
    elements: path
    default: []
  boot_record:
    description: Directory of the copies of O(boot_files) made when the running node was started.
    type: path
    default: /run/mqttops-emqx/emqx
  timeout:
    description: The longest that C(emqx check_config) may take, in seconds.
    type: int
    default: 60
seealso:
  - module: mqttops.emqx.host_info
"""

EXAMPLES = r"""
- name: Write the configuration
  mqttops.emqx.node_config:
    files:
      - path: /etc/emqx/emqx.conf
        content: "{{ my_config | mqttops.emqx.to_hocon }}"
        group: emqx
        mode: "0640"
"""

RETURN = r"""
changed_files:
  description: Paths that were, or in check mode would be, written or given other rights.
  returned: success
  type: list
  elements: str
stale:
  description: >-
    Keys and files of which the running node knows another value; they need a restart. Node seeds
    are not among them.
  returned: success
  type: list
  elements: str
"""

import grp
import os
import pwd
import tempfile
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx import changes
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon import MASK
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import (
    CommandError,
    EmqxError,
    RefusedError,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._host import state as _host
from ansible_collections.mqttops.emqx.plugins.module_utils._node.ctl import Ctl

DIRECTORY_SPEC: dict[str, t.Any] = {
    "path": {"type": "path", "required": True},
    "owner": {"type": "str", "default": "root"},
    "group": {"type": "str", "default": "root"},
    "mode": {"type": "str", "default": "0755"},
}
FILE_SPEC: dict[str, t.Any] = {
    **DIRECTORY_SPEC,
    "content": {"type": "str", "required": True, "no_log": True},
    "mode": {"type": "str", "default": "0644"},
    "secret": {"type": "bool", "default": False},
    "check": {"type": "list", "elements": "str", "default": []},
}
CONTAINER_SPEC: dict[str, t.Any] = {
    "run": {"type": "list", "elements": "str", "required": True},
    "volumes": {"type": "list", "elements": "str", "required": True},
    "image": {"type": "str", "required": True},
}
ARGUMENT_SPEC: dict[str, t.Any] = {
    "files": {"type": "list", "elements": "dict", "required": True, "options": FILE_SPEC},
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
    "boot_files": {"type": "list", "elements": "path", "default": []},
    "boot_record": {"type": "path", "default": "/run/mqttops-emqx/emqx"},
    "timeout": {"type": "int", "default": 60},
}

# Mounts "candidate target" pairs up to "--", then becomes the command.
_MOUNT_AND_RUN = (
    'while [ "$1" != -- ]; do mount --bind "$1" "$2" || exit 125; shift 2; done; shift; exec "$@"'
)
_NO_MOUNT = 125
_PREFIX = ".mqttops-"


def check_candidates(
    module: AnsibleModule, params: dict[str, t.Any], candidates: dict[str, str]
) -> None:
    """Have EMQX judge HOCON files; ``candidates`` maps the path in force to the new text.

    Raises RefusedError with EMQX's reason.
    """
    environment = {key: str(value) for key, value in params["environment"].items()}
    container = params["container"]
    with tempfile.TemporaryDirectory(dir=module.tmpdir) as folder:
        group = _group_of(params["user"])
        staged = {path: _stage(folder, text, 0, group, 0o640) for path, text in candidates.items()}
        command = _in_container(container, staged) if container else params["command"]
        pairs = [] if container else [part for pair in staged.items() for part in reversed(pair)]

        def run(argv: list[str], variables: dict[str, str]) -> tuple[int, str, str]:
            mounts = ["unshare", "--mount", "sh", "-c", _MOUNT_AND_RUN, "sh", *pairs, "--"]
            variables = {**variables, "PATH": _host.search_path()}
            rc, out, err = module.run_command(
                [*([] if container else mounts), *argv],
                environ_update=variables,
                handle_exceptions=False,
            )
            return int(rc), str(out), str(err)

        try:
            rc, out, err = Ctl(run, command, "" if container else params["user"], environment).run(
                ["check_config"], params["timeout"]
            )
        except OSError as error:
            rc, out, err = _NO_MOUNT, "", str(error)
        except CommandError as error:
            # Without its details: they hold what was printed, which may quote a secret.
            raise RefusedError(
                f"The new configuration could not be judged: {error.message}."
            ) from None
    if rc == _NO_MOUNT and container:
        raise RefusedError(
            "The new configuration could not be tried out: the container engine refused to run "
            f"{container['image']} with {_last_line(err)!r}. Mend the engine, or set "
            "emqx_config_validate: false to go without the check."
        )
    if rc == _NO_MOUNT or err.startswith("unshare:"):
        raise RefusedError(
            "The new configuration could not be tried out: mounting it in a private namespace "
            f"failed with {err.strip()!r}. Run as root with the right to mount, or set "
            "emqx_config_validate: false to go without the check."
        )
    if rc != 0:
        secrets = changes.secret_values(candidates.values(), environment)
        raise RefusedError(
            "EMQX refuses the new configuration, the files in force were left as they are: "
            f"{changes.explain_refusal(out, err, secrets)}. Correct emqx_config, emqx_base_config, "
            "emqx_environment or the variable behind that key.",
            rc=rc,
        )


def _in_container(container: dict[str, t.Any], staged: dict[str, str]) -> list[str]:
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


def _number(name: str, lookup: t.Callable[[str], int]) -> int:
    return int(name) if name.isdecimal() else lookup(name)


def _stage(folder: str, text: str, uid: int, gid: int, mode: int) -> str:
    """Write a text to a new file with its owner and mode already set, and return its path."""
    handle, path = tempfile.mkstemp(dir=folder, prefix=_PREFIX)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            # On the open file: the folder may belong to a user who could swap its entries.
            os.fchown(handle, uid, gid)
            os.fchmod(handle, mode)
            stream.write(text)
            stream.flush()
            os.fsync(handle)
    except BaseException:
        os.unlink(path)
        raise
    return path


def check_file(module: AnsibleModule, item: dict[str, t.Any]) -> None:
    """Have the command of a file judge its new content; raise RefusedError with its reason."""
    with tempfile.TemporaryDirectory(dir=module.tmpdir) as folder:
        candidate = _stage(folder, item["content"], 0, 0, 0o600)
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


def make_directories(directories: list[dict[str, t.Any]]) -> None:
    for item in directories:
        uid, gid = _owners(item)
        os.makedirs(item["path"], mode=0o700, exist_ok=True)
        os.chown(item["path"], uid, gid)
        os.chmod(item["path"], changes.mode_bits(item["mode"], item["path"]))


def _owners(item: dict[str, t.Any]) -> tuple[int, int]:
    uid = _number(item["owner"], lambda name: pwd.getpwnam(name).pw_uid)
    gid = _number(item["group"], lambda name: grp.getgrnam(name).gr_gid)
    return uid, gid


def write_files(files: list[dict[str, t.Any]]) -> None:
    """Put whole files in place, none before all are on the disk."""
    owners = [_owners(item) for item in files]
    staged: dict[str, str] = {}
    try:
        for item, (uid, gid) in zip(files, owners):
            path = item["path"]
            os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
            mode = changes.mode_bits(item["mode"], path)
            staged[path] = _stage(os.path.dirname(path), item["content"], uid, gid, mode)
        for path in list(staged):
            os.replace(staged[path], path)
            del staged[path]
    finally:
        for temporary in staged.values():
            os.unlink(temporary)


def diffs(
    pending: list[dict[str, t.Any]], states: dict[str, dict[str, t.Any]]
) -> list[dict[str, str]]:
    result = []
    for item in pending:
        path = item["path"]
        texts = _host.read_text(path), item["content"]
        before, after = (
            changes.masked_whole(*texts) if item["secret"] else changes.masked_texts(path, *texts)
        )
        if states[path]["exists"] and not changes.has_rights(item, states[path]):
            old, new = _rights(states[path]), _rights(item)
            before, after = f"# {old}\n{before}", f"# {new}\n{after}"
        result.append(
            {"before_header": path, "after_header": path, "before": before, "after": after}
        )
    return result


def directory_diffs(
    pending: list[dict[str, t.Any]], states: dict[str, dict[str, t.Any]]
) -> list[dict[str, str]]:
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


def _rights(state: dict[str, t.Any]) -> str:
    return f"owner {state['owner']}, group {state['group']}, mode {state['mode']}"


def withhold(module: AnsibleModule) -> dict[str, t.Any]:
    """Return the parameters, with the texts and the environment taken out of the module.

    With no_log alone, Ansible stars each value of the environment out of all that the module
    returns, paths and keys too ("emqx" or "1" is a common value), and a text without secrets out
    of its diff. What we return is masked by key.
    """
    params: dict[str, t.Any] = module.params
    hidden = [{**item, "content": MASK} for item in params["files"]]
    module.params = {**params, "files": hidden, "environment": MASK}
    module.no_log_values.clear()
    return params


def run_module(module: AnsibleModule, params: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the module's result; raises EmqxError before anything is written."""
    listed = [*params["directories"], *params["files"]]
    states = {item["path"]: _host.file_state(item["path"]) for item in listed}
    waiting = changes.pending_files(listed, states)
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
    if params["validate"] and (candidates or (pending and in_force and params["environment"])):
        check_candidates(module, params, candidates)
    for item in pending:
        if item["check"]:
            check_file(module, item)
    shown = [*directory_diffs(folders, states), *diffs(pending, states)]
    before = {path: _host.read_text(path) for path in params["boot_files"]}
    after = {**before, **{i["path"]: i["content"] for i in pending if i["path"] in before}}
    stale = _host.stale_boot_files(after, params["boot_record"])
    if stale == [changes.UNKNOWN_BOOT]:
        # The files in force are the best guess at what the node was started with.
        stale += changes.boot_changes(before, after)
    if not module.check_mode:
        make_directories(folders)
        write_files(pending)
    return {"changed": bool(waiting), "changed_files": waiting, "diff": shown, "stale": stale}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    params = withhold(module)
    try:
        module.exit_json(**run_module(module, params))
    except EmqxError as error:
        module.fail_json(msg=error.message, failure=error.as_failure())
    except (OSError, KeyError) as error:
        module.fail_json(msg=f"Writing the configuration failed: {error}")


if __name__ == "__main__":
    main()
