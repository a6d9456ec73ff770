#!/usr/bin/env bash
# Run ansible-test sanity on a copy of the tracked files, as it wants a real
# ansible_collections/NAMESPACE/NAME checkout. $1: where to put the copy.
set -euo pipefail
cd "$(dirname "$0")/.."
tree=$1
export HOME=${tree%/ansible_collections/*}/home
mkdir -p "$HOME"

tests/tree.sh "$tree"
git -C "$tree" init --quiet
git -C "$tree" add --all

sanity() {
    (cd "$tree" && ansible-test sanity --local --requirements --python 3.11 --color no 2>&1) | tee "$HOME/log"
}

# ansible-test fetches pip's bootstrap script from a site of its own, which a machine with nothing
# but a package index does not reach; the pip that ships with Python serves there as well.
if ! sanity; then
    version=$(sed -nE 's/^Downloading pip ([0-9.]+) bootstrap script.*/\1/p' "$HOME/log" | head -n 1)
    bootstrap=$HOME/.ansible/test/cache/get_pip_${version//./_}.py
    if [[ -z $version || -e $bootstrap ]]; then exit 1; fi
    printf 'import ensurepip\nensurepip.bootstrap()\n' >"$bootstrap"
    sanity
fi
