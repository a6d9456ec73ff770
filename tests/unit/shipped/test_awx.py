# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What docs/awx.md shows works: encrypted group_vars, and what an execution environment gets."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import shipped
import yaml

VAULT = shipped.ROOT / "docs/examples/vault"
PAGES = sorted(path.name for path in (shipped.ROOT / "docs").glob("*.md"))


def test_the_secrets_of_the_example_are_read_from_the_encrypted_file(tmp_path: Path) -> None:
    example = tmp_path / "vault"
    shutil.copytree(VAULT, example)
    password = tmp_path / "password"
    password.write_text("a password\n", encoding="utf-8")
    unlock = ["--vault-password-file", str(password)]
    secrets = example / "group_vars/emqx/vault.yml"
    subprocess.run(
        ["ansible-vault", "encrypt", *unlock, str(secrets)], check=True, capture_output=True
    )
    assert secrets.read_text(encoding="utf-8").startswith("$ANSIBLE_VAULT;")

    shown = "{{ emqx_cookie }}/{{ emqx_tls_ca }}/{{ emqx_tls_certificate }}/{{ emqx_tls_key }}"
    asked = ["ansible", "emqx", "-i", str(example / "inventory.yml"), "-m", "ansible.builtin.debug"]
    command = [*asked, *unlock, "-a", f"msg={shown}"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.count("SUCCESS") == 3
    assert done.stdout.count("REPLACE_WITH_A_RANDOM_TEXT/PEM of the CA") == 3


def test_no_secret_stands_outside_of_the_vault() -> None:
    readable = yaml.safe_load((VAULT / "group_vars/emqx/main.yml").read_text(encoding="utf-8"))
    hidden = yaml.safe_load((VAULT / "group_vars/emqx/vault.yml").read_text(encoding="utf-8"))
    used = set(re.findall(r"\bvault_\w+", str(readable)))
    assert used == hidden.keys()


def test_an_execution_environment_finds_what_the_collection_asks_for() -> None:
    meta = shipped.ROOT / "meta/execution-environment.yml"
    asked = yaml.safe_load(meta.read_text(encoding="utf-8"))
    assert asked["version"] == 3
    assert asked["dependencies"] == {"python": "requirements.txt", "system": "bindep.txt"}
    for name in asked["dependencies"].values():
        lines = (shipped.ROOT / name).read_text(encoding="utf-8").splitlines()
        assert [line for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("page", PAGES)
def test_what_is_shown_as_yaml_is_yaml(page: str) -> None:
    text = (shipped.ROOT / "docs" / page).read_text(encoding="utf-8")
    for block in re.findall(r"^```yaml\n(.*?)^```", text, re.M | re.S):
        assert yaml.safe_load(block) is not None
