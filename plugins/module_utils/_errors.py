# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The exceptions of this collection.

Deep layers raise them; only the main function of a module turns one into fail_json.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json


class EmqxError(Exception):
    """Base of all our errors: a sentence for people, details for programs.

    ``details`` is handed to fail_json as ``failure.details`` next to ``failure.code``, so it
    must hold only JSON-like values and never a secret.
    """

    code: t.ClassVar[str] = "error"

    def __init__(self, message: str, **details: t.Any) -> None:
        super().__init__(message)
        self.message = message
        self.details: Json = details

    def as_failure(self) -> Json:
        """Return the machine-readable form: ``code`` (str) and ``details`` (dict)."""
        return {"code": self.code, "details": self.details}


class InputError(EmqxError):
    """What the user wrote cannot be used: a variable, an option, a topology."""

    code = "input"


class CommandError(EmqxError):
    """A command could not do its work; details hold argv, rc, stdout and stderr."""

    code = "command"

    def __init__(
        self, message: str, argv: t.Sequence[str], rc: int, stdout: str, stderr: str
    ) -> None:
        super().__init__(message, argv=list(argv), rc=rc, stdout=stdout, stderr=stderr)


class ParseError(EmqxError):
    """A command answered something else than it is known to print."""

    code = "parse"


class RefusedError(EmqxError):
    """What is desired could be done but would do harm, or EMQX refuses it."""

    code = "refused"


class WaitTimeout(EmqxError):
    """A state was not reached in time; ``last`` is the last one seen."""

    code = "timeout"

    def __init__(self, message: str, last: t.Any = None, **details: t.Any) -> None:
        super().__init__(message, last=last, **details)
        self.last = last
