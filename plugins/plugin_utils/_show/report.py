# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""One HTML page about a cluster, with all in it that it needs. Pure: JSON in, text out."""

from __future__ import annotations

import math
import typing as t
from html import escape

from ansible_collections.mqttops.emqx.plugins.module_utils._json import Record

_STYLE = """
:root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--text:#1b2430;--soft:#5b6776;
--line:#d9dee5;--good:#1a7f4b;--warn:#b25e09;--bad:#c62f3b;--none:#7a8594;--goodbg:#dff3e7;--warnbg:#fdecd3;
--badbg:#fbdfe1;--nonebg:#e8ebef;--code:#eef1f5}
@media(prefers-color-scheme:dark){:root{--page:#12161c;--card:#1b212a;--text:#e6eaf0;--soft:#9aa7b6;
--line:#323b48;--good:#4cc38a;--warn:#f0a04b;--bad:#ff7a85;--none:#93a0b0;--goodbg:#173626;
--warnbg:#3d2b12;--badbg:#45191e;--nonebg:#2a323d;--code:#242c37}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:16px/1.5 system-ui,sans-serif}
main{max-width:60rem;margin:0 auto;padding:1rem}
h1{font-size:1.5rem;margin:.5rem 0 0}h2{font-size:1.1rem;margin:0 0 .75rem}
p{margin:.25rem 0 .75rem}.soft{color:var(--soft)}
section{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:1rem;
margin:1rem 0}
.wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .7rem;text-align:left;border-bottom:1px solid var(--line);white-space:nowrap}
th{font-weight:600;color:var(--soft)}
#matrix td{text-align:center;padding:.25rem}#matrix td span{display:inline-block;min-width:2.2rem;
margin:1px;padding:0 .3rem;border-radius:.25rem;font-size:.85rem}
.badge{display:inline-block;border-radius:1rem;padding:.1rem .7rem;font-size:.9rem;font-weight:600}
.good{color:var(--good);background:var(--goodbg)}.warn{color:var(--warn);background:var(--warnbg)}
.bad{color:var(--bad);background:var(--badbg)}.none{color:var(--none);background:var(--nonebg)}
article{border-left:.3rem solid var(--line);padding:.1rem 0 .1rem .8rem;margin:0 0 1rem}
article.error{border-color:var(--bad)}article.warning{border-color:var(--warn)}
article ul{margin:.25rem 0;padding-left:1.2rem;color:var(--soft);overflow-wrap:anywhere}
code{background:var(--code);border-radius:.3rem;padding:.1rem .35rem;overflow-wrap:anywhere;
font:.9rem/1.5 ui-monospace,monospace}
svg{display:block;width:100%;max-width:34rem;margin:0 auto}
svg text{fill:var(--text);text-anchor:middle;font:14px system-ui,sans-serif;paint-order:stroke;
stroke:var(--card);stroke-width:4px}svg text.sign{stroke:none}
svg .role{fill:var(--soft);font-size:11px}svg line{stroke-width:2}
svg .good{stroke:var(--good);fill:var(--goodbg)}svg .warn{stroke:var(--warn);fill:var(--warnbg)}
svg .bad{stroke:var(--bad);fill:var(--badbg)}svg .none{stroke:var(--none);fill:var(--nonebg)}
svg circle,svg rect{stroke-width:2}svg line.warn{stroke-dasharray:7 4}
svg line.bad{stroke-dasharray:3 5}svg line.none{stroke-dasharray:1 5}svg line.good{opacity:.6}
"""

# How a state looks, and the sign that stands for it where colour does not show.
_NODE_STATES = {"ready": ("good", "✓"), "booting": ("warn", "…"), "down": ("bad", "✕")}
_LINK_STATES = {"open": ("good", "✓"), "refused": ("bad", "ref"), "filtered": ("bad", "fil")}
_LEGEND = "✓ open, ref refused, fil no answer (filtered), else as written; - was not tried."


def page(title: str, made: str, status: Record, diagnosis: Record) -> str:
    """Return the page. ``status`` and ``diagnosis`` are the JSON forms that status and doctor
    write; without the latter (empty) there are no links, and the findings are the status's."""
    findings = diagnosis.get("findings", status["findings"])
    links = list(diagnosis.get("links", ()))
    parts = [
        _head(title, made, status, findings),
        _picture(status["nodes"], links),
        _findings(findings),
        _nodes(status["nodes"]),
        _matrix([row["host"] for row in status["nodes"]], links) if links else "",
    ]
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # An icon of its own: else browsers ask for one beside the file.
        '<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style></head>\n<body><main>\n"
        + "\n".join(parts)
        + "\n</main></body></html>\n"
    )


def _head(title: str, made: str, status: Record, findings: t.Sequence[Record]) -> str:
    counts = {s: sum(f["severity"] == s for f in findings) for s in ("error", "warning")}
    looks = {"error": "bad", "warning": "warn"}
    badges = [
        f'<span class="badge {looks[name]}" data-count="{name}">{_count(number, name)}</span>'
        for name, number in counts.items()
        if number
    ] or ['<span class="badge good" data-count="none">healthy</span>']
    ready = sum(row["state"] == "ready" for row in status["nodes"])
    return (
        f"<header><h1>{escape(title)}</h1><p class=soft>{escape(made)}</p><p>{' '.join(badges)} "
        f'<span id="ready">{ready} of {_count(len(status["nodes"]), "node")} ready</span></p>'
        "</header>"
    )


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _picture(rows: t.Sequence[Record], links: t.Sequence[Record]) -> str:
    """Draw cores as circles on a ring, and replicants as boxes on one around it."""
    places = _places(rows)
    lines = []
    pairs: dict[tuple[str, ...], list[Record]] = {}
    for link in links:
        if link["from"] != link["to"]:
            pairs.setdefault(tuple(sorted((link["from"], link["to"]))), []).append(link)
    for (one, other), between in pairs.items():
        if one in places and other in places:
            look, words = _pair(between)
            (x, y), (u, v) = places[one], places[other]
            lines.append(
                f'<line class="{look}" x1="{x}" y1="{y}" x2="{u}" y2="{v}">'
                f"<title>{escape(one)} and {escape(other)}: {words}</title></line>"
            )
    shapes = [_shape(row, places[row["host"]]) for row in rows]
    return (
        "<section><h2>Cluster</h2>"
        '<svg viewBox="0 0 480 400" role="img" aria-label="The nodes and their connections">'
        + "".join(lines + shapes)
        + "</svg></section>"
    )


def _places(rows: t.Sequence[Record]) -> dict[str, tuple[int, int]]:
    rings = {role: [r["host"] for r in rows if r["role"] == role] for role in ("core", "replicant")}
    found = {}
    for role, hosts in rings.items():
        outside = role == "replicant" or not rings["replicant"]
        across, down = (185, 150) if outside else (105, 80)
        if len(rows) == 1:
            across = down = 0
        # Replicants stand between the directions of the cores.
        turn = math.pi / max(1, len(rings["core"])) if role == "replicant" else 0
        for number, host in enumerate(hosts):
            angle = 2 * math.pi * number / len(hosts) - math.pi / 2 + turn
            found[host] = (
                round(240 + across * math.cos(angle)),
                round(195 + down * math.sin(angle)),
            )
    return found


def _pair(links: t.Sequence[Record]) -> tuple[str, str]:
    """Return how the connections between two nodes look together."""
    closed = [link for link in links if link["state"] != "open"]
    if not closed:
        return "good", "all open"
    words = ", ".join(f"{ln['from']} to {ln['to']} {ln['kind']} {ln['state']}" for ln in closed)
    return "bad" if len(closed) == len(links) else "warn", escape(words)


def _shape(row: Record, place: tuple[int, int]) -> str:
    look, sign = _NODE_STATES.get(row["state"], ("none", "?"))
    x, y = place
    shape = (
        f'<rect class="{look}" x="{x - 22}" y="{y - 18}" width="44" height="36" rx="6"/>'
        if row["role"] == "replicant"
        else f'<circle class="{look}" cx="{x}" cy="{y}" r="22"/>'
    )
    return (
        f'<g data-host="{escape(row["host"])}" data-state="{escape(row["state"])}">'
        f"<title>{escape(row['node'])}</title>{shape}"
        f'<text class="sign" x="{x}" y="{y + 5}">{sign}</text>'
        f'<text x="{x}" y="{y + 38}">{escape(row["host"])}</text>'
        f'<text class="role" x="{x}" y="{y + 51}">{escape(row["role"])}, {escape(row["state"])}'
        "</text></g>"
    )


def _findings(findings: t.Sequence[Record]) -> str:
    if not findings:
        return '<section id="findings"><h2>Findings</h2><p>None: the cluster is well.</p></section>'
    items = []
    for found in findings:
        seen = "".join(f"<li>{escape(str(line))}</li>" for line in found["evidence"])
        code = f' <span class="soft">{escape(found["code"])}</span>' if found["code"] else ""
        items.append(
            f'<article class="{escape(found["severity"])}" data-code="{escape(found["code"])}">'
            f'<p><span class="badge {"bad" if found["severity"] == "error" else "warn"}">'
            f"{escape(found['severity'])}</span>{code}</p><p>{escape(_where(found))}: "
            f"{escape(found['found'])}</p><p class=soft>Expected: {escape(found['expected'])}</p>"
            + (f"<ul>{seen}</ul>" if seen else "")
            + f"<p>Remedy: <code>{escape(found['remedy'])}</code></p>"
            + "</article>"
        )
    return f'<section id="findings"><h2>Findings</h2>{"".join(items)}</section>'


def _where(found: Record) -> str:
    words = [", ".join(found["hosts"]) or "Cluster", found["subject"]]
    return ", ".join(filter(None, words))


def _nodes(rows: t.Sequence[Record]) -> str:
    heads = ("Host", "Node", "State", "Role", "Version", "Sees running", "Agrees")
    lines = []
    for row in rows:
        look = _NODE_STATES.get(row["state"], ("none", "?"))[0]
        cells = [
            escape(row["host"]),
            escape(row["node"]),
            f'<span class="badge {look}">{escape(row["state"])}</span>',
            escape(row["role"]),
            escape(row["version"] or "-"),
            str(len(row["running_nodes"])) if row["state"] == "ready" else "-",
            {True: "yes", False: "no"}.get(row["agrees"], "-"),
        ]
        lines.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    return (
        '<section><h2>Nodes</h2><div class="wide"><table id="nodes"><thead><tr>'
        + "".join(f"<th>{head}</th>" for head in heads)
        + f"</tr></thead><tbody>{''.join(lines)}</tbody></table></div></section>"
    )


def _matrix(hosts: t.Sequence[str], links: t.Sequence[Record]) -> str:
    cells: dict[tuple[str, str], list[Record]] = {}
    for link in links:
        cells.setdefault((link["from"], link["to"]), []).append(link)
    opened = sum(link["state"] == "open" for link in links)
    lines = [
        f"<tr><th>{escape(source)}</th>"
        + "".join(f"<td>{_cell(cells.get((source, target), ()))}</td>" for target in hosts)
        + "</tr>"
        for source in hosts
    ]
    return (
        '<section><h2>Connections</h2><p class="soft">From each row to each column, distribution '
        f'and RPC port. <span id="opened">{opened} of {len(links)} open</span>. {_LEGEND}</p>'
        '<div class="wide"><table id="matrix"><thead><tr><th></th>'
        + "".join(f"<th>{escape(host)}</th>" for host in hosts)
        + f"</tr></thead><tbody>{''.join(lines)}</tbody></table></div></section>"
    )


def _cell(links: t.Sequence[Record]) -> str:
    if not links:
        return '<span class="none">-</span>'
    shown = []
    for link in links:
        look, sign = _LINK_STATES.get(link["state"], ("bad", link["state"]))
        words = f"{link['from']} to {link['to']}, {link['kind']} {link['port']}: {link['state']}"
        shown.append(
            f'<span class="{look}" data-kind="{escape(link["kind"])}" '
            f'data-state="{escape(link["state"])}" title="{escape(words)}">{escape(sign)}</span>'
        )
    return "".join(shown)
