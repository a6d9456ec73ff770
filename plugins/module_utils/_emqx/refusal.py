# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Why EMQX refuses a configuration, in the words of its check."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.masking import MASK, masked

_ERROR_FIELD = re.compile(
    r'\b(?P<name>path|reason|unknown|value|line)\s*=>\s*(?P<text><<(?:"(?:[^"\\]|\\.)*"(?:/utf8)?\s*)+>>'
    r'|"(?:[^"\\]|\\.)*"|[\w@.+-]+(?=\s*[,}])|\{.{1,120}?\}(?=\s*[,}]))'
)
_EXCEPTION = re.compile(r"exception => (?P<text>.{1,200}?),\s*kind =>")


def explain_refusal(stdout: str, stderr: str, secrets: t.Iterable[str] = ()) -> str:
    """Return the reasons in what ``emqx check_config`` printed (5.8.9: exit codes 1 and 127).

    ``secrets`` are texts that the answer must not quote.

    >>> explain_refusal('', '#{path => "node", reason => unknown_fields, unknown => "nosuch"}')
    'node: unknown_fields "nosuch"'
    """
    text = re.sub(r"\s+", " ", f"{stdout} {stderr}")
    # One map for each fault.
    reasons = [_explain(part) for part in text.split("#{")[1:]]
    answer = "; ".join(dict.fromkeys(reason for reason in reasons if reason))
    answer = answer or _plain_words(f"{stdout}\n{stderr}") or "it gave no reason"
    for secret in sorted(secrets, key=len, reverse=True):
        answer = answer.replace(secret, MASK)
    return str(masked(answer))


def _plain_words(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # It names only the command that failed.
    reasons = [line for line in lines if not line.startswith("ERROR: call_hocon_failed")]
    return " ".join(reasons or lines)[-400:]


def _explain(part: str) -> str:
    fields = {match.group("name"): match.group("text") for match in _ERROR_FIELD.finditer(part)}
    if "reason" not in fields:
        return ""
    path = fields.get("path", "").strip('"')
    where = path or (f"line {fields['line']}" if "line" in fields else "the file")
    reason = fields["reason"].strip('"').strip()
    if reason.startswith("syntax error before"):
        # What follows is text of the file, which may be a secret.
        return f"{where}: syntax error"
    exception = _EXCEPTION.search(part)
    shown = fields.get("unknown") or (fields.get("value") if path else None)
    if exception and not path:
        shown = exception.group("text")
    elif shown is not None and masked({path: "x"}) != {path: "x"}:
        shown = MASK
    return f"{where}: {reason}" + (f" {_term(shown)}" if shown is not None else "")


def _term(text: str) -> str:
    """Return an Erlang binary, which may stand in several pieces, as one quoted text."""
    if not text.startswith("<<"):
        return text
    return '"' + "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', text)) + '"'
