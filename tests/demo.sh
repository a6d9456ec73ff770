#!/usr/bin/env bash
# Three hosts, site.yml, and what each node says of the cluster. The hosts stay for a look around:
# `make lab-down` removes them.
set -euo pipefail
cd "$(dirname "$0")/.."
lab=${LAB:-demo}
inventory=(--inventory ".cache/lab/$lab/hosts.yml" --inventory tests/inventory/hosts.yml)

if [[ -n ${EMQX_PACKAGE:-} && $EMQX_PACKAGE != *://* ]]; then
    EMQX_PACKAGE=$(realpath "$EMQX_PACKAGE")
    export EMQX_PACKAGE
fi
python3 tests/lab/lab.py up --name "$lab" --hosts "${HOSTS:-3}"
ansible-playbook mqttops.emqx.site "${inventory[@]}"
python tests/support/cluster_table.py "$lab"
echo "The hosts go on running: make lab-down LAB=$lab removes them."
