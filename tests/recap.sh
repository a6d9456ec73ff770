#!/usr/bin/env bash
# Run a command ("$@") that runs many checks; where it fails, its last lines say which failed and why,
# as what is between them is tens of thousands of lines.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
log=.cache/recap.log
mkdir -p .cache
"$@" 2>&1 | tee "$log"
code=${PIPESTATUS[0]}
((code == 0)) || {
    echo "== what failed (the whole: $log)"
    sed 's/\x1b\[[0-9;]*m//g' "$log" |
        grep -aE '^(FAILED|ERROR|FATAL|E  |CRITICAL|ERROR:)|^fatal: |^make.*\*\*\* ' | grep -av 'ignoring' | cut -c1-600 | tail -n 80
}
exit "$code"
