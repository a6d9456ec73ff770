# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Which values are secrets, and texts without them. What may be one is taken for one.

Names are those of fields that EMQX's schema marks as sensitive, those of the services that its
connectors talk to, and what ends like them (EMQX 5.0 to 6.3).
"""

from __future__ import annotations

import re
import typing as t

MASK = "********"

# Ends in "key", and names a part of a record or a message.
_PLAIN_KEYS = "hash|range|sort|partition|routing|ordering|message|primary|foreign|public|record"
# Regular expressions: what makes any name that it stands in secret, and what a name ends in.
# Names have bounds, so that no text takes long.
SECRET_WORD = (
    r"(?:authorization|cookie|credential|pass_?phrase|passw(?:or)?d|secret|token"
    r"|(?:access|account|api|private|shared|signing|encryption)[_-]?key|service[_-]?account"
    r"|shared[_-]?access|connection[_-]?string)"
)
SECRET_END = (
    r"(?:(?:[\w-]{0,200}[_-])?(?:auth|jwt|pass|pw|pwd)"
    rf"|(?!(?:{_PLAIN_KEYS})[_-]key\b)[\w-]{{1,200}}[_-]key)(?![\w-])"
)
SECRET_NAME = rf"(?<![\w-])(?:[\w-]{{0,200}}{SECRET_WORD}[\w-]{{0,200}}|{SECRET_END})"
_NAME = re.compile(SECRET_NAME, re.IGNORECASE)
# The end of a path whose last part alone says nothing.
_SECRET_PATH = ".license.key"
# What holds secrets under names of any kind.
_SECRET_TREE = re.compile(r"[\w-]*(?:credential|service[_-]?account)[\w-]*", re.IGNORECASE)

_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
# Secrets by their form, each with what is kept of it in the group "kept".
_FORMS = (
    # scheme://user:password@host
    re.compile(r"(?P<kept>://[^/\s:@\"']*:)[^\s/?#\"']+(?=@)"),
    # ?token=..., and the parts of a connection string: PWD=...;
    re.compile(
        rf"(?P<kept>(?:{SECRET_NAME}|[?&](?:key|sig|signature))=)[^\s&;,\"']+", re.IGNORECASE
    ),
    re.compile(r"(?P<kept>\b(?:Bearer|Basic)\s{1,4})[\w.~+/=-]{16,}"),
    # A JSON web token, and the identifier of an access key of AWS.
    re.compile(r"(?P<kept>\b)eyJ[\w-]{8,999}\.[\w-]{8,999}(?:\.[\w-]*)?"),
    re.compile(r"(?P<kept>\b)(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
)


def is_secret(name: str) -> bool:
    """Tell whether the value of a key is a secret, by the key's name.

    >>> is_secret("Access-Key-Id"), is_secret("routing_key"), is_secret("max_packet_size")
    (True, False, False)
    """
    return _NAME.fullmatch(name) is not None


def masked_forms(text: str) -> str:
    """Return a text without secrets that show by their form.

    >>> masked_forms("Driver=x;UID=sa;PWD=s3cret")
    'Driver=x;UID=sa;PWD=********'
    """
    for form in _FORMS:
        text = form.sub(rf"\g<kept>{MASK}", text)
    return text


def masked(value: t.Any) -> t.Any:
    """Return a copy of ``value`` with secrets replaced by ``********``.

    Secret is text or a number under a key that ``is_secret``, or anywhere below credentials.
    Private keys in PEM form, and what ``masked_forms`` knows, are masked wherever they stand.
    """
    return _masked(value, "", False)


def _masked(value: t.Any, path: str, hidden: bool) -> t.Any:
    if isinstance(value, dict):
        return {
            key: _masked(
                item,
                f"{path}.{str(key).lower()}",
                hidden or _SECRET_TREE.fullmatch(str(key)) is not None,
            )
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_masked(item, path, hidden) for item in value]
    if value is None or isinstance(value, bool) or value == "":
        return value
    if hidden or path.endswith(_SECRET_PATH) or is_secret(path.rpartition(".")[2]):
        return MASK
    if not isinstance(value, str):
        return value
    return MASK if _PRIVATE_KEY.search(value) else masked_forms(value)
