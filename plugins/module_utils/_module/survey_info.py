# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Ask a host everything at the same time. A task on a host costs more than most answers."""

from __future__ import annotations

import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import EmqxError, InputError
from ansible_collections.mqttops.emqx.plugins.module_utils._host import evidence, probe
from ansible_collections.mqttops.emqx.plugins.module_utils._host.run import RunCommand
from ansible_collections.mqttops.emqx.plugins.module_utils._host.running import processes
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Record
from ansible_collections.mqttops.emqx.plugins.module_utils._module import cluster_info, host_info


def _probed(params: Record, _run_command: RunCommand) -> Json:
    return probe.read({**params, "state": "probed"})


# The options of each module, and who reads for it; who takes longest first.
READS: t.Mapping[str, tuple[Record, t.Callable[[Record, RunCommand], Json]]] = {
    "cluster_info": (cluster_info.OPTIONS, cluster_info.read),
    "host_info": (host_info.OPTIONS, host_info.read),
    "evidence_info": (evidence.OPTIONS, evidence.read),
    "cluster_probe": (probe.OPTIONS, _probed),
}


def survey(
    wanted: t.Mapping[str, Record],
    stand_in: bool,
    speaks_for_others: bool | None,
    run_command: RunCommand,
) -> Json:
    """Return the answers of modules by their names, each as the module itself would end.

    ``wanted`` has their options. With ``stand_in``, a listener takes the free ports of a node
    that is down once all is read, and its answer is ``stand_in``. It ends by itself, as does one
    of an earlier run now. Where the hosts do so at the same time, as the number of
    ``expected_peers`` says, ``all_open`` is whether all links were open at last, so that none needs
    another try. One node that ``speaks_for_others`` (True) spares them (False) a call of their
    command line: they are not asked if they run. None asks each. Raise InputError for options that
    a module does not have.
    """
    params = {name: _checked(name, given) for name, given in wanted.items()}
    if speaks_for_others:
        params["cluster_info"] = {**params["cluster_info"], "others": True}
    elif speaks_for_others is not None and _runs(params):
        del params["cluster_info"]
    # Others may have found it in place of the one that starts now.
    left_over = stand_in and probe.read({**params["cluster_probe"], "state": "closed"})["closed"]
    with ThreadPoolExecutor(len(READS)) as pool:
        asked = {
            name: pool.submit(_answer, READS[name][1], given, run_command)
            for name, given in params.items()
        }
    answers: Json = {name: answer.result() for name, answer in asked.items()}
    if stand_in and _is_idle(answers):
        answers["stand_in"] = probe.read({**params["cluster_probe"], "state": "listening"})
    if stand_in and params["cluster_probe"]["expected_peers"]:
        links = answers["cluster_probe"].get("probe", {}).get("links", [])
        answers["all_open"] = probe.retry(links) and bool(links) and not left_over
    return answers


def _checked(name: str, given: Record) -> Record:
    checked = ArgumentSpecValidator(READS[name][0]).validate(dict(given))
    if checked.error_messages:
        raise InputError(f"options of {name}: {'; '.join(checked.error_messages)}", option=name)
    return dict(checked.validated_parameters)


def _answer(
    read: t.Callable[[Record, RunCommand], Json], params: Record, run_command: RunCommand
) -> Json:
    try:
        return read(params, run_command)
    except EmqxError as error:
        return {"failed": True, "msg": error.message, "failure": error.as_failure()}
    except OSError as error:
        return {"failed": True, "msg": f"Reading the host failed: {error}"}


def _runs(params: t.Mapping[str, Record]) -> bool:
    running = processes(params["evidence_info"]["service"])
    return params["cluster_probe"]["node"] in [process["node"] for process in running]


def _is_idle(answers: t.Mapping[str, Json]) -> bool:
    """Tell whether no node runs, and none will by itself: its unit would find its ports taken."""
    node = answers.get("cluster_info", {}).get("emqx") or {}
    unit = (answers["evidence_info"].get("evidence") or {}).get("unit") or {}
    return node.get("state") == "down" and unit.get("active") in ("inactive", "failed")
