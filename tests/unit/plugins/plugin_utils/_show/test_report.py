# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The report page, as text and in a browser."""

from __future__ import annotations

import shutil
import subprocess
import typing as t
from html.parser import HTMLParser
from pathlib import Path

import pytest
from scenes import Scene

from ansible_collections.mqttops.emqx.plugins.filter.report import report
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.diagnose import diagnose
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.verdict import DOCTOR, verdict
from ansible_collections.mqttops.emqx.plugins.plugin_utils._show.report import page
from ansible_collections.mqttops.emqx.plugins.plugin_utils._show.status import status

BROWSER = [
    "chromium",
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--log-level=0",
]


def ill() -> Scene:
    """Return a cluster with a cut, a node that is down, and a host that is lost."""
    scene = Scene(6, replicants=["n5", "n6"])
    scene.cut("n1", "n2")
    scene.link("n3", "n1", "filtered", "rpc")
    scene.down("n4", active="inactive")
    scene.lost("n6")
    return scene


def facts(scene: Scene) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    answers = {host: answers["view"] for host, answers in scene.evidence.items()}
    found = diagnose(scene.nodes, scene.evidence)
    return status(scene.nodes, answers), verdict(found.findings, found.links, DOCTOR).as_dict()


class Page(HTMLParser):
    """Counts what a page shows, by what its elements are marked with."""

    VOID = frozenset({"meta", "link"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, str] = {}
        self._id = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        self.elements.append((tag, given))
        self._id = given.get("id", "")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self._id = ""

    def handle_data(self, data: str) -> None:
        if self._id:
            self.texts[self._id] = data

    def marked(self, name: str, **wanted: str) -> list[dict[str, str]]:
        return [
            given
            for _tag, given in self.elements
            if name in given and all(given.get(f"data-{k}") == v for k, v in wanted.items())
        ]


def check_numbers(shown: Page, state: t.Mapping[str, t.Any], found: t.Mapping[str, t.Any]) -> None:
    rows, links = state["nodes"], found["links"]
    for kind in ("ready", "down", "unreachable"):
        wanted = [row["host"] for row in rows if row["state"] == kind]
        marked = shown.marked("data-host", state=kind)
        assert sorted(given["data-host"] for given in marked) == sorted(wanted)
    for each in {link["state"] for link in links}:
        wanted = [link for link in links if link["state"] == each]
        assert len(shown.marked("data-kind", state=each)) == len(wanted)
    codes = [given["data-code"] for given in shown.marked("data-code")]
    assert codes == [each["code"] for each in found["findings"]]
    opened = sum(link["state"] == "open" for link in links)
    assert shown.texts["opened"] == f"{opened} of {len(links)} open"
    ready = sum(row["state"] == "ready" for row in rows)
    assert shown.texts["ready"] == f"{ready} of {len(rows)} nodes ready"


@pytest.mark.parametrize(
    "scene", [Scene(1), Scene(3), Scene(23), ill()], ids=["1", "3", "23", "ill"]
)
def test_the_numbers_are_those_of_the_diagnosis(scene: Scene) -> None:
    state, found = facts(scene)
    shown = Page(page("A", "now", state, found))
    assert shown.open == []
    if len(scene.hosts) > 1:
        check_numbers(shown, state, found)


def test_nothing_from_elsewhere() -> None:
    shown = Page(page("A", "now", *facts(ill())))
    sources = {given.get("href", "") + given.get("src", "") for _tag, given in shown.elements}
    assert sources == {"", "data:,"}
    assert {tag for tag, _given in shown.elements} & {"script", "iframe", "img", "object"} == set()
    policy = next(g["content"] for _t, g in shown.elements if g.get("http-equiv"))
    assert "default-src 'none'" in policy


def test_values_are_escaped() -> None:
    scene = Scene(2)
    evil = '<img src=x onerror="alert(1)">&'
    scene.down("n2", reason=evil)
    scene.view("n1", version=evil)
    state, found = facts(scene)
    text = page(evil, evil, state, found)
    assert "<img" not in text
    assert "&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp;" in text
    assert Page(text).open == []


def test_the_status_alone_makes_a_page_without_links() -> None:
    state, _found = facts(ill())
    shown = Page(report(state, "EMQX"))
    assert "opened" not in shown.texts
    assert len(shown.marked("data-code")) == len(state["findings"])


def test_healthy() -> None:
    text = page("A", "now", *facts(Scene(3)))
    assert "None: the cluster is well." in text
    assert Page(text).marked("data-count", count="none")


def browse(folder: Path, file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    profile = folder / "profile"
    shutil.rmtree(profile, ignore_errors=True)
    return subprocess.run(
        [*BROWSER, f"--user-data-dir={profile}", *arguments, file.as_uri()],
        capture_output=True,
        text=True,
        timeout=180,
        check=True,
    )


# The narrowest window is 500 pixels wide, which at this scale are the 390 of a phone.
PHONE = ("--window-size=500,3000", "--force-device-scale-factor=1.28")


@pytest.mark.parametrize(
    ("name", "looks"),
    [
        ("light", ("--window-size=1000,1800",)),
        ("dark", ("--window-size=1000,1800", "--blink-settings=preferredColorScheme=0")),
        ("phone", PHONE),
    ],
)
def test_in_a_browser(tmp_path: Path, name: str, looks: tuple[str, ...]) -> None:
    state, found = facts(ill())
    file, picture = tmp_path / "report.html", tmp_path / f"{name}.png"
    file.write_text(page("EMQX cluster emqxcl", "2026-01-01", state, found), encoding="utf-8")
    done = browse(tmp_path, file, *looks, f"--screenshot={picture}", "--dump-dom")
    assert "CONSOLE" not in done.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")
    check_numbers(Page(done.stdout), state, found)
