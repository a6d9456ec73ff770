# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Take from Ansible what the plan is made of: the variables of hosts, and what was read there."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import secrets
import time
import typing as t
from collections.abc import Mapping

from ansible.errors import AnsibleError

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.module_utils._host.files import read_text
from ansible_collections.mqttops.emqx.plugins.module_utils._host.packages import package_file
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Record
from ansible_collections.mqttops.emqx.plugins.module_utils._package.facts import PackageFacts
from ansible_collections.mqttops.emqx.plugins.module_utils._package.formats import (
    read as read_package,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model import configuration
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.reading import (
    NEXT_COOKIE,
    missing,
    plain,
    read,
    unknown_variables,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import HostState
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.checks import PEM_VARIABLES
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.inputs import (
    DRAIN,
    LIFECYCLE,
    REMOVE,
    RENAME,
    REPLACE,
    RESTORE,
    HostInput,
    RunInput,
    Written,
)

PREFIX = "emqx_"


def own_variables(
    templar: t.Any,
    task_vars: Record,
    host: str,
    names: t.Container[str] | None = None,
) -> tuple[Json, list[Finding]]:
    """Return the variables ``emqx_*`` of a host, or of those the ``names``, with all templates
    filled in, and a finding for each that cannot be, as one that a template refers to is missing.

    ``templar`` is that of the host."""
    values: Json = {}
    findings: list[Finding] = []
    for name in [name for name in task_vars if name.startswith(PREFIX)]:
        if names is not None and name not in names:
            continue
        try:
            values[name] = plain(templar.template(task_vars[name]))
        except AnsibleError as error:
            findings.append(_untemplated(name, host, error))
    return values, findings


def _untemplated(name: str, host: str, error: AnsibleError) -> Finding:
    return Finding(
        "template",
        "a value whose templates can be filled in",
        " ".join(str(error).split())[:300],
        f"correct {name}, or define what it refers to",
        hosts=(host,),
        subject=name,
    )


# What the others have to know of a member, be its host in the run or not.
_OF_MEMBER = frozenset(
    PREFIX + name
    for name in (
        *("node_name", "node_address", "node_addresses", "node_role", "server", "instance"),
        *("version", "license", "proto_dist", "dist_tls", "rpc_tls"),
        *("rpc_port_discovery", "rpc_server_port", "deployment", "container_network"),
        *("config", "base_config", "environment"),
        *("firewall_listener_ports", "firewall_dashboard_ports"),
    )
)
# Variables without a default that a purpose cannot do without.
NEEDED: Mapping[str, tuple[str, ...]] = {
    REMOVE: ("remove_hosts",),
    REPLACE: ("dead_host", "new_host"),
    RENAME: ("rename_host",),
    DRAIN: ("drain_host",),
    RESTORE: ("restore_from",),
}
# What the role registers of each host, read here from hostvars.
STATE, SURVEY, LINKS_AGAIN, DISCOVERY, VIEW, TRIAL, WRITTEN, PLAN = (
    "__emqx_state",
    "__emqx_survey",
    "__emqx_links_again",
    "__emqx_discovery",
    "__emqx_view",
    "__emqx_trial",
    "__emqx_written",
    "__emqx_plan",
)


def registered(variables: Record, name: str) -> Json:
    """Return a result that a task registered, {} where it was skipped or never ran."""
    found = variables.get(name)
    if not isinstance(found, Mapping) or found.get("skipped"):
        return {}
    return t.cast("Json", plain(found))


def inventory_dir(task_vars: Record) -> str:
    """Return the folder that secrets of a cluster are kept beside: that of the inventory."""
    return str(task_vars.get("inventory_dir") or os.getcwd())


def run_input(templar: t.Any, task_vars: Record, purpose: str, check_mode: bool) -> RunInput:
    """Return all that is known of a run, from what its tasks registered.

    ``templar`` and ``task_vars`` are those of any of its hosts. Raise InputError where no host was
    read.
    """
    hostvars = task_vars["hostvars"]
    folder = inventory_dir(task_vars)
    names = [str(host) for host in task_vars["ansible_play_hosts_all"]]
    known = {host: registered(hostvars[host], STATE) for host in names}
    hosts = {
        host: _host_input(host, hostvars[host], state, folder, purpose)
        for host, state in known.items()
        if "variables" in state
    }
    if not hosts:
        raise InputError("expected the answer of host_state for the hosts of the play, found none")
    wanted = {member for given in hosts.values() for member in given.settings.cluster_hosts}
    others = {
        host: _other(host, templar, hostvars, folder)
        for host in sorted(wanted - set(hosts))
        if host in hostvars
    }
    before = registered(task_vars, PLAN)
    packages = _package_paths(hosts)
    # Stands for a secret that is still to be made where nothing may be written yet.
    spare = secrets.token_hex(16)
    return RunInput(
        purpose=purpose,
        hosts={host: _with_secrets(given, spare) for host, given in hosts.items()},
        others=others,
        now=dt.datetime.now(dt.timezone.utc).replace(tzinfo=None),
        began=before.get("began") or time.time(),
        check_mode=check_mode,
        missing_secrets=() if purpose in LIFECYCLE else _missing_secrets(hosts.values()),
        next_cookies=_next_cookies(hosts.values()),
        packages=before.get("packages") or {path: package_file(path) for path in packages},
        opened=_opened(packages),
        salt=before.get("salt") or secrets.token_hex(16),
    )


def _host_input(
    host: str,
    variables: Record,
    state: Record,
    folder: str,
    purpose: str,
) -> HostInput:
    own = state["variables"]
    given = read(own, host, folder)
    found = state.get("host")
    absent = missing(own, NEEDED.get(purpose, ()), host)
    return HostInput(
        settings=_with_kept(given.settings),
        management=str(state["management"]),
        findings=(
            *(_finding(item) for item in state["findings"]),
            *given.findings,
            *absent,
            *unknown_variables(own, host),
        ),
        texts=_texts(given.settings),
        host=None if found is None else HostState.of(found),
        survey=_survey(state, registered(variables, SURVEY)),
        links_again=registered(variables, LINKS_AGAIN),
        discovery=registered(variables, DISCOVERY),
        view=registered(variables, VIEW),
        trial=Written.of(registered(variables, TRIAL)),
        written=Written.of(registered(variables, WRITTEN)),
    )


def _survey(state: Record, later: Record) -> Json:
    """Return the answers besides that of host_info, the later ones where a host was asked twice."""
    answers = {**state.get("survey", {}), **later.get("survey", {})}
    return {name: answer for name, answer in answers.items() if name != "host_info"}


def _finding(item: Record) -> Finding:
    known = {**item, "hosts": tuple(item["hosts"]), "evidence": tuple(item["evidence"])}
    return Finding(**known)


def _other(host: str, templar: t.Any, hostvars: t.Any, folder: str) -> HostInput:
    """Return what the inventory says of a member that the run leaves out.

    No task of the role runs for it, so that the defaults of the role are none of its variables,
    which its templates may refer to all the same.
    """
    defaults = {f"{PREFIX}{name}": value for name, value in vars(Settings()).items()}
    known = {**defaults, **hostvars.raw_get(host), "hostvars": hostvars}
    own_templar = templar.copy_with_new_env(available_variables=known)
    own, findings = own_variables(own_templar, known, host, _OF_MEMBER)
    management = own_templar.template(known.get("ansible_host") or host)
    return HostInput(read(own, host, folder).settings, str(management), tuple(findings))


def _texts(settings: Settings) -> dict[str, str]:
    """Return the PEM texts of variables that hold one, or the path of one on the control node."""
    found = {}
    for name in PEM_VARIABLES:
        given = getattr(settings, name)
        if "-----BEGIN " in given:
            found[f"emqx_{name}"] = given
        elif given and os.path.isfile(os.path.expanduser(given)):
            found[f"emqx_{name}"] = read_text(os.path.expanduser(given)) or ""
    return found


# Made once, and kept on the control node in the file that another setting names.
_MADE = {"cookie": "cookie_file", "dashboard_password": "dashboard_password_file"}


def _unset(settings: Settings) -> list[str]:
    """Return the secrets that are to be made, or were, as no variable has them."""
    names = [name for name in _MADE if not getattr(settings, name)]
    own = configuration.sets_dashboard_password(settings)
    return [name for name in names if name != "dashboard_password" or not own]


def _with_kept(settings: Settings) -> Settings:
    """Return settings with the secrets that are kept on the control node, unless they have them."""
    kept: dict[str, t.Any] = {
        name: (read_text(os.path.expanduser(path)) or "").strip()
        for name in _unset(settings)
        for path in [getattr(settings, _MADE[name])]
        if path
    }
    return dataclasses.replace(settings, **kept)


def _with_secrets(given: HostInput, spare: str) -> HostInput:
    unset: dict[str, t.Any] = dict.fromkeys(_unset(given.settings), spare)
    return dataclasses.replace(given, settings=dataclasses.replace(given.settings, **unset))


def _missing_secrets(hosts: t.Iterable[HostInput]) -> tuple[str, ...]:
    """Return the files of the secrets that are still to be made."""
    files = [getattr(own.settings, _MADE[name]) for own in hosts for name in _unset(own.settings)]
    return tuple(dict.fromkeys(files))


def _next_cookies(hosts: t.Iterable[HostInput]) -> tuple[str, ...]:
    """Return the files of cookies that a run which does not rotate them leaves where they are."""
    settings = (given.settings for given in hosts)
    paths = {own.cookie_file + NEXT_COOKIE for own in settings if not own.new_cookie}
    return tuple(sorted(path for path in paths if os.path.exists(os.path.expanduser(path))))


def _package_paths(hosts: Mapping[str, HostInput]) -> list[str]:
    """Return the packages that are files on the control node, each once."""
    every = (given.settings for given in hosts.values())
    return sorted({own.package for own in every if own.package_source == "controller"} - {""})


def _opened(paths: t.Iterable[str]) -> dict[str, PackageFacts]:
    """Read what stands in packages."""
    found = {path: read_package(path) for path in paths if os.path.isfile(path)}
    return {path: facts for path, facts in found.items() if facts}
