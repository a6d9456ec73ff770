# Copyright (c) 2026, mqttops contributors
# GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter to_hocon: a dictionary as HOCON text for EMQX."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx import hocon, hocon_tree
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError


def to_hocon(value: t.Any, overlays: t.Sequence[t.Any] = (), indent: int = 2) -> str:
    """Return ``value`` with ``overlays`` on top as HOCON; see ``to_hocon.yml``."""
    try:
        merged = hocon.expand(value)
        for overlay in overlays:
            merged = hocon_tree.merge(merged, hocon.expand(overlay))
        return hocon.render(merged, indent)
    except InputError as error:
        raise AnsibleFilterError(f"to_hocon: {error}") from error


class FilterModule:
    """Tell ansible-core which filters this file brings."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"to_hocon": to_hocon}
