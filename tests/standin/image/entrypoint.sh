#!/usr/bin/env bash
# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
# What the vendor's image does before EMQX starts: a node name where none is given, and the RPC port
# that does not move with it.
set -euo pipefail
if [ -z "${EMQX_NODE_NAME:-}" ] && [ -z "${EMQX_NODE__NAME:-}" ]; then
    address="$(hostname -i | grep -oE '([0-9]{1,3}\.){3}[0-9]{1,3}' | head -n 1)"
    export EMQX_NODE_NAME="${EMQX_NAME:-emqx}@${EMQX_HOST:-$address}"
fi
export EMQX_RPC__PORT_DISCOVERY="${EMQX_RPC__PORT_DISCOVERY:-manual}"
exec "$@"
