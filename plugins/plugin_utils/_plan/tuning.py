# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Which kernel values and limits of a host have to change, and which cannot."""

from __future__ import annotations

import re
import typing as t
from dataclasses import asdict, dataclass, field

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import WARNING, Finding
from ansible_collections.mqttops.emqx.plugins.module_utils._host import sysctl_changes, sysctls
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    HostState,
    ManagedFile,
    Texts,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.managed import (
    commented,
    is_current,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.port_ranges import ranges
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.steps import Step

RESERVED_PORTS = "net.ipv4.ip_local_reserved_ports"
LIMITS_FILE = "/etc/security/limits.d/90-mqttops-emqx.conf"
# Files whose state the plan needs in HostState.files.
WATCHED: Texts = (sysctls.FILE, LIMITS_FILE)
VARIABLE = "emqx_tuning_sysctl"

# Limits of the whole machine: a host that allows more keeps what it has.
_MINIMUMS = frozenset(
    {
        "fs.file-max",
        "fs.nr_open",
        "net.core.rmem_max",
        "net.core.wmem_max",
        "net.netfilter.nf_conntrack_max",
        "net.nf_conntrack_max",
    }
)
_OPEN_FILES = "fs.nr_open"
_HEADER = commented() + "\n"
_KEY = re.compile(r"(net|fs|vm)[./][\w./:*@-]+")
_NUMBERS = re.compile(r"-?\d{1,20}([ ,-]+\d{1,20})*")
_WORDS = re.compile(r"[\w.:+-]+( [\w.:+-]+)*")
_PORTS = re.compile(r"(\d{1,5}(-\d{1,5})?(, *\d{1,5}(-\d{1,5})?)*)?")


@dataclass(frozen=True)
class KernelValue:
    """A kernel value as a host has it; see ``sysctls.read`` for the fields."""

    value: str | None = None
    writable: bool = False
    reason: str = sysctls.UNKNOWN
    asked: str = ""
    kept: str = ""

    @classmethod
    def of(cls, found: t.Any) -> KernelValue:
        """Return what host_info says of a key: a record, or the plain value."""
        if isinstance(found, t.Mapping):
            known = {name: found[name] for name in cls.__annotations__ if name in found}
            value = known.get("value")
            return cls(**{**known, "value": None if value is None else normalise(value)})
        return cls() if found is None else cls(normalise(found), True, "")


@dataclass(frozen=True)
class TuningPlan:
    """What to do on a host. ``values`` are the lines of our sysctl file; ``pending`` are those of
    them that the kernel does not have yet; ``skipped`` has the reason of each key that cannot be
    set here."""

    values: t.Mapping[str, str] = field(default_factory=dict)
    pending: t.Mapping[str, str] = field(default_factory=dict)
    skipped: t.Mapping[str, str] = field(default_factory=dict)
    files: tuple[ManagedFile, ...] = ()
    todo: bool = False

    def as_dict(self) -> Json:
        return asdict(self)


def keys(settings: Settings) -> Texts:
    """Return the keys whose values have to be read on a host."""
    if not settings.tuning_enabled:
        return ()
    return tuple(dict.fromkeys([*map(str, settings.tuning_sysctl), RESERVED_PORTS]))


def plan(
    settings: Settings, reserved_ports: t.Iterable[int], host: HostState, user: str
) -> TuningPlan:
    """Return what to do on a host.

    ``reserved_ports`` are those of EMQX on it, which outgoing connections must not take; ``user``
    runs the node. Values that cannot be used are left out: ``findings`` names them.
    """
    if not settings.tuning_enabled:
        return TuningPlan()
    found = {str(key): KernelValue.of(value) for key, value in host.sysctls.items()}
    desired = _desired(settings, found.get(RESERVED_PORTS, KernelValue()), reserved_ports)
    values: dict[str, str] = {}
    skipped: dict[str, str] = {}
    for key, text in sorted(desired.items()):
        now = found.get(key, KernelValue())
        value = now.value if now.value is not None and _suffices(key, now.value, text) else text
        if now.writable:
            values[key] = normalise(value)
        elif now.value != normalise(value):
            skipped[key] = now.reason
    pending = {
        key: value
        for key, value in values.items()
        if sysctl_changes.is_pending(vars(found[key]), value)
    }
    files = _files(settings, user, values, found)
    changed = any(not is_current(file, host) for file in files)
    return TuningPlan(values, pending, skipped, files, bool(pending) or changed)


def steps(planned: TuningPlan, host: HostState, inventory_host: str) -> tuple[Step, ...]:
    """Return what is done on a host, in the order in which it is done."""
    found = [
        Step(inventory_host, "tuning", f"write {file.path}", "it differs")
        for file in planned.files
        if not is_current(file, host)
    ]
    for key, value in planned.pending.items():
        reason = f"it is {KernelValue.of(host.sysctls.get(key)).value}"
        found.append(Step(inventory_host, "tuning", f"set {key} = {value}", reason))
    return tuple(found)


def _desired(settings: Settings, reserved: KernelValue, ports: t.Iterable[int]) -> dict[str, str]:
    """Return the values by key; ports are added to those that are reserved on the host already."""
    desired = {
        str(key): normalise(value)
        for key, value in settings.tuning_sysctl.items()
        if not _key_problem(key) and not _value_problem(str(key), value)
    }
    if reserved.value is not None:
        mine = [desired.get(RESERVED_PORTS, ""), ",".join(str(port) for port in ports)]
        desired[RESERVED_PORTS] = join_ports([reserved.value, *mine])
    return desired


def _suffices(key: str, live: str, text: str) -> bool:
    numbers = live.isdigit() and text.isdigit()
    return key in _MINIMUMS and numbers and int(live) >= int(text)


def _files(
    settings: Settings,
    user: str,
    values: t.Mapping[str, str],
    found: t.Mapping[str, KernelValue],
) -> tuple[ManagedFile, ...]:
    lines = []
    for key, value in values.items():
        lines.append(f"{key} = {value}\n")
        if found[key].value != value and not sysctl_changes.is_pending(vars(found[key]), value):
            lines.append(sysctl_changes.note_of(key, found[key].kept))
    kernel = ManagedFile(sysctls.FILE, _HEADER + "".join(lines))
    if settings.in_container:
        # The limits are those of a user of the host, which a container has from its unit.
        return (kernel,)
    nofile = settings.tuning_nofile
    limits = f"{_HEADER}{user} soft nofile {nofile}\n{user} hard nofile {nofile}\n"
    return kernel, ManagedFile(LIMITS_FILE, limits)


def normalise(value: t.Any) -> str:
    """Return a kernel value with single blanks, as /proc/sys separates fields by tabs."""
    # YAML makes yes and true of what the kernel calls 1.
    return " ".join(str(int(value) if isinstance(value, bool) else value).split())


def join_ports(lists: t.Iterable[str]) -> str:
    """Merge port lists such as "4370,5000-5010" as the kernel itself prints them.

    >>> join_ports(["5370,4370", "4371", ""])
    '4370-4371,5370'
    """
    ports: set[int] = set()
    for item in ",".join(lists).split(","):
        first, _dash, last = item.strip().partition("-")
        if first:
            ports.update(range(int(first), int(last or first) + 1))
    return ",".join(ranges(ports, "-"))


def findings(
    settings: Settings, host: HostState, inventory_host: str, reserved_ports: t.Iterable[int] = ()
) -> list[Finding]:
    """Return what of emqx_tuning_sysctl cannot be used, and what cannot be set on this host.

    A value that this kernel does not know is no finding: ``TuningPlan.skipped`` names it.
    """
    if not settings.tuning_enabled:
        return []
    found = {str(key): KernelValue.of(value) for key, value in host.sysctls.items()}
    wrong = [
        _unusable(inventory_host, key, problem)
        for key, value in settings.tuning_sysctl.items()
        for problem in [_key_problem(key) or _value_problem(str(key), value, found.get(str(key)))]
        if problem
    ]
    planned = plan(settings, reserved_ports, host, "")
    known = {key: why for key, why in planned.skipped.items() if why != sysctls.UNKNOWN}
    return [
        *wrong,
        *_not_settable(inventory_host, known, found),
        *_above_limit(settings, inventory_host, planned, found.get(_OPEN_FILES, KernelValue())),
    ]


def _unusable(inventory_host: str, key: t.Any, problem: tuple[str, str]) -> Finding:
    expected, found = problem
    return Finding(
        code="kernel_value",
        expected=expected,
        found=found,
        remedy=f"correct {key!r} in {VARIABLE}, or take it out",
        hosts=(inventory_host,),
        subject=VARIABLE,
    )


def _key_problem(key: t.Any) -> tuple[str, str] | None:
    if isinstance(key, str) and _KEY.fullmatch(key) and sysctls.path_of(key):
        return None
    return "keys below net, fs and vm such as net.core.somaxconn", repr(key)


def _value_problem(
    key: str, value: t.Any, found: KernelValue | None = None
) -> tuple[str, str] | None:
    """Return what was expected and found where a value cannot be one of a key."""
    text = normalise(value) if isinstance(value, (bool, int, str)) else ""
    one_line = not isinstance(value, str) or "\n" not in value.strip()
    if key == RESERVED_PORTS:
        if isinstance(value, (int, str)) and one_line and _are_ports(text):
            return None
        return f"ports such as 8000,9000-9010 for {key}", repr(value)
    live = (found and found.value) or ""
    if one_line and _NUMBERS.fullmatch(text):
        return None
    number = key in _MINIMUMS or _NUMBERS.fullmatch(live) is not None
    if one_line and not number and _WORDS.fullmatch(text):
        return None
    return f"{'a whole number' if number else 'a number or a word'} for {key}", repr(value)


def _are_ports(text: str) -> bool:
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    return _PORTS.fullmatch(text) is not None and all(number < 65536 for number in numbers)


def _not_settable(
    inventory_host: str, skipped: t.Mapping[str, str], found: t.Mapping[str, KernelValue]
) -> t.Iterator[Finding]:
    if skipped:
        yield Finding(
            code="kernel_value_skipped",
            severity=WARNING,
            expected="kernel values that can be set on this host",
            found=f"{', '.join(skipped)} cannot: {' and '.join(sorted(set(skipped.values())))}",
            remedy="they are skipped here: set them where the kernel belongs to, or take them out "
            f"of {VARIABLE}",
            hosts=(inventory_host,),
            subject=VARIABLE,
            evidence=tuple(f"{key} is {found[key].value}" for key in skipped),
        )


def _above_limit(
    settings: Settings, inventory_host: str, planned: TuningPlan, found: KernelValue
) -> t.Iterator[Finding]:
    """Yield a limit of open files above the kernel's own, which systemd lowers without a word."""
    most = planned.values.get(_OPEN_FILES, found.value or "")
    if most.isdigit() and int(most) < settings.tuning_nofile:
        yield Finding(
            code="nofile_limit",
            severity=WARNING,
            expected=f"a kernel that allows {settings.tuning_nofile} open files for a process",
            found=f"{_OPEN_FILES} = {most}",
            remedy=f"raise {_OPEN_FILES} on the host, or lower emqx_tuning_nofile",
            hosts=(inventory_host,),
            subject="emqx_tuning_nofile",
        )
