# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What hosts answered, as types. Whatever JSON they send is taken, cut and cleaned."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.found import Found
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model import json_values as values
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.views import NodeView

Texts = t.Tuple[str, ...]


@dataclass(frozen=True)
class Tried:
    """A connection that was tried: to which node, over which port, and how it fared."""

    to: str
    kind: str
    port: int
    state: str

    @classmethod
    def of(cls, given: values.Record) -> Tried:
        to, kind, state = (values.text(given.get(key)) for key in ("to", "kind", "state"))
        return cls(to, kind, values.number(given.get("port")), state)


@dataclass(frozen=True)
class Discovery:
    """What a host discovers; ``names`` is None where that is not known.

    ``reasons`` are those of _discovery with their sentences, where the answer is not as desired;
    ``error`` tells why the host could not ask.
    """

    strategy: str = ""
    failure: str = ""
    names: Texts | None = None
    problems: Texts = ()
    reasons: tuple[tuple[str, str], ...] = ()
    error: str = ""

    @classmethod
    def of(cls, value: t.Any) -> Discovery:
        whole = values.record(value)
        given = values.record(whole.get("discovery"))
        failed = whole.get("failed") or whole.get("unreachable")
        failure = values.text(given.get("failure"))
        problems = values.texts(given.get("problems"))
        differing = (
            each
            for kind in ("missing", "extra", "malformed")
            for each in values.records(given.get(kind))
        )
        causes = dict.fromkeys(values.text(each.get("reason")) for each in differing)
        return cls(
            strategy=values.text(given.get("strategy")),
            failure=failure,
            names=values.texts(given["names"]) if "names" in given else None,
            problems=problems,
            reasons=tuple(zip([failure] if failure else causes, problems)),
            error=(values.text(whole.get("msg")) or "no reason given") if failed else "",
        )


@dataclass(frozen=True)
class Planned:
    """What a deployment is about to do on a host."""

    opens_ports: bool = False
    renews: bool = False
    replaces: bool = False

    @classmethod
    def of(cls, value: t.Any) -> Planned:
        given = values.record(value)
        return cls(*(given.get(key) is True for key in ("opens_ports", "renews", "replaces")))


@dataclass(frozen=True)
class HostEvidence:
    """All answers of a host.

    ``lost`` are messages of Ansible where it did not reach the host, ``unread`` why evidence_info
    failed. ``resolved`` has the addresses of host parts of names as the host finds them. ``busy``
    are the ports on which no listener could stand in for the node, None where none did.
    """

    view: NodeView
    found: Found
    lost: Texts
    unread: str
    tried: tuple[Tried, ...]
    resolved: t.Mapping[str, Texts]
    probed: bool
    own_address_local: bool
    discovery: Discovery
    busy: frozenset[str] | None
    planned: Planned

    @classmethod
    def of(cls, answers: t.Any) -> HostEvidence | None:
        """Return what the answers of a host say, by the keys that Case names; None for none."""
        given = {key: values.record(answer) for key, answer in values.record(answers).items()}
        if not any(given.values()):
            return None
        none: values.Record = {}
        host = given.get("host", none)
        probe = values.record(given.get("links", none).get("probe"))
        failed = host.get("failed") and not host.get("unreachable")
        busy = given.get("stand_in", none).get("busy")
        lost = [
            values.text(given[key].get("msg")) or "unreachable"
            for key in ("view", "host", "links", "links_again")
            if given.get(key, none).get("unreachable")
        ]
        return cls(
            view=NodeView.of(given.get("view")),
            found=Found.of(host.get("evidence")),
            lost=tuple(dict.fromkeys(lost)),
            unread=(values.text(host.get("msg")) or "no reason given") if failed else "",
            tried=_tried(given.get("links", none), given.get("links_again", none)),
            resolved={
                part: values.texts(found)
                for part, found in values.record(probe.get("resolved")).items()
            },
            probed=bool(probe),
            own_address_local=probe.get("own_address_local") is not False,
            discovery=Discovery.of(given.get("discovery")),
            busy=frozenset(values.record(busy)) if isinstance(busy, t.Mapping) else None,
            planned=Planned.of(given.get("plan")),
        )


def _tried(*answers: values.Record) -> tuple[Tried, ...]:
    """Return the links of a host by their last try. One that was open once is open: what
    listened in place of a node may be gone since."""
    links: dict[tuple[str, str], Tried] = {}
    for answer in answers:
        for given in values.records(values.record(answer.get("probe")).get("links")):
            link = Tried.of(given)
            key = (link.to, link.kind)
            if key not in links or links[key].state != "open":
                links[key] = link
    return tuple(links.values())
