# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Names for objects of JSON, where they come in and go out; in between there are records."""

from __future__ import annotations

import typing as t

# An object that is answered, shown or handed to tasks.
Json = t.Dict[str, t.Any]
# One that is only read: options of a module, or what somebody else made.
Record = t.Mapping[str, t.Any]
# Keys of a configuration of EMQX, nested as in HOCON.
Tree = t.Dict[str, t.Any]
# The argument spec of a module or an action.
Options = t.Dict[str, t.Any]
