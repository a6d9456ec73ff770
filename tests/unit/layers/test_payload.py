# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What modules ship to hosts grows only on purpose."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from ansible_collections.mqttops.emqx.tests.unit.documented import documented

ROOT = Path(__file__).parents[3]
_SPEC = importlib.util.spec_from_file_location("payload", ROOT / "tests/payload.py")
assert _SPEC is not None and _SPEC.loader is not None
payload = importlib.util.module_from_spec(_SPEC)
sys.modules["payload"] = payload
_SPEC.loader.exec_module(payload)

# The most lines of a module with all that it imports.
CEILINGS = {
    "cluster_gate": 1220,
    "cluster_info": 1300,
    "cluster_member": 1600,
    "cluster_probe": 540,
    "cluster_wait": 1280,
    "discovery_info": 1660,
    "etcd_stale_keys": 760,
    "evidence_info": 2230,
    "host_info": 2000,
    "kernel_values": 230,
    "managed_files": 2490,
    "node_data": 1420,
    "node_evacuation": 1160,
    "node_force_load": 1020,
    "node_save": 640,
    "support_bundle": 370,
    "survey_info": 4220,
    "zone_file": 150,
}


def test_no_module_ships_more_than_it_may() -> None:
    lines = {name: size.lines for name, size in payload.payloads(ROOT).items()}
    assert set(lines) == set(CEILINGS)
    assert {name: count for name, count in lines.items() if count > CEILINGS[name]} == {}


def test_no_host_gets_the_documentation_of_a_module() -> None:
    for name in CEILINGS:
        text = (ROOT / f"plugins/modules/{name}.py").read_text(encoding="utf-8")
        assert "DOCUMENTATION" not in text, name
        assert set(documented(name)) == {"DOCUMENTATION", "EXAMPLES", "RETURN"}


def test_all_that_is_imported_counts(tmp_path: Path) -> None:
    ours = "ansible_collections.mqttops.emqx.plugins.module_utils"
    texts = {
        "plugins/modules/one.py": f"import os\nfrom {ours}._a import b\n",
        "plugins/module_utils/_a/b.py": f"def f():\n    from {ours}._a.c import x\n",
        "plugins/module_utils/_a/c.py": "x = 1\n",
        "plugins/module_utils/_a/d.py": "y = 1\n",
    }
    for name, text in texts.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    size = sum(map(len, texts.values())) - len("y = 1\n")
    assert payload.payloads(tmp_path) == {"one": payload.Payload(3, 5, size)}
