# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Run the playbooks with the inventories of docs/examples, on the hosts of a lab."""

from __future__ import annotations

import json
import re
import subprocess
import typing as t

import yaml
from lab_hosts import ROOT, Lab

Tree = t.Dict[str, t.Any]


class Example:
    """An example inventory whose addresses are those of lab hosts, with the lab's way to them."""

    def __init__(self, lab: Lab, name: str, hosts: t.Mapping[str, str]) -> None:
        """``hosts`` says which lab host has which address of the example."""
        self.lab = lab
        self.addresses = {address: lab.addresses[host] for address, host in hosts.items()}
        text = (ROOT / "docs" / "examples" / name).read_text(encoding="utf-8")
        tree: Tree = yaml.safe_load(self._of_lab(text))
        # One group needs no group of all around it.
        self.tree: Tree = tree if "all" in tree else {"all": {"children": tree}}
        known = yaml.safe_load(lab.inventory.read_text(encoding="utf-8"))
        # A group, as what all have is also that of localhost.
        self.tree["all"]["children"]["lab"] = {"hosts": {}, "vars": known["lab"]["vars"]}
        self.path = lab.inventory.parent / f"example-{name}"

    def _of_lab(self, text: str) -> str:
        return re.sub(r"192\.0\.2\.\d+", lambda found: self.addresses.get(found[0], found[0]), text)

    def group(self, name: str) -> Tree:
        """Return the hosts of a group, for a change."""
        return t.cast("Tree", self.tree["all"]["children"][name]["hosts"])

    def playbook(
        self, name: str, *arguments: str, **variables: t.Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a playbook of the collection with this inventory, as it is now."""
        groups = self.tree["all"]["children"]
        hosts = {host for group in groups.values() for host in group["hosts"]}
        groups["lab"]["hosts"] = {host: {} for host in sorted(hosts)}
        self.path.write_text(json.dumps(self.tree), encoding="utf-8")
        return self.lab.playbook(name, *arguments, inventory=self.path, **variables)


def printed(lines: t.Iterable[str]) -> list[dict[str, str]]:
    """Return the findings that a run printed, with code, where, expected, found and remedy."""
    found: list[dict[str, str]] = []
    for line in lines:
        head = re.match(r"(?:ERROR|WARNING) \[(\w+)\] (.*)", line)
        part = re.match(r"   (expected|found|remedy): (.*)", line)
        if head:
            found.append({"code": head[1], "where": head[2]})
        elif part and found:
            found[-1][part[1]] = part[2]
    return found


def message(output: str) -> list[str]:
    """Return the lines of the last failure's message in what a run printed."""
    blocks = re.split(r"^fatal: .*\n", output, flags=re.MULTILINE)[1:]
    lines = re.search(r"^    msg:\n((?:    .*\n)+)", blocks[-1], re.MULTILINE) if blocks else None
    return [str(line) for line in yaml.safe_load(lines[1])] if lines else []
