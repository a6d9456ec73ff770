# Copyright (c) 2026, mqttops contributors
# GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action backup_archive: put a backup together on the control node, or open one."""

from __future__ import annotations

import datetime as dt
import os

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import EmqxError
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Options, Record
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.reported import reported
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import backups
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run import archive

ARGUMENT_SPEC: Options = {
    "state": {"type": "str", "choices": ["made", "opened"], "default": "made"},
    "path": {"type": "path", "required": True},
    "cluster": {"type": "str", "required": True},
    "staging": {"type": "path", "required": True},
    "vault_password_file": {"type": "path", "default": "", "no_log": False},
    "exported": {"type": "dict", "default": {}},
    "nodes": {"type": "list", "elements": "str", "default": []},
    "secrets": {"type": "list", "elements": "path", "default": [], "no_log": False},
    "keep": {"type": "int", "default": 0},
    "version": {"type": "str", "default": ""},
    "edition": {"type": "str", "default": ""},
    "held": {"type": "list", "elements": "str", "default": []},
    "overwrite": {"type": "bool", "default": False},
}


class ActionModule(ActionBase):
    """Read and write files of the control node alone."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: Json | None = None) -> Json:
        result: Json = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)
        try:
            answer = _made(options) if options["state"] == "made" else _opened(options)
        except (EmqxError, OSError) as error:
            raise AnsibleActionFail(str(error)) from error
        return {**result, **answer}


def _made(options: Record) -> Json:
    """Put together what was fetched into the staging folder, and what the control node keeps."""
    staging, cluster = options["staging"], options["cluster"]
    files = {backups.DATA: f"{staging}/{backups.DATA}"}
    files.update((f"nodes/{node}.tar", f"{staging}/{node}.tar") for node in options["nodes"])
    kept = [path for path in options["secrets"] if os.path.isfile(path)]
    files.update((f"secrets/{os.path.basename(path)}", path) for path in kept)
    manifest = backups.Manifest(
        cluster=cluster,
        made=backups.stamp(dt.datetime.now(dt.timezone.utc)),
        nodes=tuple(options["nodes"]),
        **backups.facts_of(options["exported"]),
    )
    path = archive.write(options["path"], manifest, files, options["vault_password_file"])
    removed = archive.prune(options["path"], cluster, options["keep"])
    return {"changed": True, "path": path, "removed": removed, "holds": dict(manifest.holds)}


def _opened(options: Record) -> Json:
    """Check a backup, and lay the archive of EMQX in it into the staging folder."""
    path = archive.find(options["path"], options["cluster"])
    manifest, files = archive.read(path, options["vault_password_file"])
    found = backups.findings(
        manifest, options["version"], options["edition"], options["held"], options["overwrite"]
    )
    data = f"{options['staging']}/{backups.DATA}"
    handle = os.open(data, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(files[backups.DATA])
    return {
        "changed": False,
        "path": path,
        "made": manifest.made,
        "holds": dict(manifest.holds),
        "roots": list(manifest.roots),
        **reported(found),
    }
