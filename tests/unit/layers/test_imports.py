# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Who may import whom: the arrows between the plugins and their module_utils."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[3] / "plugins"
OURS = "ansible_collections.mqttops.emqx.plugins.module_utils"

# Pure files: no ansible, no input or output, nothing of ours but each other and _errors.
PURE = frozenset(
    {
        "_errors",
        "_ports",
        "_topology",
        "_strategies",
        "_hocon",
        "_discovery",
        "_logs",
        "_versions",
        "_firewall",
        "_firewalld",
        "_ufw",
        "_certificates",
        "_rotation",
        "_manifests",
        "_service_account",
    }
)
# Which layers a file of the membership and API code may use besides the pure ones.
ALLOWED = {
    "_ctl": frozenset[str](),
    "_dns": frozenset[str](),
    "_https": frozenset[str](),
    "_etcd": frozenset({"_https"}),
    "_k8s": frozenset({"_https"}),
    "_api": frozenset[str](),
    "_wait": frozenset[str](),
    "_cluster": frozenset({"_ctl"}),
    "_census": frozenset({"_cluster"}),
    "_change": frozenset({"_census"}),
    "_case": frozenset({"_census"}),
    "_host_causes": frozenset({"_case", "_config"}),
    "_cluster_causes": frozenset({"_case"}),
    "_diagnose": frozenset({"_case", "_cluster_causes", "_host_causes"}),
    "_status": frozenset({"_census"}),
    "_member": frozenset({"_cluster", "_ctl", "_wait"}),
    "_argspec": frozenset({"_ctl", "_api"}),
    "_host_info": frozenset({"_host", "_platforms"}),
    "_cluster_info": frozenset({"_argspec", "_cluster", "_host"}),
    "_ask": frozenset({"_dns", "_etcd", "_k8s", "_wait"}),
    "_survey": frozenset({"_ask", "_cluster_info", "_evidence", "_host_info", "_probe"}),
}
NO_INPUT = frozenset(
    {
        "_case",
        "_census",
        "_change",
        "_cluster",
        "_cluster_causes",
        "_diagnose",
        "_host_causes",
        "_status",
    }
)
FILES = sorted(PLUGINS.rglob("*.py"))
UTILS = [path for path in FILES if path.parent.name == "module_utils"]


def imports(path: Path) -> set[str]:
    """Return the full names of all modules a file imports, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            found.add(module)
            if module == OURS:
                found.update(f"{OURS}.{alias.name}" for alias in node.names)
    return found


def ours(path: Path) -> set[str]:
    return {name[len(OURS) + 1 :] for name in imports(path) if name.startswith(f"{OURS}.")}


def test_there_is_something_to_check() -> None:
    assert {"_errors", "_ctl", "_cluster"} <= {path.stem for path in UTILS}
    assert ours(PLUGINS / "modules" / "cluster_member.py") >= {"_argspec", "_errors"}


@pytest.mark.parametrize("path", UTILS, ids=lambda path: path.stem)
def test_module_utils(path: Path) -> None:
    name = path.stem
    used = ours(path) - {"_errors"}
    if name in PURE:
        assert used <= PURE
        assert not {found for found in imports(path) if found.split(".")[0] == "ansible"}
    elif name in ALLOWED:
        assert used <= ALLOWED[name] | PURE


@pytest.mark.parametrize("path", UTILS, ids=lambda path: path.stem)
def test_pure_files_do_no_input_or_output(path: Path) -> None:
    if path.stem in PURE | NO_INPUT:
        assert not imports(path) & {"os", "socket", "subprocess", "time", "urllib", "shutil"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_nothing_imports_a_plugin(path: Path) -> None:
    prefix = OURS.rpartition(".")[0]
    foreign = {name for name in imports(path) if name.startswith(prefix)}
    assert {name for name in foreign if not name.startswith(OURS)} == set()


@pytest.mark.parametrize("path", UTILS, ids=lambda path: path.stem)
def test_only_the_main_functions_end_a_module(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not calls & {"fail_json", "exit_json"}
