#!/usr/bin/env bash
# Copy what belongs to the checkout, tracked or new, to the directory $1: nothing that Git ignores.
set -euo pipefail
cd "$(dirname "$0")/.."
tree=$1

rm -rf "$tree"
mkdir -p "$tree"
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
    # A file may be in the index and gone from the work tree.
    if [[ -e $file ]]; then printf '%s\0' "$file"; fi
done | tar --create --null --files-from - | tar --extract --directory "$tree"
