# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Read the task files of a role as data: their tasks, and what their templates refer to."""

from __future__ import annotations

import typing as t
from pathlib import Path

import yaml
from jinja2 import Environment, nodes

ROLE = Path(__file__).parents[2] / "roles" / "emqx"
FILES = sorted((ROLE / "tasks").glob("*"))

_BLOCKS = ("block", "rescue", "always")
_CONDITIONS = ("when", "changed_when", "failed_when", "until", "that")
# A name, and the attributes and items of it that are written out, in order.
Words = t.Tuple[str, ...]


def load(path: Path) -> t.Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def tasks(block: t.Any) -> t.Iterator[dict[str, t.Any]]:
    """Yield the tasks and blocks of a file, however deep."""
    for task in block or ():
        yield task
        for part in _BLOCKS:
            yield from tasks(task.get(part))


def texts(value: t.Any) -> t.Iterator[str]:
    """Yield all texts in a value."""
    if isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value


def templates(path: Path) -> t.Iterator[str]:
    """Yield all templates of a file; a condition is made one."""
    for task in tasks(load(path)):
        own = {key: value for key, value in task.items() if key not in _BLOCKS}
        for key in _CONDITIONS:
            for condition in texts(own.pop(key, None)):
                yield f"{{{{ {condition} }}}}"
        # A variable's name alone, of debug.
        for name in texts(dict(own.get("ansible.builtin.debug") or {}).get("var")):
            yield f"{{{{ {name} }}}}"
        yield from (text for text in texts(own) if "{{" in text)


def names(text: str) -> set[str]:
    """Return the variables that a template refers to."""
    return {name.name for name in Environment().parse(text).find_all(nodes.Name)}


def paths(text: str) -> set[Words]:
    """Return what a template reads, each as far as it is written out.

    >>> sorted(paths("{{ a.b.c + a[b.d].e }}"))
    [('a',), ('a', 'b', 'c'), ('b', 'd')]
    """
    found: set[Words] = set()
    _walk(Environment().parse(text), found)
    return found


def _walk(node: nodes.Node, found: set[Words]) -> None:
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr):
        # A method, such as values().
        _walk(node.node.node, found)
        for argument in node.args:
            _walk(argument, found)
        return
    path = _path(node)
    if path:
        found.add(path)
        return
    for child in node.iter_child_nodes():
        _walk(child, found)


def _path(node: nodes.Node) -> Words:
    """Return the path that a node is, () where it is none or has a part that is worked out."""
    if isinstance(node, nodes.Name):
        return (node.name,)
    if isinstance(node, nodes.Getattr):
        lower = _path(node.node)
        return (*lower, node.attr) if lower else ()
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        lower = _path(node.node)
        return (*lower, str(node.arg.value)) if lower else ()
    return ()
