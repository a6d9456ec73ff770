#!/usr/bin/env bash
# Write CHANGELOG.md from the releases and the fragments of the coming one. The release itself, which
# takes up the fragments, happens in a copy only. $1: where to put the copy.
set -euo pipefail
cd "$(dirname "$0")/.."
checkout=$PWD
copy=$1
tests/tree.sh "$copy"
cd "$copy"
if ! grep --quiet "^  $(sed -n 's/^version: //p' galaxy.yml):" changelogs/changelog.yaml; then
    # The copy has no history of its own to look plugins up in.
    git init --quiet
    antsibull-changelog release
else
    antsibull-changelog generate
fi
cp CHANGELOG.md "$checkout/CHANGELOG.md"
