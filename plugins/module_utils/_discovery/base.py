# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What a discovery strategy says of itself on the hosts: how its service is asked and understood.

Each file beside this one that the table lists satisfies ``Strategy``. The rules are those of ekka
0.13 to 0.23 (EMQX 5.0 to 6.3).
"""

from __future__ import annotations

import ipaddress
import typing as t

_SHOWN = 300

# What a service holds for the cluster, an entry each; see ``form`` of the strategy.
Entry = t.Mapping[str, t.Any]
# The keys of EMQX below cluster.STRATEGY.
Settings = t.Mapping[str, t.Any]
# entries, asked, failure and detail; see ``answer``.
Answer = t.Dict[str, t.Any]
# Entries, and the names of nodes that EMQX makes of them, "" for none.
Formed = t.Sequence[t.Tuple[Entry, str]]
# A key of ``REASONS``, and the value that is missing or is there in its place.
Reason = t.Tuple[str, str]


class Phrases(t.NamedTuple):
    """The texts of a finding.

    {names} are those of nodes, {values} what the service holds or lacks for them, {source} what was
    asked for, {listed} all of its values, {asked} the server, {detail} the text of its error, {own}
    the node that asks and {own_short} the part before its @.
    """

    expected: str
    found: str
    remedy: str


class Strategy(t.Protocol):
    """What a module of a strategy has."""

    @property
    def REASONS(self) -> t.Mapping[str, Phrases]:
        """Why what is found differs from the desired nodes."""

    @property
    def FAILURES(self) -> t.Mapping[str, Phrases]:
        """Why there is no answer, or none that helps."""

    @property
    def IN_PLACE(self) -> frozenset[str]:
        """Reasons of a missing node whose value is what the service has in its place."""

    @property
    def PERMANENT(self) -> frozenset[str]:
        """Reasons of what is too much and does not go by itself."""

    @property
    def OTHER_ANSWER(self) -> str:
        """The remedy where a host is answered otherwise than the others."""

    def lacks(self) -> str:
        """Return what this host lacks to ask, "" for nothing."""

    def ask(self, settings: Settings, timeout: float, service_account: str = ...) -> Answer:
        """Return the answer, ``timeout`` being seconds; it never raises."""

    def source(self, settings: Settings) -> str:
        """Return in words what a node asks for."""

    def form(self, settings: Settings, short_name: str, entry: Entry) -> str:
        """Return the name that EMQX makes of an entry, "" where it makes none."""

    def value(self, entry: Entry) -> str:
        """Return an entry as the one who keeps the service knows it."""

    def missing(self, settings: Settings, name: str, short_name: str, formed: Formed) -> Reason:
        """Return why a desired name is not among the formed ones."""

    def extra(self, entry: Entry, value: str) -> Reason:
        """Return what an entry is that leads to no member."""

    def nameless(self, entry: Entry) -> str:
        """Return the reason why an entry that counts gives no name, "" where it need not."""


COMMON_REASONS: dict[str, Phrases] = {
    "no_name": Phrases(
        "names of the form name@host",
        "{values}",
        "remove or correct it, EMQX makes no node name of it",
    ),
}
SHORT_NAMES_DIFFER = Phrases(
    "{own_short} before the @, as {own} looks for that name at every address in {source}",
    "{names}",
    "give all nodes the same part before the @, emqx is the usual one",
)


def lacking(remedy: str) -> Phrases:
    """Return the texts where a service has no entry for a node."""
    return Phrases("{source} to include {values}", "{listed}", remedy)


def foreign(remedy: str) -> Phrases:
    """Return the texts where a service has an entry of somebody else."""
    expected = "{source} to include only cores of this cluster, none of {values}"
    return Phrases(expected, "{listed}", remedy)


def answer(
    asked: str, entries: t.Sequence[Entry] = (), failure: str = "", detail: object = ""
) -> Answer:
    """Return an answer: ``asked`` are the servers for people, ``failure`` a key of FAILURES or "",
    ``detail`` the text of the error."""
    return {"entries": list(entries), "asked": asked, "failure": failure, "detail": str(detail)}


def other_short_name(name: str, short_name: str, formed: Formed) -> list[Reason]:
    """Return the reason that a node differs from the one that asks before the @ only, if it is."""
    own, _at, host = name.partition("@")
    same_host = f"{short_name}@{host}"
    found = own != short_name and any(each == same_host for _entry, each in formed)
    return [("short_names_differ", same_host)] if found else []


def ip(text: object) -> t.Any:
    """Return a text as an IP address that compares, None where it is none."""
    try:
        return ipaddress.ip_address(str(text))
    except ValueError:
        return None


def shown(text: str) -> str:
    """Return what a service said as people may see it: printable, and not endless."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text[:_SHOWN])
