# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The files that make a release of an instance: the installed one, with directories of its own.

bin/emqx takes the folder above its own file for the root of the release and reads where everything
lies from releases/emqx_vars there (EMQX 5.0 to 6.3).
"""

from __future__ import annotations

from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    Layout,
    ManagedFile,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.managed import commented


def instance_files(layout: Layout) -> list[ManagedFile]:
    """Return emqx_vars, bin/emqx and the command of an instance; none for other nodes."""
    if not layout.instanced:
        return []
    return [
        ManagedFile(layout.instance_vars, _vars(layout)),
        ManagedFile(layout.instance_script, _script(layout), mode="0755"),
        ManagedFile(layout.instance_command, _command(layout), mode="0755"),
    ]


def _script(layout: Layout) -> str:
    return f"""#!/usr/bin/env bash
{commented()}
# The installed script, which takes the folder above its own file for the root of the release:
# here that is the instance's.
source {layout.installed_root}/bin/emqx
"""


def _command(layout: Layout) -> str:
    return f'#!/bin/sh\n{commented()}\nexec {layout.instance_script} "$@"\n'


def _vars(layout: Layout) -> str:
    root, installed, etc = layout.instance_root, layout.installed_root, layout.installed_etc
    of_now = "of whatever version that is now"
    return f"""{commented()}
# The installed release, with the directories of this instance.
instance_log_dir="${{EMQX_LOG_DIR:-{layout.log}}}"
source {installed}/releases/emqx_vars
export EMQX_LOG_DIR="$instance_log_dir"
RUNNER_LOG_DIR="$instance_log_dir"
RUNNER_BIN_DIR={root}/bin
EMQX_ETC_DIR={layout.etc}

# What the instance has no file of its own for is the installed one, {of_now}.
link_installed() (
    cd "$1"
    to="$2"
    shift 2
    # Without quotes: patterns, of names in that folder.
    for part in $*; do
        if [ -e "$part" ] && ! [ -e "$to/$part" ]; then
            ln -sfn "$PWD/$part" "$to/$part"
        fi
    done
)
# Root alone: what root runs from here is not to be had by the user that EMQX runs as.
if [ "$(id -u)" = 0 ]; then
    mkdir -p -m 0755 "$EMQX_ETC_DIR"
    link_installed {installed} {root} lib dynlibs 'erts-*' 'bin/node*' 'releases/*'
    link_installed {etc} "$EMQX_ETC_DIR" acl.conf base.hocon certs ssl_dist.conf vm.args
    # Relative paths in EMQX start from the root of the release.
    [ {root}/data -ef {layout.data} ] || ln -sfn {layout.data} {root}/data
    [ -L {root}/plugins ] || ln -s data/plugins {root}/plugins
fi
"""
