# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The firewalls at work on a host, and the rules of this collection in them."""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._host import firewalld, ufw
from ansible_collections.mqttops.emqx.plugins.module_utils._host.files import names_in, read_text
from ansible_collections.mqttops.emqx.plugins.module_utils._host.run import Runner
from ansible_collections.mqttops.emqx.plugins.module_utils._host.services import service
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json

_FIREWALLD_COMMAND, _UFW_COMMAND = "/usr/sbin/firewalld", "/usr/sbin/ufw"
_FIREWALLD = ("org.fedoraproject.FirewallD1", "/org/fedoraproject/FirewallD1")
_FIREWALLD_ZONES = "/etc/firewalld/zones"


def nft_revision(run: Runner, table: str) -> Json:
    """Return whether nft is there, and the revision mark of our loaded table ("" if not loaded)."""
    try:
        rc, stdout, _stderr = run(["nft", "list", "table", "inet", table])
    except OSError:
        return {"available": False, "revision": ""}
    found = re.search(r"chain revision_([0-9a-f]+)", stdout) if rc == 0 else None
    return {"available": True, "revision": found.group(1) if found else ""}


def firewall(run: Runner, zones: t.Sequence[str]) -> Json:
    """Return the firewall managers at work (``active``) and our rules in ``firewalld``, ``ufw``.

    ``zones`` are those of firewalld to read besides the default one and all that hold ours.
    """
    daemon = os.path.exists(_FIREWALLD_COMMAND) and service(run, "firewalld.service")["active"]
    configured = re.search(r"^ENABLED=yes", read_text("/etc/ufw/ufw.conf") or "", re.M | re.I)
    enabled = configured is not None and os.path.exists(_UFW_COMMAND)
    return {
        "active": [name for name, here in (("firewalld", daemon), ("ufw", enabled)) if here],
        "firewalld": _firewalld_state(run, zones, daemon),
        "ufw": _ufw_state(),
    }


def _firewalld_state(run: Runner, zones: t.Sequence[str], active: bool) -> Json:
    # What was removed with its package kept has no rules at work and nothing to remove them.
    files = names_in(_FIREWALLD_ZONES) if os.path.exists(_FIREWALLD_COMMAND) else []
    permanent = {
        name[: -len(".xml")]: firewalld.parse_zone(read_text(f"{_FIREWALLD_ZONES}/{name}") or "")
        for name in files
        if name.endswith(".xml")
    }

    def ask(interface: str, method: str, *arguments: str) -> list[str]:
        # firewall-cmd answers the same, and takes 20 times as long.
        argv = ["busctl", "--auto-start=no", "call", *_FIREWALLD, _FIREWALLD[0] + interface]
        rc, stdout, _stderr = run([*argv, method, *arguments])
        return firewalld.parse_reply(stdout) if rc == 0 else []

    default = "".join(ask("", "getDefaultZone")) if active else ""
    found = {}
    for zone in {*zones, default, *(zone for zone, rules in permanent.items() if rules)} - {""}:
        shown = ask(".zone", "getRichRules", "s", zone) if active else []
        found[zone] = {
            "runtime": sorted(rule for rule in shown if firewalld.is_ours(rule)),
            "permanent": sorted(permanent.get(zone, [])),
        }
    return {
        "default_zone": default,
        "known_zones": sorted(ask(".zone", "getZones")) if active else [],
        "zones": found,
    }


def _ufw_state() -> Json:
    installed = os.path.exists(_UFW_COMMAND)
    setting = re.search(r"^IPV6=[\"']?(\w+)", read_text("/etc/default/ufw") or "", re.M)
    rules = {
        f"v{version}": ufw.parse_rules(
            (read_text(f"/etc/ufw/user{suffix}.rules") or "") if installed else ""
        )
        for version, suffix in ((4, ""), (6, "6"))
    }
    return {"ipv6": setting is not None and setting.group(1).lower() == "yes", **rules}
