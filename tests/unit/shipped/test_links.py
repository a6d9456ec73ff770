# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Links between pages lead somewhere, in the checkout and in the archive."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path, PurePosixPath

import pytest
import shipped

PAGES = sorted(name for name in shipped.tracked() if name.endswith(".md"))
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)(?: \"[^\"]*\")?\)")
_REFERENCE = re.compile(r"^\[[^\]]+\]:\s*(\S+)", re.M)


def prose(text: str) -> str:
    """Return a page without its code."""
    text = re.sub(r"^ *(```|~~~).*?^ *\1", "", text, flags=re.M | re.S)
    return re.sub(r"`[^`\n]*`", "", text)


def links(text: str) -> list[str]:
    found = [*_LINK.findall(prose(text)), *_REFERENCE.findall(prose(text))]
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def anchors(text: str) -> set[str]:
    """Return what GitHub makes of the headings of a page."""
    without_code = re.sub(r"^ *(```|~~~).*?^ *\1", "", text, flags=re.M | re.S)
    found: list[str] = []
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", without_code, re.M):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", shown).replace(" ", "-")
        found.append(f"{slug}-{found.count(slug)}" if slug in found else slug)
    return set(found) | set(re.findall(r"<a (?:id|name)=\"([^\"]+)\"", text))


def target(page: str, link: str) -> tuple[str, str]:
    """Return the path and the anchor that a link of a page leads to."""
    path, anchor = [*link.split("#", 1), ""][:2]
    whole = PurePosixPath(page).parent / path if path else PurePosixPath(page)
    parts: list[str] = []
    for part in whole.parts:
        if part != "..":
            parts.append(part)
        elif parts:
            parts.pop()
        else:
            return f"outside: {link}", anchor
    return "/".join(parts), anchor


def dead(page: str, text: str, files: t.Collection[str], root: Path) -> list[str]:
    """Return the links of a page that lead nowhere among these files."""

    def leads_somewhere(link: str) -> bool:
        path, anchor = target(page, link)
        if path not in files:
            return any(name.startswith(f"{path}/") for name in files)
        return not anchor or anchor in anchors((root / path).read_text(encoding="utf-8"))

    return [link for link in links(text) if not leads_somewhere(link)]


@pytest.mark.parametrize("page", PAGES)
def test_no_link_of_the_checkout_is_dead(page: str) -> None:
    text = (shipped.ROOT / page).read_text(encoding="utf-8")
    assert dead(page, text, shipped.tracked(), shipped.ROOT) == []


def test_no_link_of_the_archive_is_dead(archive: dict[str, tuple[int, bytes]]) -> None:
    pages = [name for name in archive if name.endswith(".md")]
    assert len(pages) > 10
    found = {page: dead(page, archive[page][1].decode(), archive, shipped.ROOT) for page in pages}
    assert {page: names for page, names in found.items() if names} == {}


def test_dead_links_are_found() -> None:
    files = {"README.md", "docs/a.md", "docs/examples/x.yml"}
    text = "[a](a.md) [b](b.md) [up](../README.md) [x](examples) [c](../../c.md) `[d](d.md)`"
    assert dead("docs/a.md", text, files, Path()) == ["b.md", "../../c.md"]


def test_anchors_are_those_of_github() -> None:
    text = "# What `site` does, and why\n## Twice\n## Twice\n```\n# no heading\n```\n"
    assert anchors(text) == {"what-site-does-and-why", "twice", "twice-1"}
