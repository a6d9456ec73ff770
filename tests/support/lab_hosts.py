# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Ask the hosts of a lab from outside: over SSH, never through the collection's own modules."""

from __future__ import annotations

import json
import os
import re
import subprocess
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import testinfra
import yaml

ROOT = Path(__file__).resolve().parents[2]
SHARED_INVENTORY = ROOT / "tests" / "inventory" / "hosts.yml"


class Lab:
    """The hosts of one lab, by the inventory that tests/lab/lab.py wrote."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.inventory = ROOT / ".cache" / "lab" / name / "hosts.yml"
        found = yaml.safe_load(self.inventory.read_text(encoding="utf-8"))
        self.addresses: dict[str, str] = {
            host: variables["ansible_host"] for host, variables in found["lab"]["hosts"].items()
        }
        self.hosts: dict[str, t.Any] = {
            host: testinfra.get_host(
                f"ansible://{host}?ansible_inventory={self.inventory}&sudo=true"
            )
            for host in self.addresses
        }

    def emqx(self, host: str, *arguments: str) -> t.Any:
        """Run the node's own command line and return testinfra's result."""
        shown = " ".join(f"'{argument}'" for argument in arguments)
        # Where the release of a tar.gz lies, it is the one that runs.
        path = "env PATH=/opt/emqx/bin:$PATH"
        return self.hosts[host].run(f"runuser -u emqx -- {path} emqx {shown}")

    @property
    def unpacked(self) -> bool:
        """Whether EMQX is there from a tar.gz: all below /opt/emqx, with a unit of ours."""
        return bool(next(iter(self.hosts.values())).file("/opt/emqx/releases").exists)

    @property
    def root(self) -> str:
        """Where the release lies."""
        return "/opt/emqx" if self.unpacked else "/usr/lib/emqx"

    @property
    def version(self) -> str:
        """The version of EMQX that is installed."""
        first = next(iter(self.hosts.values()))
        text = first.file(f"{self.root}/releases/emqx_vars").content_string
        found = re.search(r'^(?:export )?REL_VSN="?([0-9.]+)', text, re.MULTILINE)
        assert found, text
        return found[1]

    @property
    def etc(self) -> str:
        """Where nodes have their configuration."""
        return "/opt/emqx/etc" if self.unpacked else "/etc/emqx"

    @property
    def data(self) -> str:
        """Where nodes have their data."""
        return "/opt/emqx/data" if self.unpacked else "/var/lib/emqx"

    def outputs(self, command: str, *hosts: str) -> dict[str, str]:
        """Run a command as root on these hosts (default: all) at once; return what each printed."""
        asked = hosts or tuple(self.hosts)
        with ThreadPoolExecutor() as pool:
            printed = pool.map(lambda host: self.hosts[host].check_output(command), asked)
            return dict(zip(asked, printed))

    def view(self, host: str) -> dict[str, list[str]]:
        """Return running_nodes and stopped_nodes as this host's node has them."""
        return dict(json.loads(self.emqx(host, "ctl", "cluster", "status", "--json").stdout))

    def node_name(self, host: str) -> str:
        """Return the name that the default of the role gives a host's node."""
        return f"emqx@{self.addresses[host]}"

    def playbook(
        self,
        name: str,
        *arguments: str,
        inventory: Path | None = None,
        shared: bool = True,
        environment: t.Mapping[str, str] | None = None,
        **variables: t.Any,
    ) -> subprocess.CompletedProcess[str]:
        """Run a playbook on this lab, and return what it printed.

        ``inventory`` takes the place of the lab's; ``shared`` adds the variables for its hosts;
        ``environment`` is added to the one that all runs have.
        """
        argv = ["ansible-playbook", name, f"--inventory={inventory or self.inventory}"]
        argv += [f"--inventory={SHARED_INVENTORY}"] if shared else []
        argv += arguments
        argv += ["--extra-vars", json.dumps(variables)] if variables else []
        everywhere = {
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "tests" / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "collections"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_FORCE_COLOR": "0",
        }
        return subprocess.run(
            argv,
            env={**everywhere, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )


def scenario_lab() -> Lab:
    """Return the lab of the scenario that molecule is running."""
    return Lab(os.environ["MOLECULE_SCENARIO_NAME"])
