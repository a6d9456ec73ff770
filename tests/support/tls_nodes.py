# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Nodes of the lab that talk TLS: what they run with, and other certificates put there by hand."""

from __future__ import annotations

import base64
from pathlib import Path

from certificates import Files
from lab_hosts import ROOT, Lab

# What the scenario's cluster was built with.
INVENTORY = f"--inventory={ROOT}/tests/inventory/tls.yml"
FOLDER = "/etc/mqttops-emqx/tls"
PASSPHRASE = b"Lab0passphrase"


def ca_folder(lab: Lab) -> Path:
    """Return where the CA of the cluster's own is kept."""
    return ROOT / ".cache/lab" / lab.name / "ca"


def sums(lab: Lab) -> dict[str, str]:
    return {host: lab.hosts[host].check_output(f"sha256sum {FOLDER}/*") for host in lab.hosts}


def put(lab: Lab, host: str, files: Files) -> None:
    """Give a host another certificate and key, with owners and modes as they were."""
    for path, name in ((files.cert, "cert.pem"), (files.key, "key.pem")):
        text = base64.b64encode(path.read_bytes()).decode()
        lab.hosts[host].check_output(f"echo {text} | base64 -d > {FOLDER}/{name}")


def started(lab: Lab, host: str) -> str:
    """Return when the node's process was started."""
    return str(
        lab.hosts[host].check_output(
            "systemctl show --property=ExecMainStartTimestampMonotonic emqx"
        )
    )
