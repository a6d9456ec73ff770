# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""A table of our own in nftables, loaded at boot by a unit of our own."""

from __future__ import annotations

import hashlib
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    HostState,
    ManagedFile,
    Texts,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall.backend import (
    Changes,
    Desired,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall.rules import Rule, groups
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.managed import (
    commented,
    is_current,
)

NAME: str = "nftables"
TASKS: str = "firewall_nftables.yml"
UNIT: str = "mqttops-emqx-firewall.service"
MANAGER: bool = False
GUARDS_PUBLISHED: bool = True

TABLE = "mqttops_emqx"
COMMAND = "/usr/sbin/nft"
RULES_FILE = "/etc/mqttops-emqx/firewall.nft"
UNIT_FILE = f"/etc/systemd/system/{UNIT}"
AT_BOOT = f"/etc/systemd/system/multi-user.target.wants/{UNIT}"
WATCHED: Texts = (RULES_FILE, UNIT_FILE, AT_BOOT)

_HEADER = commented() + "\n"
_UNIT_TEXT = f"""[Unit]
Description=Firewall rules of the EMQX cluster ports
# nftables.service flushes all tables whenever it starts: load after it, and again with it.
After=nftables.service
PartOf=nftables.service
Before=network-online.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={COMMAND} -f {RULES_FILE}
ExecReload={COMMAND} -f {RULES_FILE}
ExecStop=-{COMMAND} delete table inet {TABLE}

[Install]
WantedBy=multi-user.target
"""


def at_work(host: HostState) -> bool:
    """Tell that it is: our table needs nothing but the kernel and the command nft."""
    return True


def changes(desired: Desired, host: HostState) -> Changes:
    if not desired.rules:
        left = host.file(RULES_FILE).exists or host.file(UNIT_FILE).exists
        return Changes(unload=left)
    ours = chain(desired.rules)
    published = published_chain(desired.rules, desired.container_subnet)
    revision = hashlib.sha256((ours + published).encode()).hexdigest()[:16]
    files = (
        ManagedFile(
            RULES_FILE, _table(ours, published, revision), check=(COMMAND, "-c", "-f", "%s")
        ),
        ManagedFile(UNIT_FILE, _HEADER + _UNIT_TEXT),
    )
    current = all(is_current(file, host) for file in files)
    loaded = host.nft.get("revision") == revision and host.file(AT_BOOT).exists
    return Changes(files=files, revision=revision, load=not (current and loaded))


def opens(changes: Changes, host: HostState) -> bool:
    """Tell whether a table of ours that is loaded already is replaced.

    Ours keeps others out; it does not open what another table drops.
    """
    return changes.load and bool(host.nft.get("revision"))


def findings(desired: Desired, host: HostState) -> t.Iterator[Finding]:
    yield from ()


def chain(wanted: t.Iterable[Rule], first: t.Iterable[str] = ()) -> str:
    """Return the rules as the lines of a chain, after those that come ``first``."""
    lines = ['iifname "lo" accept', *first]
    for group in groups(wanted):
        port = f"{group.protocol} dport {{ {', '.join(map(str, group.ports))} }}"
        for family, members in (
            ("ip", [source for source in group.sources if ":" not in source]),
            ("ip6", [source for source in group.sources if ":" in source]),
        ):
            if members:
                lines.append(f"{port} {family} saddr {{ {', '.join(members)} }} accept")
        lines.append(f"{port} counter drop")
    return "".join(f"    {line}\n" for line in lines)


def published_chain(wanted: t.Iterable[Rule], subnet: str) -> str:
    """Return the lines of the chain for what is forwarded to a subnet of containers, if any."""
    # A node reaches itself by its own published port, too.
    ours = ["fib daddr type != local accept", f"ip saddr {subnet} accept"]
    return chain(wanted, ours) if subnet else ""


_PUBLISHED = (
    "  # What is forwarded to a container by its published ports never comes to the chain above.\n"
    "  chain published {{\n"
    "    type filter hook prerouting priority -150; policy accept;\n"
    "{lines}  }}\n"
)
_ABOUT = (
    "# One table of its own; all other rules of the host stay as they are. It only narrows:\n"
    "# what is accepted here still passes the host's own chains.\n"
)


def _table(ours: str, published: str, revision: str) -> str:
    return f"""{_HEADER}{_ABOUT}table inet {TABLE}
delete table inet {TABLE}
table inet {TABLE} {{
  chain revision_{revision} {{
  }}
  chain input {{
    type filter hook input priority -5; policy accept;
{ours}  }}
{_PUBLISHED.format(lines=published) if published else ""}}}
"""
