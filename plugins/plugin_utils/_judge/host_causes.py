# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What may be wrong on one host, a rule per cause. Pure: a case in, findings out.

Only what explains something that is seen now, or will do harm by itself, becomes a finding: a log
keeps lines of troubles that are long over.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.changes import UNKNOWN_BOOT
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.versions import feature
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.case import (
    NOTHING,
    PLAYBOOK,
    WARNING,
    Case,
    Fact,
    Finding,
    names,
    several,
)

Findings = t.Iterator[Finding]

_MIB = 1 << 20
_FULL = 8 * _MIB
_LOW_SHARE, _LOW = 0.05, 1024 * _MIB
_MANY_FILES = 0.9
# Hosts whose clocks differ less than this talk TLS and compare logs without harm.
_SKEW = 10.0


def unreachable(case: Case) -> Findings:
    for host in case.unreachable:
        name = case.name(host)
        running = [other for other in case.ready if name in case.views[other]["running_nodes"]]
        answers = [
            next(iter(case.answer(host, key).get("msg") for key in keys), "")
            for keys in (["view"], ["found"], ["ways"])
            if case.answer(host, keys[0]).get("unreachable")
        ]
        seen = f"{names(running)} see its node running" if running else ""
        yield Finding(
            "unreachable",
            (host,),
            "a host that Ansible reaches",
            f"Ansible cannot reach {host}"
            + (
                ", although its node runs."
                if running
                else "; no other member sees its node running either, so the host is down or cut "
                "off from the network."
            ),
            tuple(filter(None, [*dict.fromkeys(map(str, answers)), seen])),
            f"ansible -m ansible.builtin.ping {host}; if the host is lost for good, "
            f"{PLAYBOOK}remove_node -e emqx_remove_hosts={host}, or replace_node",
            severity=WARNING if running else "error",
            explains=frozenset({("down", host)}) if running else case.cut_off(host),
        )


def unread(case: Case) -> Findings:
    for host in case:
        answer = case.answer(host, "found")
        if answer.get("failed") and not answer.get("unreachable"):
            yield Finding(
                "unread",
                (host,),
                "a host that can be read",
                f"What is on {host} could not be read, so causes there may go unnamed.",
                (str(answer.get("msg", "")),),
                "mend what the message names, and ask again",
                severity=WARNING,
            )


def not_installed(case: Case) -> Findings:
    for host in case.missed:
        if case.views[host].get("installed") is False:
            yield Finding(
                "not_installed",
                (host,),
                "EMQX where it has run",
                f"EMQX is not installed on {host}.",
                (case.reason(host),),
                f"{PLAYBOOK}site",
                explains=case.all_of(host),
                mended=True,
            )


def disk(case: Case) -> Findings:
    for host in case:
        for path, space in (case.found(host).get("disks") or {}).items():
            what = _disk_trouble(space)
            if what:
                yield Finding(
                    "disk_full",
                    (host,),
                    "space for the node's data",
                    f"The file system of {path} on {host} {what}, so its node cannot write its "
                    "data.",
                    (_space(path, space), *case.log(host, "disk_full")),
                    f"on {host}: df -h {path}; df -i {path}; du -xh {path} | sort -h | tail",
                    explains=case.all_of(host) if host in case.not_ready else NOTHING,
                )
                break
            if space["free"] < min(_LOW, _LOW_SHARE * space["size"]):
                yield Finding(
                    "disk_low",
                    (host,),
                    "space for the node's data",
                    f"The file system of {path} on {host} is nearly full.",
                    (_space(path, space),),
                    f"on {host}: du -xh {path} | sort -h | tail",
                    severity=WARNING,
                )


def _disk_trouble(space: t.Mapping[str, t.Any]) -> str:
    if space["read_only"]:
        return "is mounted read-only"
    if space["free"] < min(_FULL, _LOW_SHARE * space["size"]):
        return "is full"
    return "has no file entries left" if space["entries"] and not space["free_entries"] else ""


def _space(path: str, space: t.Mapping[str, t.Any]) -> str:
    return f"{path}: {space['free'] // _MIB} MiB free of {space['size'] // _MIB} MiB"


def unusable_files(case: Case) -> Findings:
    for host in case:
        paths = case.found(host).get("unusable") or []
        # Where a node is still to be installed, files are still to be written.
        if paths and (host in case.ready or host in case.missed):
            yield Finding(
                "unusable_files",
                (host,),
                "files that the node's user can use",
                f"The user that runs EMQX on {host} has no right to use "
                f"{names(paths)}, which its node needs.",
                (
                    f"not readable, or a folder not writable: {names(paths)}",
                    *_permission(case, host),
                ),
                f"{PLAYBOOK}site sets owners and modes; on {host}: namei -l {paths[0]}",
                explains=case.all_of(host) if host in case.not_ready else NOTHING,
                about=frozenset({("down", host)}) if host in case.not_ready else NOTHING,
                mended=True,
            )


def _permission(case: Case, host: str) -> tuple[str, ...]:
    return case.log(host, "permission") if host in case.not_ready else ()


def config_refused(case: Case) -> Findings:
    for host in case.not_ready:
        refused = "call_hocon_failed" in case.reason(host)
        lines = case.log(host, "config")
        if refused or (lines and not case.process(host)):
            seen = case.config(host).get("error", "")
            yield Finding(
                "config_refused",
                (host,),
                "a configuration that EMQX accepts",
                f"EMQX on {host} refuses its configuration, so it does not start.",
                tuple(filter(None, [seen, case.reason(host) if refused else "", *lines])),
                f"on {host}: emqx check_config; {PLAYBOOK}site writes only what EMQX accepts",
                explains=case.all_of(host),
                # The command line needs no space to read it; a start ends alike on a full disk.
                about=NOTHING if refused else frozenset({("down", host)}),
                mended=True,
            )


def memory(case: Case) -> Findings:
    for host in case.not_ready:
        lines = case.log(host, "memory")
        if case.unit(host).get("result") == "oom-kill" or lines:
            yield Finding(
                "memory",
                (host,),
                "enough memory",
                f"EMQX on {host} ran out of memory and was ended.",
                (f"unit: result {case.unit(host).get('result')}", *lines),
                f"on {host}: journalctl -k | grep -i oom; free -m",
                explains=case.all_of(host),
                mended=True,
            )


def license_refused(case: Case) -> Findings:
    bare = [host for host in case if _single_node_license(case, host)]
    hurt = [host for host in case.not_ready if case.log(host, "license")]
    alone = [h for h in bare if case.apart_of(h)]
    if not hurt and not alone:
        return
    facts = frozenset[Fact]().union(*(case.all_of(h) for h in hurt), *map(case.apart_of, alone))
    who = bare or hurt
    versions = names({case.version(h) for h in who} - {""}) or "5.9 and newer"
    yield Finding(
        "license",
        tuple(sorted({*who, *hurt})),
        "a licence for a cluster",
        f"{names(who)} {several(who, 'has', 'have')} the community licence, with which EMQX "
        f"{versions} runs on a single node only: it refuses to be in a cluster.",
        tuple(
            [f"{h}: license.key is {case.config(h).get('license', 'unknown')}" for h in who]
            + [line for h in hurt for line in case.log(h, "license")]
        ),
        f"set emqx_license for all nodes and run {PLAYBOOK}site, or use EMQX 5.8",
        explains=facts,
        mended=True,
    )


def _single_node_license(case: Case, host: str) -> bool:
    version = case.version(host)
    try:
        gated = bool(version) and feature("license_gates_cluster", version)
    except InputError:
        gated = False
    return gated and case.config(host).get("license") in ("none", "default")


def port_in_use(case: Case) -> Findings:
    for host in case.not_ready:
        for port, holder in (case.found(host).get("listening") or {}).items():
            if _is_emqx(case, host, holder):
                continue
            who = holder["process"] or "an unknown process"
            unit = f", unit {holder['unit']}" if holder["unit"] else ""
            yield Finding(
                "port_in_use",
                (host,),
                "free ports for the node",
                f"Port {port} of {host} is taken by {who} (pid {holder['pid']}{unit}), so EMQX "
                "cannot listen on it and does not start.",
                (f"{host}: {who} listens on tcp {port}", *case.log(host, "port_in_use")),
                f"on {host}: end it (kill {holder['pid']}"
                + (f", systemctl disable --now {holder['unit']}" if holder["unit"] else "")
                + f"), then systemctl restart {case.unit(host).get('name', 'emqx')}",
                explains=case.all_of(host),
            )


def _is_emqx(case: Case, host: str, holder: t.Mapping[str, t.Any]) -> bool:
    """Tell whether it is the host's own node that listens, however it was started."""
    unit = case.unit(host).get("name", "")
    return bool(unit and holder["unit"] == unit) or holder["pid"] == case.process(host).get(
        "pid", 0
    )


def no_etcd(case: Case) -> Findings:
    """Up to ekka 0.23 a node ends its boot where it gets no answer from etcd."""
    for host in case.not_ready:
        answer = case.answer(host, "discovery").get("discovery") or {}
        usable = answer.get("failure", "") in ("", "etcd_locked")
        if answer.get("strategy") == "etcd" and not usable and _ended(case, host):
            yield Finding(
                "no_etcd",
                (host,),
                "an etcd that the node can use",
                f"EMQX on {host} does not boot without its etcd, which cannot be used from there.",
                tuple(answer["problems"]),
                f"mend that, then {PLAYBOOK}site starts the node",
                explains=case.all_of(host),
                about=frozenset({("down", host)}),
            )


def _ended(case: Case, host: str) -> bool:
    """Tell whether the unit ended by itself."""
    unit = case.unit(host)
    return unit.get("active") == "failed" or unit.get("sub") == "auto-restart"


def replicant_version(case: Case) -> Findings:
    cores = [host for host in case if case.nodes[host].get("role") == "core"]
    versions = {case.version(host) for host in cores if host in case.ready} - {""}
    for host in case:
        version = case.version(host)
        replicant = case.nodes[host].get("role") == "replicant"
        troubled = host in case.not_ready or bool(case.apart_of(host))
        if not (replicant and version and versions and troubled) or version in versions:
            continue
        yield Finding(
            "replicant_version",
            (host,),
            "a core of the replicant's version",
            f"Replicant {host} has EMQX {version} and finds no core of that version "
            f"({names(cores)}: {names(versions)}), without which it does not boot.",
            case.log(host, "replicant") or (f"{host}: EMQX {version}",),
            f"bring {host} to EMQX {names(versions)}, or upgrade a core first",
            explains=case.all_of(host),
        )


def other_name(case: Case) -> Findings:
    for host in case:
        actual, wanted = case.runs_as(host), case.name(host)
        stored = [n for n in case.found(host).get("data_nodes") or () if n != wanted]
        ghosts = [
            n
            for n in stored
            if any(n in case.views[h].get("stopped_nodes", ()) for h in case.ready)
        ]
        if actual and actual != wanted:
            default = " (the name in the vendor's configuration)" if "127.0.0.1" in actual else ""
            cause = f"The node of {host} is called {actual}{default}, the inventory has {wanted}."
            code, expected = "other_name", "a node of the inventory's name"
            remedy = f"correct emqx_node_name, or {PLAYBOOK}rename_node"
        elif ghosts or (stored and wanted not in case.found(host).get("data_nodes", ())):
            old = names(ghosts or stored)
            cause = (
                f"The data directory of {host} holds the database of {old}, not of {wanted}: a "
                "database belongs to one name for ever, so the node starts empty under the new one."
            )
            code, expected = "data_of_other_name", "a database of the node's own name"
            remedy = f"{PLAYBOOK}rename_node, or the old name again"
        else:
            continue
        yield Finding(
            code,
            (host,),
            expected,
            cause,
            (
                f"{host}: its databases are those of {names(stored or [wanted])}",
                *(f"{names(ghosts)} listed as stopped" for _one in ghosts[:1]),
            ),
            f"{remedy} -e emqx_rename_host={host}" if remedy.endswith("rename_node") else remedy,
            explains=case.all_of(host)
            | frozenset({("stopped", n) for n in stored} | {("running", actual)}),
        )


def uninvited(case: Case) -> Findings:
    running = {name for host in case.ready for name in case.views[host].get("running_nodes", ())}
    known = case.all_names | {case.runs_as(host) for host in case}
    for name in sorted(running - known):
        yield Finding(
            "came_back",
            (),
            "only members that the inventory has",
            f"{name} is a running member that the inventory does not have: it left and came back "
            "(a service that is still enabled, seeds that still find the others), or somebody "
            "else added it.",
            tuple(f"{h} lists {name} as running" for h in case.ready if case.lists(h, name)),
            f"{PLAYBOOK}remove_node -e emqx_remove_hosts={name}, and disable its service; or put "
            "its host into the inventory",
        )


def stale_members(case: Case) -> Findings:
    stopped = {name for host in case.ready for name in case.views[host].get("stopped_nodes", ())}
    for name in sorted(stopped - case.all_names):
        yield Finding(
            "stale_member",
            (),
            "only members that the inventory has",
            f"{name} is listed as a stopped member but the inventory does not have it: it is gone "
            "and was never removed, and EMQX takes in no new core while it is listed.",
            tuple(f"{h} lists {name} as stopped" for h in case.ready if case.lists(h, name)),
            f"{PLAYBOOK}remove_node -e emqx_remove_hosts={name}",
            about=frozenset({("stopped", name)}),
        )


def services(case: Case) -> Findings:
    """What is left to say of a node that is down: its unit."""
    idle = [h for h in case.missed if case.unit(h).get("active") == "inactive"]
    idle = [h for h in idle if not case.process(h)]
    if idle:
        yield Finding(
            "stopped",
            tuple(idle),
            "a node in operation",
            f"The service of EMQX is stopped on {names(idle)}.",
            tuple(f"{h}: inactive since {case.unit(h).get('since') or 'the boot'}" for h in idle),
            f"ansible {','.join(idle)} -b -m ansible.builtin.systemd_service -a "
            "'name=emqx state=started'",
            explains=frozenset({("down", h) for h in idle}),
            about=frozenset({("down", h) for h in idle}),
            mended=True,
        )
    for host in case.missed:
        if host in idle:
            continue
        unit, failed = case.unit(host), _ended(case, host)
        booting = case.views[host]["state"] == "booting"
        lines = case.log(host, "crash", "port_in_use", "permission", "file_limit", "disk_full")
        yield Finding(
            "crashed" if failed else "booting" if booting else "silent",
            (host,),
            "a node in operation",
            f"EMQX on {host} ended by itself, and none of the known causes was found."
            if failed
            else f"The node of {host} is still booting."
            if booting
            else f"The node of {host} gives no answer, and none of the known causes was found.",
            (
                f"{host}: unit {unit.get('active', 'unknown')} ({unit.get('sub', '-')}), result "
                f"{unit.get('result', '-')}, {unit.get('restarts', 0)} restarts",
                *filter(None, [case.reason(host)]),
                *lines,
            ),
            f"on {host}: journalctl -u {unit.get('name', 'emqx')} -n 50; tail /var/log/emqx/*.1",
            explains=case.all_of(host),
            about=frozenset({("down", host)}),
            mended=True,
        )


def stale_config(case: Case) -> Findings:
    for host in case:
        keys = [
            k for k in case.found(host).get("stale") or () if k not in (UNKNOWN_BOOT, "node.cookie")
        ]
        if keys:
            yield Finding(
                "old_values",
                (host,),
                "nodes that run with the values of their files",
                f"The node of {host} runs with old values of {names(keys)}: they were changed in "
                "its files but it was not restarted since.",
                tuple(keys),
                f"{PLAYBOOK}site restarts what runs with old values",
                severity=WARNING,
            )


def overridden(case: Case) -> Findings:
    groups: dict[tuple[str, ...], list[str]] = {}
    for host in case:
        keys = case.config(host).get("overridden") or ()
        if keys:
            groups.setdefault(tuple(keys), []).append(host)
    for keys, hosts in groups.items():
        yield Finding(
            "overridden",
            tuple(hosts),
            "settings at run time as in the files",
            f"{names(keys)} {several(keys, 'was', 'were')} changed at run time (cluster.hocon), "
            f"but the files of {names(hosts)} say otherwise and win at the next start.",
            tuple(keys),
            "take the keys out of emqx_config, or set them there to what they shall be",
            severity=WARNING,
        )


def clocks(case: Case, window: tuple[float, float] | None) -> Findings:
    if window is None:
        return
    for host in case:
        now = case.found(host).get("time")
        if now is None or window[0] - _SKEW <= now <= window[1] + _SKEW:
            continue
        off = now - window[1] if now > window[1] else now - window[0]
        yield Finding(
            "clock",
            (host,),
            "clocks less than 10 s apart",
            f"The clock of {host} is {abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} the "
            "control node's: certificates, tokens and logs depend on it.",
            (f"{host}: {now:.0f}, control node: {window[0]:.0f} to {window[1]:.0f}",),
            f"on {host}: timedatectl; set up chrony or systemd-timesyncd on all hosts",
            severity=WARNING,
        )


def open_files(case: Case) -> Findings:
    for host in case:
        limit, count = (case.process(host).get(k) for k in ("open_files_limit", "open_files"))
        if limit and count and count > _MANY_FILES * limit:
            yield Finding(
                "file_limit",
                (host,),
                "fewer open files than the limit",
                f"The node of {host} has {count} of the {limit} files open that it may have: soon "
                "it takes no connection any more.",
                case.log(host, "file_limit"),
                "raise emqx_tuning_nofile (LimitNOFILE of the unit) and restart",
                severity=WARNING,
            )
