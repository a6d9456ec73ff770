#!/usr/bin/env bash
# Run one molecule scenario from the checkout. Its lab is removed whatever happens.
set -euo pipefail
cd "$(dirname "$0")/.."
scenario=$1
export MOLECULE_EPHEMERAL_DIRECTORY=$PWD/.cache/molecule/$scenario
down() {
    python3 tests/lab/lab.py down --name "$scenario"
    rm -rf "$MOLECULE_EPHEMERAL_DIRECTORY"
}
trap down EXIT
echo "== scenario $scenario"
# Without molecule's own destroy, which would run a playbook for it before and after.
down
time molecule test --destroy never --scenario-name "$scenario"
