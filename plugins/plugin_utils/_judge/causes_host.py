# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What may be wrong with a host itself, a rule for each cause.

Only what explains something that is seen now, or will do harm by itself, becomes a finding: a log
keeps lines of troubles that are long over.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import (
    ERROR,
    NO_FACTS,
    WARNING,
    Finding,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.case import (
    PLAYBOOK,
    Case,
    names,
    several,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.found import Process, Space
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.sockets import is_loopback

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
        running = [other for other in case.ready if name in case.running[other]]
        seen = f"{names(running)} see its node running" if running else ""
        yield Finding(
            "unreachable",
            "a host that Ansible reaches",
            f"Ansible cannot reach {host}"
            + (
                ", although its node runs"
                if running
                else "; no other member sees its node running either, so the host is down or cut "
                "off from the network"
            ),
            f"ansible -m ansible.builtin.ping {host}; if the host is lost for good, "
            f"{PLAYBOOK}remove_node -e emqx_remove_hosts={host}, or replace_node",
            hosts=(host,),
            evidence=tuple(filter(None, [*case[host].lost, seen])),
            severity=WARNING if running else ERROR,
            explains=frozenset({("down", host)}) if running else case.cut_off(host),
        )


def not_examined(case: Case) -> Findings:
    hosts = case.not_examined
    if not hosts or not case.nodes:
        return
    seen = [
        f"{other} lists {name} as stopped"
        for host, name in hosts.items()
        for other in case.ready
        if name in case.views[other].stopped
    ]
    yield Finding(
        "not_examined",
        "all members of the cluster in this run",
        f"{names(hosts)} {several(hosts, 'was', 'were')} not part of it, so of "
        f"{several(hosts, 'its node', 'their nodes')} nothing is known but what others see"
        + (", to whom not all of them run" if seen else ""),
        "run it for all hosts, without --limit",
        hosts=tuple(hosts),
        evidence=tuple(seen),
        severity=ERROR if seen else WARNING,
        mended=True,
    )


def unread(case: Case) -> Findings:
    for host in case:
        if case[host].unread:
            yield Finding(
                "unread",
                "a host that can be read",
                f"what is on {host} could not be read, so causes there may go unnamed",
                "mend what the message names, and ask again",
                hosts=(host,),
                evidence=(case[host].unread,),
                severity=WARNING,
            )


def not_installed(case: Case) -> Findings:
    for host in case.missed:
        if case.views[host].installed is False:
            yield Finding(
                "not_installed",
                "EMQX where it has run",
                f"EMQX is not installed on {host}",
                f"{PLAYBOOK}site",
                hosts=(host,),
                evidence=tuple(filter(None, [case.reason(host)])),
                explains=case.all_of(host),
                mended=True,
            )


def disk(case: Case) -> Findings:
    for host in case:
        for space in case.found(host).disks:
            what, path = _disk_trouble(space), space.path
            if what:
                yield Finding(
                    "disk_full",
                    "space for the node's data",
                    f"the file system of {path} on {host} {what}, so its node cannot write its "
                    "data",
                    f"on {host}: df -h {path}; df -i {path}; du -xh {path} | sort -h | tail",
                    hosts=(host,),
                    evidence=(_space(space), *case.log(host, "disk_full")),
                    explains=case.all_of(host) if host in case.not_ready else NO_FACTS,
                )
                break
            if space.free < min(_LOW, _LOW_SHARE * space.size):
                yield Finding(
                    "disk_low",
                    "space for the node's data",
                    f"the file system of {path} on {host} is nearly full",
                    f"on {host}: du -xh {path} | sort -h | tail",
                    hosts=(host,),
                    evidence=(_space(space),),
                    severity=WARNING,
                )


def _disk_trouble(space: Space) -> str:
    if space.read_only:
        return "is mounted read-only"
    if space.free < min(_FULL, _LOW_SHARE * space.size):
        return "is full"
    return "has no file entries left" if space.entries and not space.free_entries else ""


def _space(space: Space) -> str:
    return f"{space.path}: {space.free // _MIB} MiB free of {space.size // _MIB} MiB"


def unusable_files(case: Case) -> Findings:
    for host in case:
        # Where a node is still to be installed, files are still to be written.
        if host not in case.ready and host not in case.missed:
            continue
        down = host in case.not_ready
        facts = case.all_of(host) if down else NO_FACTS
        about = frozenset({("down", host)}) if down else NO_FACTS
        logs = case.log(host, "permission") if down else ()
        paths = case.found(host).unusable
        if paths:
            yield Finding(
                "unusable_files",
                "files that the node's user can use",
                f"the user that runs EMQX on {host} has no right to use {names(paths)}, which its "
                "node needs",
                f"on {host}: ls -ld {' '.join(paths[:6])}; {PLAYBOOK}site sets owners and modes",
                hosts=(host,),
                evidence=(f"not readable, or a folder not writable: {names(paths)}", *logs),
                explains=facts,
                about=about,
                mended=True,
            )
        faulty = [file for file in case.found(host).named_files if file.fault]
        faulty = [file for file in faulty if file.path not in paths]
        if faulty:
            yield Finding(
                "unusable_files",
                "files that the configuration names and EMQX's user can read",
                f"of the files that the configuration of {host} names, "
                + "; ".join(f"{file.path} {file.fault}" for file in faulty[:6]),
                f"put {several(faulty, 'it', 'them')} there, readable by EMQX's user, or correct "
                f"{names({file.key or file.path for file in faulty})}",
                hosts=(host,),
                evidence=(
                    *(f"{file.key or 'configuration'}: {file.path}" for file in faulty[:6]),
                    *logs,
                ),
                explains=facts,
                about=about,
                # Others than the collection may put them there before a deployment.
                mended=True,
            )


def memory(case: Case) -> Findings:
    for host in case.not_ready:
        lines = case.log(host, "memory")
        if case.unit(host).result == "oom-kill" or lines:
            yield Finding(
                "memory",
                "enough memory",
                f"EMQX on {host} ran out of memory and was ended",
                f"on {host}: journalctl -k | grep -i oom; free -m",
                hosts=(host,),
                evidence=(f"unit: result {case.unit(host).result or '-'}", *lines),
                explains=case.all_of(host),
                mended=True,
            )


def clocks(case: Case, window: tuple[float, float] | None) -> Findings:
    if window is None:
        return
    for host in case:
        now = case.found(host).time
        if now is None or window[0] - _SKEW <= now <= window[1] + _SKEW:
            continue
        off = now - window[1] if now > window[1] else now - window[0]
        yield Finding(
            "clock",
            f"clocks less than {_SKEW:.0f} s apart",
            f"the clock of {host} is {abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} the "
            "control node's: certificates, tokens and logs depend on it",
            f"on {host}: timedatectl; set up chrony or systemd-timesyncd on all hosts",
            hosts=(host,),
            evidence=(f"{host}: {now:.0f}, control node: {window[0]:.0f} to {window[1]:.0f}",),
            severity=WARNING,
        )


def open_files(case: Case) -> Findings:
    for host in case:
        process = case.process(host)
        limit, count = process.open_files_limit, process.open_files
        if limit > 0 and count > _MANY_FILES * limit:
            yield Finding(
                "file_limit",
                "fewer open files than the limit",
                f"the node of {host} has {count} of the {limit} files open that it may have: soon "
                "it takes no connection any more",
                "raise emqx_tuning_nofile (LimitNOFILE of the unit) and restart",
                hosts=(host,),
                subject="emqx_tuning_nofile",
                evidence=case.log(host, "file_limit"),
                severity=WARNING,
            )


def open_files_limit(case: Case, desired: t.Mapping[str, int]) -> Findings:
    """Compare the limit in force with the one that variables ask for, by host."""
    for host in case:
        limit, wanted = case.process(host).open_files_limit, desired.get(host, 0)
        if 0 < limit < wanted:
            yield Finding(
                "open_files_limit",
                f"{wanted} open files at most",
                f"the node of {host} runs with a limit of {limit}",
                "restart the node if the limit was changed since it started; else something above "
                f"it sets a lower one: on {host}: systemctl show emqx -p LimitNOFILE; sysctl "
                "fs.nr_open; the limits of the container or virtual machine it is in",
                hosts=(host,),
                subject="emqx_tuning_nofile",
                evidence=(f"{host}: process {case.process(host).pid}, Max open files {limit}",),
                severity=WARNING,
            )


def default_password(case: Case) -> Findings:
    """Users are those of the cluster: where one node takes the login, all that are in it do."""
    taken = [host for host in case.ready if case.views[host].default_login]
    if not taken:
        return
    dashboards = [
        each for h in taken for each in case.nodes[h].listeners if each.kind == "dashboard"
    ]
    # Without a model of listeners it is EMQX's default, which is all addresses.
    open_to_others = not dashboards or any(
        each.enabled and not is_loopback(each.address) for each in dashboards
    )
    others = ", and a dashboard listens to others" if open_to_others else ""
    yield Finding(
        "default_password",
        "a password for the dashboard and the REST API that is not the vendor's",
        f"the user admin with the password public{others}",
        f"on {taken[0]}: emqx ctl admins passwd admin NEW_PASSWORD; limit who may reach the "
        "dashboard by emqx_firewall_dashboard_networks",
        subject="dashboard",
        evidence=(f"seen on {names(taken)}",),
        severity=ERROR if open_to_others else WARNING,
        # No reason to refuse a deployment, by which it may just be put right.
        mended=True,
    )


def services(case: Case) -> Findings:
    """What is left to say of a node that is down: its unit."""
    idle = [h for h in case.missed if case.unit(h).idle and case.process(h) == Process()]
    if idle:
        yield Finding(
            "stopped",
            "a node in operation",
            f"the service of EMQX is stopped on {names(idle)}",
            f"ansible {','.join(idle)} -b -m ansible.builtin.systemd_service -a "
            "'name=emqx state=started'",
            hosts=tuple(idle),
            evidence=tuple(f"{h}: inactive since {case.unit(h).since or 'the boot'}" for h in idle),
            explains=frozenset({("down", h) for h in idle}),
            about=frozenset({("down", h) for h in idle}),
            mended=True,
        )
    for host in case.missed:
        if host not in idle:
            yield _not_running(case, host)


def _not_running(case: Case, host: str) -> Finding:
    unit, license_kind = case.unit(host), case.config(host).license
    if unit.ended:
        code, found = "crashed", f"EMQX on {host} ended by itself, and none of the known causes"
    elif case.views[host].state == "booting":
        code, found = "booting", f"the node of {host} is still booting"
    else:
        code, found = "silent", f"the node of {host} gives no answer, and none of the known causes"
    license_line = f"{host}: license.key is a {license_kind}, which EMQX may have refused"
    return Finding(
        code,
        "a node in operation",
        found if code == "booting" else f"{found} was found",
        f"on {host}: journalctl -u {unit.name} -n 50; tail /var/log/emqx/*.1",
        hosts=(host,),
        evidence=(
            f"{host}: unit {unit.active or 'unknown'} ({unit.sub or '-'}), result "
            f"{unit.result or '-'}, {unit.restarts} restarts",
            *filter(None, [case.reason(host)]),
            *([license_line] if unit.ended and license_kind in ("key", "file") else []),
            *case.log(
                host, "crash", "listen", "port_in_use", "permission", "file_limit", "disk_full"
            ),
        ),
        explains=case.all_of(host),
        about=frozenset({("down", host)}),
        mended=True,
    )
