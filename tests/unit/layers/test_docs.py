# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What the documentation says of findings: every cause has its line, and no code is made up."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PLUGINS = ROOT / "plugins"
MODEL = PLUGINS / "plugin_utils" / "_model"


def source(*names: str) -> str:
    return "".join((PLUGINS / f"{name}.py").read_text(encoding="utf-8") for name in names)


def quoted(text: str) -> set[str]:
    """Return what stands alone in backquotes; `_x` goes on from the certificate_ before it."""
    found: set[str] = set()
    stem = ""
    for word in re.findall(r"`(\w+)`", text):
        if word.startswith("_"):
            word = stem + word
        elif word.startswith("certificate_"):
            stem = "certificate"
        if re.fullmatch(r"[a-z][a-z_]+", word):
            found.add(word)
    return found


def test_the_doctor_explains_every_cause() -> None:
    text = source("plugin_utils/_judge/host_causes", "plugin_utils/_judge/cluster_causes")
    codes = set(re.findall(r'Finding\(\s+"([a-z_]+)"', text))
    codes |= set(re.findall(r'code, expected = "([a-z_]+)"', text))
    assert len(codes) > 35
    assert codes <= quoted((ROOT / "docs" / "doctor.md").read_text(encoding="utf-8"))


def test_troubleshooting_names_findings_that_there_are() -> None:
    names = (
        "plugin_utils/_judge/host_causes",
        "plugin_utils/_judge/cluster_causes",
        *(f"plugin_utils/_model/{path.stem}" for path in MODEL.glob("*.py")),
        *(f"plugin_utils/_model/strategies/{path.stem}" for path in MODEL.glob("strategies/*.py")),
        "plugin_utils/_judge/preflight",
    )
    known = set(re.findall(r'"([a-z_]+)"', source(*names)))
    problems = set(re.findall(r'"([a-z_]+)"', source("plugin_utils/_plan/x509")))
    known |= {f"certificate_{name}" for name in problems}
    text = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    rows = [line.split("|")[4:6] for line in text.splitlines() if re.match(r"\| \d+ \|", line)]
    assert len(rows) == 20
    others = {"emqx_allow_data_loss", "dns_records", "remove_node", "rename_node", "membership"}
    assert quoted("".join(before + after for before, after in rows)) <= known | others | {
        "evaluation"
    }
