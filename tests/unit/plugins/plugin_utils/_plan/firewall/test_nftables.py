# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib

import pytest

from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    FileState,
    HostState,
    ManagedFile,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall import nftables
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall.backend import (
    Changes,
    Desired,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall.rules import Rule

RULES = (
    *(Rule(port, "tcp", ("10.0.0.1", "fd::1"), "") for port in (4370, 5370)),
    Rule(18083, "tcp", ("192.0.2.0/24",), ""),
    Rule(14567, "udp", ("192.0.2.0/24",), ""),
)
CHAIN = (
    '    iifname "lo" accept\n'
    "    tcp dport { 4370, 5370 } ip saddr { 10.0.0.1 } accept\n"
    "    tcp dport { 4370, 5370 } ip6 saddr { fd::1 } accept\n"
    "    tcp dport { 4370, 5370 } counter drop\n"
    "    tcp dport { 18083 } ip saddr { 192.0.2.0/24 } accept\n"
    "    tcp dport { 18083 } counter drop\n"
    "    udp dport { 14567 } ip saddr { 192.0.2.0/24 } accept\n"
    "    udp dport { 14567 } counter drop\n"
)
DESIRED = Desired("n1", RULES)
REVISION = hashlib.sha256(CHAIN.encode()).hexdigest()[:16]
TABLE = f"""#
# Managed by Ansible (mqttops.emqx): changes made here are lost.
#
# One table of its own; all other rules of the host stay as they are. It only narrows:
# what is accepted here still passes the host's own chains.
table inet mqttops_emqx
delete table inet mqttops_emqx
table inet mqttops_emqx {{
  chain revision_{REVISION} {{
  }}
  chain input {{
    type filter hook input priority -5; policy accept;
{CHAIN}  }}
}}
"""
EMPTY = HostState(nft={"available": True, "revision": ""})


def written(changes: Changes, revision: str) -> HostState:
    """Return a host on which the changes were made, with a table of this revision loaded."""
    return HostState(
        nft={"available": True, "revision": revision},
        files={
            **{file.path: state_of(file) for file in changes.files},
            nftables.AT_BOOT: FileState(exists=True),
        },
    )


def state_of(file: ManagedFile) -> FileState:
    checksum = hashlib.sha256(file.content.encode()).hexdigest()
    return FileState(True, file.mode, "root", "root", "0", "0", checksum)


def test_the_rules_of_a_chain() -> None:
    assert nftables.chain(RULES) == CHAIN


def test_the_files() -> None:
    table, unit = nftables.changes(DESIRED, EMPTY).files
    assert table == ManagedFile(
        "/etc/mqttops-emqx/firewall.nft", TABLE, check=("/usr/sbin/nft", "-c", "-f", "%s")
    )
    assert unit.path == "/etc/systemd/system/mqttops-emqx-firewall.service"
    assert "\nExecStart=/usr/sbin/nft -f /etc/mqttops-emqx/firewall.nft\n" in unit.content
    assert unit.content.startswith("#\n# Managed by Ansible")


def test_a_host_without_rules_loads_them_and_opens_nothing() -> None:
    changes = nftables.changes(DESIRED, EMPTY)
    assert (changes.load, changes.unload, changes.revision) == (True, False, REVISION)
    assert changes.todo
    assert not nftables.opens(changes, EMPTY)


def test_a_second_run_has_nothing_to_do() -> None:
    host = written(nftables.changes(DESIRED, EMPTY), REVISION)
    changes = nftables.changes(DESIRED, host)
    assert not changes.todo
    assert not nftables.opens(changes, host)


@pytest.mark.parametrize("missing", [*nftables.WATCHED, "the loaded table"])
def test_what_is_missing_is_made_again(missing: str) -> None:
    host = written(nftables.changes(DESIRED, EMPTY), REVISION)
    files = {path: state for path, state in host.files.items() if path != missing}
    revision = "" if missing == "the loaded table" else REVISION
    assert nftables.changes(DESIRED, HostState(nft={"revision": revision}, files=files)).load


def test_a_table_that_is_loaded_may_be_what_keeps_members_out() -> None:
    host = written(nftables.changes(DESIRED, EMPTY), "0123456789abcdef")
    changes = nftables.changes(DESIRED, host)
    assert changes.load
    assert nftables.opens(changes, host)


def test_without_rules_our_table_is_removed() -> None:
    assert nftables.changes(Desired("n1"), EMPTY) == Changes()
    host = written(nftables.changes(DESIRED, EMPTY), REVISION)
    assert nftables.changes(Desired("n1"), host) == Changes(unload=True)


def test_what_is_forwarded_to_a_container_is_kept_as_well() -> None:
    two = tuple(Rule(port, "tcp", ("10.0.0.1", "10.0.0.2"), "") for port in (4370, 5370))
    lines = nftables.published_chain(two, "10.213.0.0/24")
    assert [line.strip() for line in lines.splitlines()] == [
        'iifname "lo" accept',
        "fib daddr type != local accept",
        "ip saddr 10.213.0.0/24 accept",
        "tcp dport { 4370, 5370 } ip saddr { 10.0.0.1, 10.0.0.2 } accept",
        "tcp dport { 4370, 5370 } counter drop",
    ]
    table = nftables.changes(Desired("n1", two, container_subnet="10.213.0.0/24"), EMPTY).files[0]
    assert table.content.endswith(
        "  # What is forwarded to a container by its published ports never comes to the chain "
        "above.\n  chain published {\n    type filter hook prerouting priority -150; policy "
        f"accept;\n{lines}  }}\n}}\n"
    )


def test_nothing_is_forwarded_on_the_hosts_own_network() -> None:
    assert nftables.published_chain(RULES, "") == ""
