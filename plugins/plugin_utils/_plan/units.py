# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The systemd unit of a node and our drop-in for it.

The unit of a package is the vendor's, and only the drop-in is ours. Its stop and restart times are
those of the vendor's unit (EMQX 5.0 to 6.3, deploy/packages/emqx.service).
"""

from __future__ import annotations

from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    Layout,
    ManagedFile,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.cluster_files import (
    has_service_account,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.container import (
    ContainerPlan,
    open_files_limit,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.managed import commented


def drop_in(settings: Settings, layout: Layout, firewall_unit: str) -> ManagedFile:
    """Return what is added to a unit: limits, environment, a record of what it starts from.

    ``firewall_unit`` loads the firewall's rules at boot, "" where no unit of ours does.
    """
    after = " ".join(filter(None, ["network-online.target", firewall_unit]))
    mounts = []
    if has_service_account(settings) and not settings.in_container:
        mounts.append(f"BindReadOnlyPaths={layout.kubernetes}:{layout.service_account}")
    record = layout.boot_record
    note = (
        f"umask 077; rm -rf {record}; mkdir -p {record}; "
        f"cp {' '.join(layout.boot_files)} {record} 2>/dev/null"
    )
    lines = [
        commented(),
        "[Unit]",
        "Wants=network-online.target",
        f"After={after}",
        "",
        "[Service]",
        f"LimitNOFILE={open_files_limit(settings)}",
        *mounts,
        f"EnvironmentFile=-{layout.environment}",
        _NOTE,
        f"ExecStartPre=-+/bin/sh -c '{note}'",
    ]
    return ManagedFile(layout.drop_in, _text(lines))


def unit(settings: Settings, layout: Layout, container: ContainerPlan | None) -> ManagedFile:
    """Return the unit of a node that has none of the vendor's; ``container`` is how its container
    is started, None where it is in none."""
    if container is not None:
        return ManagedFile(layout.unit_file, _text(_of_container(settings, container)))
    return ManagedFile(layout.unit_file, _text(_of_process(layout)))


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


_NOTE = (
    "# What this process was started with, so that a later run can tell what it does not know yet."
)
_RESTARTS = [
    "Restart=on-failure",
    "# Time for the peers to notice that this node went down.",
    "RestartSec=120s",
    "",
    "[Install]",
    "WantedBy=multi-user.target",
]


def _of_process(layout: Layout) -> list[str]:
    links = [
        "# Anew for each start: an upgrade leaves links to the version before.",
        f"ExecStartPre=+/bin/bash {layout.unit_vars}",
    ]
    return [
        commented(),
        "[Unit]",
        f"Description=EMQX{' instance %i' if layout.suffix else ''}",
        "After=network.target",
        "",
        "[Service]",
        "Type=simple",
        f"User={layout.user}",
        f"Group={layout.user}",
        f"Environment=HOME={layout.installed_home}",
        "Environment=LANG=C.UTF-8",
        "Environment=EMQX_DEFAULT_LOG_HANDLER=file",
        *(links if layout.suffix else []),
        f"ExecStart=/bin/bash {layout.unit_argv} foreground",
        f"ExecStop=/bin/bash -c '{layout.unit_argv} stop; exit 0'",
        "LimitNOFILE=1048576",
        "TimeoutStopSec=120s",
        *_RESTARTS,
    ]


def _of_container(settings: Settings, container: ContainerPlan) -> list[str]:
    after = ["Requires=docker.service", "After=docker.service"]
    start = " \\\n  ".join(container.start)
    return [
        commented(),
        "[Unit]",
        "Description=EMQX in a container",
        *(after if settings.container_engine == "docker" else []),
        "",
        "[Service]",
        "Type=simple",
        "# What a run that was cut off left.",
        f"ExecStartPre=-{container.remove}",
        f"ExecStart={start}",
        f"ExecStop={container.stop}",
        f"ExecStopPost=-{container.remove}",
        "# The container has its own limit.",
        "TimeoutStopSec=150s",
        "SuccessExitStatus=143",
        *_RESTARTS,
    ]
