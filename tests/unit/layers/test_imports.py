# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Which folder of plugins may import which: what hosts run never reaches for the control node."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[3] / "plugins"
OURS = "ansible_collections.mqttops.emqx.plugins."
BOTH = "module_utils", "plugin_utils"

# What a folder may import besides itself and its own folders; with /* all that lies below.
MAY_IMPORT: dict[str, frozenset[str]] = {
    "doc_fragments": frozenset(),
    "filter": frozenset({"module_utils/*", "plugin_utils/*"}),
    "action": frozenset({"module_utils/*", "plugin_utils/*"}),
    "modules": frozenset({"module_utils/*"}),
    "module_utils": frozenset(),
    "module_utils/_emqx": frozenset({"module_utils"}),
    "module_utils/_discovery": frozenset({"module_utils", "module_utils/_emqx"}),
    "module_utils/_node": frozenset({"module_utils", "module_utils/_emqx", "module_utils/_host"}),
    "module_utils/_host": frozenset(
        {"module_utils", "module_utils/_emqx", "module_utils/_package"}
    ),
    "module_utils/_package": frozenset({"module_utils"}),
    "module_utils/_module": frozenset({"module_utils/*"}),
    "plugin_utils/_model": frozenset({"module_utils/*"}),
    "plugin_utils/_plan": frozenset({"module_utils/*", "plugin_utils/_model/*"}),
    "plugin_utils/_judge": frozenset(
        {"module_utils/*", "plugin_utils/_model/*", "plugin_utils/_plan/*"}
    ),
    "plugin_utils/_show": frozenset(
        {
            "module_utils/*",
            "plugin_utils/_model/*",
            "plugin_utils/_plan/*",
            "plugin_utils/_judge/*",
        }
    ),
    "plugin_utils/_run": frozenset({"module_utils/*", "plugin_utils/*"}),
}
# What these folders hold is decided from what it is given: it reads no file, clock or socket.
PURE = frozenset(
    {
        "module_utils/_emqx",
        "plugin_utils/_model",
        "plugin_utils/_model/strategies",
        "plugin_utils/_judge",
    }
)
INPUT = frozenset({"os", "socket", "subprocess", "time", "urllib", "shutil", "ansible"})
FILES = sorted(PLUGINS.rglob("*.py"))


def folder(path: Path) -> str:
    return path.parent.relative_to(PLUGINS).as_posix()


def imports(path: Path) -> set[str]:
    """Return the full names of all modules a file imports, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def folders_used(path: Path) -> set[str]:
    """Return the folders of plugins that a file imports from."""
    used = set()
    for name in imports(path):
        if name.startswith(OURS):
            place = PLUGINS.joinpath(*name[len(OURS) :].split("."))
            while not place.is_dir():
                place = place.parent
            used.add(place.relative_to(PLUGINS).as_posix())
    return used


def allowed(own: str, used: str) -> bool:
    """Tell whether a folder may import another. One inside another has the rights of both."""
    rules = [rule for rule in MAY_IMPORT if own == rule or own.startswith(f"{rule}/")]
    home = max(rules, key=len)
    if own not in MAY_IMPORT and (used == home or used.startswith(f"{home}/")):
        return True
    may = MAY_IMPORT[home] | {own, f"{own}/*"}
    return any(used == name.rstrip("/*") or _below(used, name) for name in may)


def _below(used: str, name: str) -> bool:
    return name.endswith("/*") and used.startswith(name[:-1])


def test_there_is_something_to_check() -> None:
    assert len(FILES) > 100
    module = PLUGINS / "modules" / "cluster_member.py"
    assert folders_used(module) == {"module_utils", "module_utils/_node"}
    assert not allowed("modules", "plugin_utils/_plan")
    assert not allowed("module_utils/_emqx", "module_utils/_node")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PLUGINS).as_posix())
def test_a_folder_imports_only_what_it_may(path: Path) -> None:
    own = folder(path)
    assert {used for used in folders_used(path) if not allowed(own, used)} == set()


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if folder(path) in PURE],
    ids=lambda path: path.relative_to(PLUGINS).as_posix(),
)
def test_pure_folders_do_no_input_or_output(path: Path) -> None:
    assert {name for name in imports(path) if name.split(".")[0] in INPUT} == set()


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if folder(path).startswith(BOTH)],
    ids=lambda path: path.relative_to(PLUGINS).as_posix(),
)
def test_only_the_main_functions_end_a_module(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not calls & {"fail_json", "exit_json"}
