# Copyright (c) 2026, mqttops contributors
# GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action node_evacuation: the module of this name, which says what it waits for."""

from __future__ import annotations

from ansible_collections.mqttops.emqx.plugins.action.cluster_wait import ActionModule as Waiting


class ActionModule(Waiting):
    """Waits in slices."""

    default_timeout = 600
