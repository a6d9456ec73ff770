#!/usr/bin/env bash
# Import the archive $1 as Ansible Galaxy does, offline. $2: the virtual environment of the importer.
# Its exit code alone is not enough: what it logs as an error is one, too.
set -euo pipefail
archive=$(realpath "$1")
venv=$(realpath "$2")
scratch=$(mktemp --directory)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

# Neither the checkout's configuration nor its collections, as Galaxy has none of them.
unset ANSIBLE_CONFIG ANSIBLE_COLLECTIONS_PATH
export PATH=$venv/bin:$PATH HOME=$scratch ANSIBLE_HOME=$scratch/ansible
export GALAXY_IMPORTER_ANSIBLE_LOCAL_TMP=$scratch/tmp
python -m galaxy_importer.main "$archive" 2>&1 | tee log
if grep --quiet 'ERROR' log; then
    echo "galaxy-importer logged errors." >&2
    exit 1
fi
