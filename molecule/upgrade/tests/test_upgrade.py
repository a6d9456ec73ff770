# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""A cluster that gets another version: refusals, a release that does not boot, runs that are cut
short, test after test.

On the vendor's packages it needs two debs: EMQX_PACKAGE_OLD, and EMQX_PACKAGE of a newer version.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import typing as t
from pathlib import Path

import pytest
from lab_hosts import ROOT, scenario_lab
from licenses import license_key
from operations import can_log_in, changed, done, has_finding, is_ready, killed, refused, together
from repacked import BROKEN, STRICT, repacked

NEW_GIVEN, OLD_GIVEN = os.environ.get("EMQX_PACKAGE", ""), os.environ.get("EMQX_PACKAGE_OLD", "")
if NEW_GIVEN and not OLD_GIVEN:
    pytest.skip("needs EMQX_PACKAGE_OLD, a deb of an older version", allow_module_level=True)
if "://" in NEW_GIVEN + OLD_GIVEN or NEW_GIVEN.endswith(".tar.gz"):
    pytest.skip("needs EMQX_PACKAGE and EMQX_PACKAGE_OLD as files, debs", allow_module_level=True)


def package(given: str, stand_in: str) -> Path:
    return Path(given) if given else next((ROOT / ".cache/packages").glob(f"{stand_in}-*.deb"))


def version(path: Path) -> str:
    found = re.search(r"\d+\.\d+\.\d+", path.name)
    assert found
    return found[0]


LAB = scenario_lab()
HOSTS = sorted(LAB.addresses)
NEW_PACKAGE, OLD_PACKAGE = package(NEW_GIVEN, "emqx-5.8.9"), package(OLD_GIVEN, "emqx-5.8.8")
NEW, OLD = version(NEW_PACKAGE), version(OLD_PACKAGE)
VARIABLES: dict[str, t.Any] = {
    "emqx_environment": {"EMQX_STANDIN_BOOT_SECONDS": "1"},
    "emqx_tuning_enabled": False,
}
USER, PASSWORD = "keeper", "Kept0over1versions"
STATE = "systemctl show --value --property=MainPID emqx; dpkg-query --show emqx"


def run(
    playbook: str, *arguments: str, file: Path = NEW_PACKAGE, **variables: t.Any
) -> subprocess.CompletedProcess[str]:
    given = {"emqx_package": str(file), "emqx_version": version(file), **VARIABLES, **variables}
    return LAB.playbook(f"mqttops.emqx.{playbook}", *arguments, **given)


def upgrade(*arguments: str, **variables: t.Any) -> subprocess.CompletedProcess[str]:
    return run("upgrade", *arguments, **variables)


def versions() -> dict[str, str]:
    """Return which version each node says that it runs."""
    said = {host: LAB.emqx(host, "ctl", "broker").stdout for host in HOSTS}
    return {
        host: (re.findall(r"version\s*:\s*([0-9.]+)", text) or [""])[0]
        for host, text in said.items()
    }


def is_healthy(**expected: str) -> None:
    together(LAB, *HOSTS)
    assert all(is_ready(LAB, host) for host in HOSTS)
    assert versions() == expected
    assert all(can_log_in(LAB, host, USER, PASSWORD) for host in HOSTS)


def test_build() -> None:
    done(run("site", file=OLD_PACKAGE))
    added = LAB.emqx("n1", "ctl", "admins", "add", USER, PASSWORD)
    assert added.rc == 0, added.stdout + added.stderr
    is_healthy(n1=OLD, n2=OLD, n3=OLD)


def test_site_names_the_upgrade() -> None:
    text = refused(run("site"))
    assert has_finding(
        text, "other_version", "Host n1, emqx_version", f"found: EMQX {OLD} installed"
    )
    assert "run the playbook upgrade" in text


@pytest.mark.parametrize("show", [["--check"], ["-e", '{"emqx_plan_only": true}']])
def test_the_order_is_shown_and_nothing_done(show: list[str]) -> None:
    before = LAB.outputs(STATE)
    output = done(upgrade(*show))
    assert re.findall(rf"\d\. (n\d): upgrade \S+ from {OLD} to {NEW}", output) == HOSTS
    predicted = {host for _task, host in changed(output)}
    assert predicted == (set(HOSTS) if show == ["--check"] else set())
    assert LAB.outputs(STATE) == before


def test_what_is_refused_before_anything_is_touched(tmp_path: Path) -> None:
    before = LAB.outputs(STATE)
    text = refused(upgrade(emqx_config={"mqtt.max_packet_size": "2MB"}))
    assert has_finding(text, "config_waits", "Hosts n1, n2, n3", f"-e emqx_version={OLD} first")
    text = refused(upgrade("--limit=n1,n2"))
    assert has_finding(text, "upgrade_limited", "Cluster", "found: a run without n3")
    newer = tmp_path / "emqx-enterprise-5.10.4-debian12-amd64.deb"
    newer.write_bytes(b"not opened, as it is refused before")
    text = refused(upgrade(file=newer))
    assert has_finding(text, "license_needed", "Cluster, emqx_license")
    text = refused(run("upgrade", file=OLD_PACKAGE, emqx_version="5.7.2"))
    assert has_finding(text, "other_version", "Host n1, emqx_version", f"set emqx_version to {OLD}")
    assert LAB.outputs(STATE) == before


def test_a_release_that_refuses_the_configuration_stops_nobody(tmp_path: Path) -> None:
    before = LAB.outputs(STATE)
    result = upgrade(file=repacked(NEW_PACKAGE, tmp_path, STRICT))
    assert result.returncode != 0
    assert "this release takes no such configuration" in " ".join(result.stdout.split())
    assert LAB.outputs(STATE) == before


def test_a_release_that_does_not_boot_is_rolled_back(tmp_path: Path) -> None:
    before = LAB.outputs(STATE)
    result = upgrade(file=repacked(NEW_PACKAGE, tmp_path, BROKEN), emqx_ready_timeout=30)
    text = " ".join((result.stdout + result.stderr).split())
    assert result.returncode != 0
    assert f"{LAB.node_name('n1')} was rolled back to {OLD}, the others are as they were" in text
    assert "the same command goes on" in text
    after = LAB.outputs(STATE)
    assert {host: after[host] for host in ("n2", "n3")} == {
        host: before[host] for host in ("n2", "n3")
    }
    assert after["n1"].split()[1:] == before["n1"].split()[1:]
    is_healthy(n1=OLD, n2=OLD, n3=OLD)
    # What it had in between is not lost.
    aside = LAB.hosts["n1"].file("/var/lib/emqx/.mqttops-aside/mnesia")
    assert aside.is_directory
    # And what only root may see is seen by nobody else.
    modes = LAB.outputs("stat -c %a /var/lib/mqttops-emqx/upgrade/emqx", "n1")
    assert modes == {"n1": "700"}


def is_down(host: str) -> bool:
    return str(LAB.hosts[host].run("systemctl is-active emqx").stdout).strip() != "active"


def has_new(host: str) -> bool:
    shown = LAB.hosts[host].run("dpkg-query --show --showformat='${Version}' emqx").stdout
    return str(shown).startswith(NEW)


def test_runs_that_are_killed_are_finished_by_the_same_command(tmp_path: Path) -> None:
    # While the first node is down, and once the second one has the new release and is not back.
    killed(upgrade, tmp_path / "first.log", lambda: is_down("n1"))
    killed(upgrade, tmp_path / "second.log", lambda: has_new("n2") and not is_ready(LAB, "n2"))
    assert not has_new("n3")
    output = done(upgrade())
    assert "n1" not in {host for task, host in changed(output) if task.endswith("Stop the node")}
    is_healthy(n1=NEW, n2=NEW, n3=NEW)


def test_a_second_run_changes_nothing() -> None:
    assert changed(done(upgrade())) == set()
    assert changed(done(run("site"))) == set()
    is_healthy(n1=NEW, n2=NEW, n3=NEW)
    copies = LAB.outputs("cat /var/lib/mqttops-emqx/upgrade/emqx/manifest.json")
    assert {json.loads(text)["version"] for text in copies.values()} == {OLD}


def test_the_open_source_edition_goes_on_as_the_other_one() -> None:
    given = os.environ.get("EMQX_ENTERPRISE_PACKAGE", "")
    if NEW_GIVEN and not (given and os.environ.get("EMQX_LICENSE_KEY")):
        pytest.skip("needs EMQX_ENTERPRISE_PACKAGE, a deb of 5.9 or newer, and EMQX_LICENSE_KEY")
    newest = package(given, "emqx-enterprise-5.10.4")
    key = os.environ.get("EMQX_LICENSE_KEY") or license_key("Upgrade")
    output = done(upgrade(file=newest, emqx_license=key))
    assert key not in output
    is_healthy(**dict.fromkeys(HOSTS, version(newest)))
    shown = LAB.outputs("dpkg-query --show --showformat='${Package} ${db:Status-Status}' 'emqx*'")
    assert all("emqx-enterprise installed" in text for text in shown.values())
    assert changed(done(run("site", file=newest, emqx_license=key))) == set()
