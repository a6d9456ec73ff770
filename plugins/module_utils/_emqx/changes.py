# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What a change of a node's files means: for the reader of a diff, and for the running node."""

from __future__ import annotations

import hashlib
import json
import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx import hocon_reader
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon import (
    MASK,
    SECRET_KEYS,
    flatten,
    masked,
    render,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError

# A node picks these up without a restart: discovery reads its seeds again in every round, and a
# member that is in its cluster does not look for one (ekka 0.13-0.23).
_RUNTIME_KEYS = frozenset({"cluster.static.seeds"})

# Nodes that differ in one of these cannot talk to one another, so they cannot change node by
# node (EMQX 5.x, rpc.* and cluster.proto_dist: both ends derive the peer's side from their own).
CLUSTER_WIDE_KEYS = frozenset(
    {
        "node.cookie",
        "cluster.proto_dist",
        "rpc.protocol",
        "rpc.driver",
        "rpc.port_discovery",
        "rpc.server_port",
        "rpc.tcp_server_port",
        "rpc.ssl_server_port",
    }
)

UNKNOWN_BOOT = "(started before its boot record existed)"


def is_hocon(path: str) -> bool:
    """Tell whether EMQX reads a file as HOCON; ssl_dist.conf holds Erlang terms."""
    return path.endswith(".hocon") or path.endswith("/emqx.conf")


def boot_changes(
    booted: t.Mapping[str, str | None], current: t.Mapping[str, str | None]
) -> list[str]:
    """Return what a running node does not know yet of its boot-time files, sorted.

    Both map paths to texts, None for no file. HOCON files and environments are compared key by key,
    so comments and layout never restart a node; all else as a whole, by its path.
    """
    changes: set[str] = set()
    for path, text in current.items():
        before = booted.get(path)
        if (before or "") == (text or ""):
            continue
        if is_hocon(path):
            keys = changed_keys(before, text)
        elif path.endswith(".env"):
            keys = _changed_variables(before, text)
        else:
            keys = {_WHOLE}
        changes.update(path if key == _WHOLE else key for key in keys)
    return sorted(changes - _RUNTIME_KEYS)


def cluster_wide(keys: t.Iterable[str]) -> list[str]:
    """Return those of the changed keys that all nodes have to change at the same time."""
    return sorted(CLUSTER_WIDE_KEYS.intersection(keys))


# Stands for a file that cannot be compared key by key.
_WHOLE = "(whole file)"


def changed_keys(before: str | None, after: str | None) -> set[str]:
    """Return the dotted keys in which two HOCON texts differ; null is a value of its own."""
    old, new = _flat(before), _flat(after)
    return {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}


def _changed_variables(before: str | None, after: str | None) -> set[str]:
    """Return the keys that variables override in which two systemd environment files differ."""
    old, new = _variables(before), _variables(after)
    changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    return {environment_key(name) or name for name in changed}


def _variables(text: str | None) -> dict[str, str]:
    found: dict[str, str] = {}
    name = ""
    for line in (text or "").splitlines():
        match = re.fullmatch(r"([A-Za-z_]\w*)=(.*)", line)
        if match:
            name = match.group(1)
            found[name] = match.group(2)
        elif name and line.strip() and not line.startswith(("#", ";")):
            # A quoted value goes on over several lines.
            found[name] += f"\n{line}"
    return found


def _flat(text: str | None) -> dict[str, str]:
    """Return the values as JSON, in which true is not 1 and the order of keys means nothing."""
    try:
        values = flatten(hocon_reader.parse(text or ""))
    except InputError:
        values = {_WHOLE: text}
    return {key: json.dumps(value, sort_keys=True) for key, value in values.items()}


def masked_texts(path: str, before: str | None, after: str | None) -> tuple[str, str]:
    """Return both texts fit to be shown: no secret, and that a secret changed still visible."""
    if is_hocon(path):
        try:
            return _masked_trees(hocon_reader.parse(before or ""), hocon_reader.parse(after or ""))
        except InputError:
            # Written by hand in a way that only EMQX reads.
            return _masked_lines(before or "", after or "")
    return _masked_lines(before or "", after or "")


def masked_whole(before: str | None, after: str) -> tuple[str, str]:
    """Return of two texts that are secret as a whole only whether the first is there."""
    return (MASK, MASK if before == after else MASK + _CHANGED) if before else ("", MASK)


def _masked_trees(old: dict[str, t.Any], new: dict[str, t.Any]) -> tuple[str, str]:
    shown_old, shown_new = masked(old), masked(new)
    return render(shown_old), render(_marked(old, new, shown_old, shown_new))


def _marked(old: t.Any, new: t.Any, shown_old: t.Any, shown_new: t.Any) -> t.Any:
    """Return ``shown_new`` with a mark wherever only the masks make it equal to ``shown_old``."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {
            key: _marked(old[key], new[key], shown_old[key], shown) if key in old else shown
            for key, shown in shown_new.items()
        }
    if isinstance(old, list) and isinstance(new, list):
        pairs = zip(old, new, shown_old, shown_new)
        return [_marked(*items) for items in pairs] + shown_new[len(old) :]
    return f"{shown_new}{_CHANGED}" if old != new and shown_old == shown_new else shown_new


_CHANGED = " (changed)"

# From the first name of a secret on, nothing of a line is shown; a name with a dot (license.key)
# may stand in a block of its own, so its last part has to be a whole key.
_SECRET_IN_LINE = re.compile(
    "(?:"
    + "|".join(
        rf"(?<![a-z0-9]){name.rpartition('.')[2]}(?=[\"\s]*[=:])"
        if "." in name
        else rf"{name.replace('_', '[_-]')}[\w.-]*"
        for name in SECRET_KEYS
    )
    + r"""|-----BEGIN[ ][A-Z ]*PRIVATE[ ]KEY-----)"?\s*[=:]?\s*""",
    re.IGNORECASE,
)


def _masked_lines(before: str, after: str) -> tuple[str, str]:
    old, new = list(_statements(before)), list(_statements(after))
    raw_before, shown_before = {raw for raw, _shown in old}, {shown for _raw, shown in old}
    return (
        "".join(f"{shown}\n" for _raw, shown in old),
        "".join(
            f"{shown}{_CHANGED if shown in shown_before and raw not in raw_before else ''}\n"
            for raw, shown in new
        ),
    )


def _statements(text: str) -> t.Iterator[tuple[str, str]]:
    """Yield each line as it is and as it may be shown, a secret with all its lines as one.

    Comments are left out: they may hold old secrets, and HOCON is shown without them too.
    """
    raw = shown = ""
    head = 0
    for line in text.splitlines():
        if raw:
            raw += "\n" + line
        elif line.lstrip().startswith(("#", "//", ";")):
            continue
        else:
            match = _SECRET_IN_LINE.search(line)
            if match is None:
                yield line, masked(line)
                continue
            raw, head, shown = line, match.end(), _head_of(masked(line))
        # A value that is not in this line stands in the next one.
        if raw[head:].strip() and not _is_open(raw):
            yield raw, shown
            raw = ""
    if raw:
        yield raw, shown


def _head_of(line: str) -> str:
    match = _SECRET_IN_LINE.search(line)
    return line[: match.end()] + MASK if match else line


def _is_open(statement: str) -> bool:
    return bool(
        statement.count('"') % 2
        or statement.count("[") > statement.count("]")
        or statement.count("-----BEGIN ") > statement.count("-----END ")
    )


def environment_key(name: str) -> str:
    """Return the key that an environment variable overrides, "" where it is none of EMQX's.

    >>> environment_key("EMQX_NODE__DATA_DIR")
    'node.data_dir'
    """
    legacy = {"EMQX_NODE_NAME": "node.name", "EMQX_NODE_COOKIE": "node.cookie"}
    if not name.startswith("EMQX_"):
        return ""
    return legacy.get(name) or name[len("EMQX_") :].lower().replace("__", ".")


def secret_values(texts: t.Iterable[str], environment: t.Mapping[str, t.Any]) -> set[str]:
    """Return the secrets in HOCON texts and in an environment, to keep them out of messages: none
    of less than four characters, as these would be found in any message."""
    given = {environment_key(name): value for name, value in environment.items()}
    # EMQX reads values as HOCON: a secret may stand in quotes that are none of it.
    read = {k: hocon_reader.read_variable(v) for k, v in given.items() if isinstance(v, str)}
    trees: list[dict[str, t.Any]] = [given, read]
    for text in texts:
        try:
            trees.append(hocon_reader.parse(text))
        except InputError:
            continue
    return {value for tree in trees for value in _hidden(tree, masked(tree)) if len(value) > 3}


def _hidden(value: t.Any, shown: t.Any) -> t.Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _hidden(item, shown[key])
    elif isinstance(value, list):
        for item, shown_item in zip(value, shown):
            yield from _hidden(item, shown_item)
    elif shown == MASK:
        yield str(value)


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


def pending_files(
    files: t.Iterable[t.Mapping[str, t.Any]], states: t.Mapping[str, t.Mapping[str, t.Any]]
) -> list[str]:
    """Return the paths whose content, owner, group or mode is not yet as desired: ``files`` holds
    path, content (none for a directory), owner, group and mode, ``states`` what was found."""
    return [item["path"] for item in files if not _is_as_desired(item, states[item["path"]])]


def _is_as_desired(item: t.Mapping[str, t.Any], state: t.Mapping[str, t.Any]) -> bool:
    content = item.get("content")
    checksum = "" if content is None else hashlib.sha256(str(content).encode()).hexdigest()
    return has_rights(item, state) and checksum == state["sha256"]


def has_rights(item: t.Mapping[str, t.Any], state: t.Mapping[str, t.Any]) -> bool:
    """Tell whether a file has the desired owner, group and mode."""
    # A number says the same as the name that it has on this host.
    return (
        f"{mode_bits(item['mode'], item['path']):04o}" == state["mode"]
        and str(item["owner"]) in (state["owner"], state["uid"])
        and str(item["group"]) in (state["group"], state["gid"])
    )


def mode_bits(mode: t.Any, path: str) -> int:
    """Return the number of an octal mode such as "0640"; raises InputError for another form."""
    # Four digits: 0640 without quotes is the number 416 in YAML.
    if not isinstance(mode, str) or not re.fullmatch("[0-7]{4}", mode):
        raise InputError(
            f"The mode of {path} is {mode!r}: expected four octal digits in quotes, such as '0640'."
        )
    return int(mode, 8)
