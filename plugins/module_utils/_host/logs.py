# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What the logs of a node tell, and how to show them without a secret. Pure: text in, text out."""

from __future__ import annotations

import datetime as dt
import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.masking import (
    MASK,
    SECRET_NAME,
    masked_forms,
)

# Lines that name a cause, by its code. EMQX 5.0 to 6.3, Erlang/OTP 24 to 28.
SIGNS: t.Mapping[str, t.Pattern[str]] = {
    "license": re.compile(r"SINGLE_NODE_LICENSE|single node license|single_node_license"),
    "cookie": re.compile(r"Invalid challenge reply"),
    "port_in_use": re.compile(r"eaddrinuse|port \d+ is in use|address already in use", re.I),
    "disk_full": re.compile(r"\benospc\b|no space left on device|file system full", re.I),
    "file_limit": re.compile(r"\bemfile\b|\benfile\b|too many open files", re.I),
    "permission": re.compile(r"\{error,eacces\}|permission denied|\beacces\b", re.I),
    "waiting": re.compile(r"still waiting for table|is waiting for one of the nodes"),
    "expelled": re.compile(r"not_a_member_any_more|failed to merge schema", re.I),
    "partition": re.compile(r"inconsistent_database|running_partitioned_network"),
    "replicant": re.compile(r"no_available_core_node_at_same_version"),
    "config": re.compile(r"call_hocon_failed|validation_error|failed_to_check_schema"),
    "discovery": re.compile(r"discovered nodes (?:are not responding|outside cluster)", re.I),
    "memory": re.compile(r"eheap_alloc|Cannot allocate \d+ bytes|oom-kill|Out of memory"),
    "crash": re.compile(r"^Slogan:|Kernel pid terminated|init terminating in do_boot"),
}
_PER_SIGN = 3
_WIDTH = 300

_KEY_BLOCK = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
)
# A name that says what follows is secret: NAME = value, "name": "value", name => <<"value">>.
_NAMED = re.compile(
    rf"(?P<name>(?:{SECRET_NAME}(?<!fingerprint)|license[._]{{1,2}}key)[\"']?\s*(?:=>|=|:)\s*)"
    + r"(?:<<)?(?:(?P<quote>[\"'])(?:(?!(?P=quote))[^\\\n]|\\.)*(?P=quote)(?:>>)?|[^\s,;}\])\"']+)",
    re.IGNORECASE,
)
_ARGUMENT = re.compile(r"(-setcookie\s+)\S+")


def scrub(text: str, secrets: t.Iterable[str] = ()) -> str:
    """Return a text without the given secrets, and without what looks like one.

    >>> scrub('node.cookie = "s3cret", -setcookie s3cret')
    'node.cookie = "********", -setcookie ********'
    """
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    text = _KEY_BLOCK.sub(MASK, text)
    text = _NAMED.sub(_mask_named, text)
    return masked_forms(_ARGUMENT.sub(rf"\g<1>{MASK}", text))


# EMQX's logs, and the journal as short-iso: the colon in the offset is not always there.
_STAMP = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,]\d+)?(?P<sign>[+-])(?P<hour>\d\d):?(?P<min>\d\d)"
)
# What run_erl writes into erlang.log, which has no times, when a node starts.
_STARTED = "===== LOGGING STARTED"


def since(text: str, start: float) -> str:
    """Return of a log what was written at or after a time in seconds, as far as it tells.

    Lines without a time go with the line before them; those at the beginning are kept.
    """
    kept = True
    lines = []
    for line in text.rpartition(_STARTED)[2].splitlines():
        stamp = _STAMP.match(line)
        if stamp:
            # The journal has whole seconds.
            kept = _seconds(stamp) + 1 > start
        if kept:
            lines.append(line)
    return "\n".join(lines)


def _seconds(stamp: t.Match[str]) -> float:
    moment = dt.datetime.strptime(stamp.group("time"), "%Y-%m-%dT%H:%M:%S")
    offset = dt.timedelta(hours=int(stamp.group("hour")), minutes=int(stamp.group("min")))
    zone = dt.timezone(offset if stamp.group("sign") == "+" else -offset)
    return moment.replace(tzinfo=zone).timestamp()


def _mask_named(match: t.Match[str]) -> str:
    quote = match.group("quote") or ""
    return f"{match.group('name')}{quote}{MASK}{quote}"


def excerpts(text: str, source: str, secrets: t.Collection[str] = ()) -> list[dict[str, str]]:
    """Return the last lines of each sign in a log: ``sign``, ``source`` and ``line``."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        for sign, pattern in SIGNS.items():
            if pattern.search(line):
                found.setdefault(sign, []).append(line)
    return [
        {"sign": sign, "source": source, "line": scrub(line.strip(), secrets)[:_WIDTH]}
        for sign, lines in found.items()
        for line in list(dict.fromkeys(lines))[-_PER_SIGN:]
    ]
