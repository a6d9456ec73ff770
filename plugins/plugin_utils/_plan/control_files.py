# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Read files of the control node that variables name, and tell where none can be made."""

from __future__ import annotations

import os
import typing as t

PEM_BEGIN = "-----BEGIN "


class Reader(t.Protocol):
    """What a plan asks of the control node."""

    def read(self, given: str) -> bytes | None:
        """Return a PEM text itself or the content of the file named, None where there is none.

        Raises OSError or ValueError where it cannot be read.
        """

    def unwritable(self, directory: str) -> str:
        """Return why files cannot be made in a directory, which may be missing; "" if they can."""


class ControlFiles:
    """The files of this control node."""

    def read(self, given: str) -> bytes | None:
        if PEM_BEGIN in given:
            return given.encode()
        if not given:
            return None
        try:
            with open(given, "rb") as stream:
                return stream.read()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def unwritable(self, directory: str) -> str:
        place = os.path.abspath(directory)
        while not os.path.lexists(place) and place != "/":
            place = os.path.dirname(place)
        if not directory:
            return "none"
        if not os.path.isdir(place):
            return f"{place}, which is no directory"
        if not os.access(place, os.W_OK | os.X_OK):
            return f"{place}, which the user of this run may not write to"
        return ""
