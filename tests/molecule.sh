#!/usr/bin/env bash
# Run one molecule scenario from the checkout. Its lab is removed whatever happens.
set -euo pipefail
cd "$(dirname "$0")/.."
scenario=$1
trap 'python3 tests/lab/lab.py down --name "$scenario"' EXIT
echo "== scenario $scenario"
time molecule test --scenario-name "$scenario"
