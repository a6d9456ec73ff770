# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Read HOCON of the kind that EMQX ships and writes (hocon 0.39 to 0.43, EMQX 5.0 to 5.8)."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon_tree import merge, unescape
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Tree


class _Token(t.NamedTuple):
    kind: str
    text: str
    line: int


_TOKENS = re.compile(
    r"""(?P<skip>[ \t\v\f\r\xa0\n]+|(?:\#|//)[^\n]*)
    |(?P<block>\"{3}(?:[^"]|"(?!""))*\"{3}(?!"))
    |(?P<string>"(?:[^"\\\n]|\\.)*")
    |(?P<word>[A-Za-z0-9_.@%|+-]+)
    |(?P<punct>[{}\[\],:=])""",
    re.VERBOSE,
)
_INTEGER = re.compile(r"[+-]?[0-9]+")
_FLOAT = re.compile(r"[+-]?[0-9]*\.[0-9]+|[+-]?[0-9]+\.[0-9]+[eE][+-]?[0-9]+")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.@%|-]*|[0-9]+(?:%|[A-Za-z]+)")
_LITERALS: Tree = {"true": True, "false": False, "null": None}


def parse(text: str) -> Tree:
    """Read HOCON text of the kind EMQX ships and writes; raises InputError with the line.

    Understood: comments, dotted and quoted keys, ``=``, ``:`` and ``key {``, objects, arrays,
    quoted, triple-quoted and single-word strings, numbers, booleans, null; of a key given
    twice the objects merge and the last value wins. Not understood, and refused: substitutions
    outside quotes, ``include``, ``+=`` and values joined by juxtaposition.
    """
    tokens = _tokenize(text[1:] if text.startswith("\ufeff") else text)
    reader = _Reader(tokens)
    if reader.peek().text == "{" and reader.peek().kind == "punct":
        reader.take()
        result = reader.fields("}")
    else:
        result = reader.fields("")
    reader.expect_end()
    return result


def parse_value(text: str) -> t.Any:
    """Read the text of one value, as EMQX reads that of an environment variable: as the fields of
    an object, else as a value, else (InputError here) as plain text.

    Source: hocon_tconf:read_hocon_val of hocon 0.39 to 0.43.
    """
    if not text:
        return ""
    try:
        return parse(text)
    except InputError:
        return parse(f"value = {text}")["value"]


def read_variable(text: str) -> t.Any:
    """Return what EMQX makes of the value of an environment variable."""
    try:
        return parse_value(text)
    except InputError:
        return text


def _tokenize(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position, line = 0, 1
    while position < len(text):
        match = _TOKENS.match(text, position)
        if match is None:
            found = text[position:].split("\n", 1)[0].strip()
            raise _unreadable(line, f"{found[:20]!r}")
        kind = t.cast(str, match.lastgroup)
        if kind != "skip":
            tokens.append(_Token(kind, match.group(), line))
        line += match.group().count("\n")
        position = match.end()
    tokens.append(_Token("end", "", line))
    return tokens


def _unreadable(line: int, found: str, expected: str = "a key, a value or a comment") -> InputError:
    return InputError(
        f"Line {line} cannot be read as HOCON: expected {expected}, found {found}.", line=line
    )


class _Reader:
    """A cursor over tokens; one method per rule of the grammar."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._next = 0

    def peek(self) -> _Token:
        return self._tokens[self._next]

    def take(self) -> _Token:
        token = self._tokens[self._next]
        self._next += 1
        return token

    def _skip(self, text: str) -> bool:
        token = self.peek()
        found = token.kind == "punct" and token.text == text
        if found:
            self._next += 1
        return found

    def _fail(self, expected: str) -> InputError:
        token = self.peek()
        found = "the end of the text" if token.kind == "end" else _shown(token)
        return _unreadable(token.line, found, expected)

    def expect_end(self) -> None:
        if self.peek().kind != "end":
            raise self._fail("the end of the text")

    def fields(self, closing: str) -> Tree:
        result: Tree = {}
        while True:
            if closing and self._skip(closing):
                return result
            if not closing and self.peek().kind == "end":
                return result
            keys = self._key()
            if self.peek().text != "{" and not (self._skip("=") or self._skip(":")):
                raise self._fail("'=', ':' or '{' after the key")
            value = self._value()
            for key in reversed(keys[1:]):
                value = {key: value}
            _put(result, keys[0], value)
            self._skip(",")

    def _key(self) -> list[str]:
        token = self.peek()
        if token.kind == "string":
            self.take()
            return [unescape(token.text[1:-1])]
        if token.kind != "word" or token.text == "include" or "" in token.text.split("."):
            raise self._fail("a key")
        self.take()
        return token.text.split(".")

    def _value(self) -> t.Any:
        token = self.peek()
        if self._skip("{"):
            return self.fields("}")
        if self._skip("["):
            return self._items()
        if token.kind == "string":
            value: t.Any = unescape(token.text[1:-1])
        elif token.kind == "block":
            value = _unindent(token.text[3:-3])
        elif token.kind == "word":
            value = _word(token)
        else:
            raise self._fail("a value")
        self.take()
        return value

    def _items(self) -> list[t.Any]:
        result: list[t.Any] = []
        while not self._skip("]"):
            result.append(self._value())
            if not self._skip(",") and self.peek().text != "]":
                raise self._fail("',' or ']'")
        return result


def _shown(token: _Token) -> str:
    """Name a token in an error; a string may be a secret and is not quoted."""
    return "a quoted string" if token.kind in ("string", "block") else repr(token.text)


def _put(target: Tree, key: str, value: t.Any) -> None:
    old = target.get(key)
    if isinstance(old, dict) and isinstance(value, dict):
        value = merge(old, value)
    target[key] = value


def _word(token: _Token) -> t.Any:
    text = token.text
    if text in _LITERALS:
        return _LITERALS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _WORD.fullmatch(text):
        return text
    raise _unreadable(token.line, repr(text), "a number or a word that starts with a letter")


def _unindent(text: str) -> str:
    """Undo the ``~`` form of triple-quoted strings that EMQX writes (hocon 0.42 and newer)."""
    if not text.startswith(("~\n", "~\r\n")):
        return text
    *lines, last = text.split("\n")[1:]
    last = last[:-1] if last.endswith("~") else last
    margin = min((_indent(line) for line in lines if line.strip("\r")), default=0)
    # The closing quotes may stand further left than the text.
    if last.strip(" "):
        margin = min(margin, _indent(last)) if lines else _indent(last)
    return "\n".join(line[min(margin, _indent(line)) :] for line in [*lines, last])


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
