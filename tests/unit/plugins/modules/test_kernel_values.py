# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mqttops.emqx.plugins.module_utils._host import sysctls
from ansible_collections.mqttops.emqx.plugins.modules import kernel_values

SOMAXCONN, BUSY = "net.core.somaxconn", "net.core.busy_read"


class Kernel:
    """A kernel that caps all values at 16384, and a sysctl file of ours."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.file = folder / "ours.conf"
        self.file.write_text(f"{SOMAXCONN} = 32768\n{BUSY} = 50\n")
        self.set(SOMAXCONN, "4096")
        self.set(BUSY, "0")
        self.capsys = capsys

    def path(self, key: str, _proc: str = "") -> str:
        return str(self.folder / key)

    def value(self, key: str, _proc: str = "") -> str | None:
        path = Path(self.path(key))
        return str(min(16384, int(path.read_text()))) if path.is_file() else None

    def set(self, key: str, value: str) -> None:
        Path(self.path(key)).write_text(value)

    def run(self, check: bool = False, more: t.Mapping[str, str] | None = None) -> dict[str, t.Any]:
        options = {
            "values": {SOMAXCONN: "32768", BUSY: 50, **(more or {})},
            "file": str(self.file),
            "_ansible_check_mode": check,
        }
        with patch_module_args(options), pytest.raises(SystemExit):
            kernel_values.main()
        return dict(json.loads(self.capsys.readouterr().out))


@pytest.fixture(name="kernel")
def _kernel(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Kernel:
    kernel = Kernel(tmp_path, capsys)
    monkeypatch.setattr(sysctls, "path_of", kernel.path)
    monkeypatch.setattr(sysctls, "value_of", kernel.value)
    return kernel


def test_set_and_noted_what_was_not_kept(kernel: Kernel) -> None:
    result = kernel.run()
    assert result["changed"]
    assert result["live"] == {SOMAXCONN: "16384", BUSY: "50"}
    assert result["diff"] == {
        "before": {SOMAXCONN: "4096", BUSY: "0"},
        "after": {SOMAXCONN: "16384", BUSY: "50"},
    }
    assert kernel.file.read_text() == (
        f"{SOMAXCONN} = 32768\n# Kept by the kernel: {SOMAXCONN} = 16384\n{BUSY} = 50\n"
    )


def test_a_second_run_changes_nothing(kernel: Kernel) -> None:
    kernel.run()
    before = kernel.file.read_text()
    assert not kernel.run()["changed"]
    assert kernel.file.read_text() == before
    kernel.set(SOMAXCONN, "128")
    assert kernel.run()["changed"]


def test_check_mode_changes_nothing(kernel: Kernel) -> None:
    result = kernel.run(check=True)
    assert (result["changed"], result["live"][SOMAXCONN]) == (True, "32768")
    assert kernel.value(SOMAXCONN) == "4096"
    assert "Kept" not in kernel.file.read_text()


def test_what_the_kernel_refuses_is_named(kernel: Kernel) -> None:
    Path(kernel.path("net.x")).mkdir()
    result = kernel.run(more={"net.x": "1"})
    assert result["msg"] == "The kernel refuses net.x = 1 (Is a directory)."
    assert kernel.value(BUSY) == "50"


def test_without_a_file_nothing_is_noted(kernel: Kernel) -> None:
    kernel.file.unlink()
    assert kernel.run()["changed"]
    assert not kernel.file.exists()
