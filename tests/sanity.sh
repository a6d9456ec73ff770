#!/usr/bin/env bash
# Run ansible-test sanity on a copy of the tracked files, as it wants a real
# ansible_collections/NAMESPACE/NAME checkout. $1: where to put the copy.
# Modules are compiled and loaded by each Python of hosts that this machine has, 3.8 to 3.13.
set -euo pipefail
cd "$(dirname "$0")/.."
tree=$1

home=${tree%/ansible_collections/*}/home
mkdir -p "$home/bin"

targets=()
for version in 3.8 3.9 3.10 3.12 3.13; do
    for python in "$(command -v "python$version")" ~/.pyenv/versions/"$version".*/bin/"python$version"; do
        # Itself, as what stands on the path may be a script that looks into the home.
        if path=$("$python" -c 'import sys; print(sys.executable)' 2>/dev/null); then
            ln -sfn "$path" "$home/bin/python$version"
            targets+=(--target-python "$version@$home/bin/python$version")
            break
        fi
    done
done
# ansible-test looks for them on the path, where such scripts would be first.
export PATH=$home/bin:$PATH HOME=$home

tests/tree.sh "$tree"
git -C "$tree" init --quiet
git -C "$tree" add --all

run() {
    # Chained, as nothing else ends it where the caller asks whether it failed.
    cd "$tree" && ansible-test sanity --local --requirements --python 3.11 --color no &&
        if ((${#targets[@]})); then
            ansible-test sanity --test import --test compile --requirements --color no "${targets[@]}"
        fi
}

sanity() {
    (run 2>&1) | tee "$HOME/log"
}

# ansible-test fetches pip's bootstrap script from a site of its own, one for each pip that a Python
# takes, which a machine with nothing but a package index does not reach; the pip that ships with
# Python serves there as well.
until sanity; do
    version=$(sed -nE 's/^Downloading pip ([0-9.]+) bootstrap script.*/\1/p' "$HOME/log" | tail -n 1)
    bootstrap=$HOME/.ansible/test/cache/get_pip_${version//./_}.py
    if [[ -z $version || -e $bootstrap ]]; then exit 1; fi
    printf 'import ensurepip\nensurepip.bootstrap()\n' >"$bootstrap"
done
