# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What the documentation says of findings: every cause has its line, and no code is made up."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PLUGINS = ROOT / "plugins"


def source(*patterns: str) -> str:
    files = [path for pattern in patterns for path in sorted(PLUGINS.glob(pattern))]
    assert files
    return "".join(path.read_text(encoding="utf-8") for path in files)


def codes_of(text: str) -> set[str]:
    """Return the codes of all findings that a source makes."""
    codes = set(re.findall(r'Finding\(\s+"([a-z_]+)"', text))
    codes |= set(re.findall(r'code, expected = "([a-z_]+)"', text))
    codes |= set(re.findall(r'^\s+"[a-z_]+" if .* else "([a-z_]+)",$', text, re.MULTILINE))
    return codes | set(re.findall(r'code, found = "([a-z_]+)"', text))


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
    codes = codes_of(source("plugin_utils/_judge/causes_*.py"))
    assert len(codes) > 45
    assert codes <= quoted((ROOT / "docs" / "doctor.md").read_text(encoding="utf-8"))


def test_preflight_names_findings_that_there_are() -> None:
    codes = codes_of(source("plugin_utils/_judge/*.py"))
    text = (ROOT / "docs" / "preflight.md").read_text(encoding="utf-8")
    rows = [line.split("|")[2] for line in text.splitlines() if re.match(r"\|.*\| `", line)]
    named = quoted("".join(rows))
    assert len(named) > 20
    assert named <= codes


def test_troubleshooting_names_findings_that_there_are() -> None:
    # Codes of the model and of discovery stand in their files, whatever those are called.
    known = set(
        re.findall(
            r'"([a-z_]+)"',
            source(
                "plugin_utils/_judge/*.py",
                "plugin_utils/_model/**/*.py",
                "module_utils/_discovery/*.py",
            ),
        )
    )
    problems = set(re.findall(r'"([a-z_]+)"', source("plugin_utils/_plan/*.py")))
    known |= {f"certificate_{name}" for name in problems}
    text = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    rows = [line.split("|")[4:6] for line in text.splitlines() if re.match(r"\| \d+ \|", line)]
    assert len(rows) == 20
    others = {"emqx_allow_data_loss", "dns_records", "remove_node", "rename_node", "membership"}
    assert quoted("".join(before + after for before, after in rows)) <= known | others | {
        "evaluation"
    }
