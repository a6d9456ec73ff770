# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""All nodes down, by plan and by accident, and back; one node out of service, test after test."""

from __future__ import annotations

import re
import subprocess
import time
import typing as t

from lab_hosts import ROOT, scenario_lab
from operations import changed, done, is_ready, refused, together, wait_for

LAB = scenario_lab()
HOSTS = ("n1", "n2", "n3")
USER = ("ctl", "admins", "add", "kept", "Kept0password")


def run(playbook: str, *arguments: str, **variables: t.Any) -> subprocess.CompletedProcess[str]:
    own = f"--inventory={ROOT / 'tests/inventory/outage.yml'}"
    return LAB.playbook(f"mqttops.emqx.{playbook}", own, *arguments, **variables)


def active() -> dict[str, str]:
    # A unit that is not active makes systemctl fail.
    return {
        host: text.strip()
        for host, text in LAB.outputs("systemctl is-active emqx || true", *HOSTS).items()
    }


def stopped_at() -> dict[str, int]:
    command = "systemctl show --value --property=InactiveEnterTimestampMonotonic emqx"
    return {host: int(text) for host, text in LAB.outputs(command, *HOSTS).items()}


def has_user(host: str) -> bool:
    """Tell whether a node has what was written before the outage: a second user of that name is
    refused."""
    return "already_exist" in LAB.emqx(host, *USER).stdout


def is_whole() -> None:
    together(LAB, *HOSTS)
    assert all(is_ready(LAB, host) for host in HOSTS)
    assert all(has_user(host) for host in HOSTS)


def test_a_stop_is_shown_and_then_done_in_its_order() -> None:
    assert "ok" in LAB.emqx("n2", *USER).stdout
    shown = done(run("stop", emqx_plan_only=True))
    assert re.findall(r"\d\. (n\d): stop", shown) == ["n3", "n2", "n1"]
    predicted = changed(done(run("stop", "--check")))
    assert {host for _task, host in predicted} == set(HOSTS)
    assert set(active().values()) == {"active"}
    done(run("stop"))
    assert set(active().values()) == {"inactive"}
    times = stopped_at()
    assert times["n3"] < times["n2"] < times["n1"]
    assert changed(done(run("stop"))) == set()


def test_a_start_that_waits_in_vain_ends_at_once() -> None:
    # It stopped first, and so waits for what the others may have written after it.
    began = time.monotonic()
    result = run("site", "--limit=n3")
    taken = time.monotonic() - began
    text = " ".join((result.stdout + result.stderr).split())
    assert result.returncode != 0
    assert "which nothing starts now: start all cores together" in text
    # While it waited, it said for what.
    assert re.search(r"waiting: \[n3\]: .* \(for up to \d+ s more\)", text)
    # Half a minute, the boot and a slow machine, but not the six minutes of the whole wait.
    assert taken < 200, f"{taken:.0f} s"


def test_a_start_of_all_brings_the_cluster_back() -> None:
    done(run("start"))
    is_whole()
    assert changed(done(run("start"))) == set()


def test_all_nodes_are_killed() -> None:
    LAB.outputs("systemctl kill --signal=KILL emqx; systemctl stop emqx", *HOSTS)
    wait_for(lambda: "active" not in active().values(), 60)
    done(run("start"))
    is_whole()


def test_a_node_that_lost_its_disk_gets_the_data_of_the_others() -> None:
    done(run("stop"))
    LAB.hosts["n2"].check_output(f"find {LAB.data} -mindepth 1 -delete")
    # The others would keep it out as a member that comes back without what it had.
    shown = done(run("start"))
    assert "WARNING [no_database] Host n2" in shown
    assert active() == {"n1": "active", "n2": "inactive", "n3": "active"}
    assert "-e emqx_recover_from=n1" in shown_by_recover()
    done(run("recover", emqx_recover_from="n1"))
    is_whole()


def test_the_cluster_goes_on_without_the_node_that_stopped_last() -> None:
    done(run("stop"))
    command = "systemctl start --no-block emqx"
    LAB.outputs(command, "n2", "n3")
    rest = "--limit=n2,n3"
    wait_for(lambda: "Nodes wait for tables" in shown_by_recover(rest), 120)
    text = shown_by_recover(rest)
    assert "Nodes wait for tables of" in text and LAB.node_name("n1") in text
    # n2 stopped after n3.
    assert re.search(r"n2 \(\S+\): stopped at \S+, the last of these; waits for", text)
    assert not is_ready(LAB, "n2")
    done(run("recover", rest, emqx_recover_from="n2"))
    assert all(is_ready(LAB, host) and has_user(host) for host in ("n2", "n3"))
    # The one that was away comes back to what the others have.
    done(run("start"))
    is_whole()


def test_parts_that_ran_on_without_each_other_are_put_together_as_chosen() -> None:
    alone = LAB.node_name("n3")
    ports = 'iifname != "lo" tcp {} {{ 4370, 5370 }} drop'
    LAB.hosts["n3"].check_output(
        "nft add table inet cut; nft add chain inet cut input '{ type filter hook input priority "
        f"-10; }}'; nft 'add rule inet cut input {ports.format('dport')}'; "
        f"nft 'add rule inet cut input {ports.format('sport')}'"
    )
    wait_for(lambda: LAB.view("n3")["running_nodes"] == [alone], 120)
    wait_for(lambda: all(LAB.view(h)["stopped_nodes"] == [alone] for h in ("n1", "n2")), 120)
    assert "ok" in LAB.emqx("n3", "ctl", "admins", "add", "apart", "Apart0password").stdout
    LAB.hosts["n3"].check_output("nft delete table inet cut")
    text = shown_by_recover()
    assert "The cluster runs in 2 parts" in text
    assert "-e emqx_recover_from=n1. Lost is what was written on n3 alone" in text
    output = done(run("recover", emqx_recover_from="n1"))
    is_whole()
    # What it held alone is gone from the cluster, and kept beside its data.
    assert "ok" in LAB.emqx("n3", "ctl", "admins", "add", "apart", "Apart0password").stdout
    kept = LAB.hosts["n3"].check_output(f"ls -d {LAB.data}/mnesia-aside-{alone}-*")
    assert kept.splitlines()[0] in " ".join(output.split())


def shown_by_recover(*arguments: str) -> str:
    """Return what the playbook shows without a choice, in one line."""
    result = run("recover", *arguments)
    assert changed(done(result)) == set()
    return " ".join(result.stdout.split())


def test_a_node_is_drained_and_brought_back() -> None:
    done(run("drain_node", emqx_drain_host="n2"))
    assert active() == {"n1": "active", "n2": "inactive", "n3": "active"}
    assert LAB.outputs("systemctl is-enabled emqx || true", "n2")["n2"].strip() == "disabled"
    seen = LAB.view("n1")
    assert seen["stopped_nodes"] == [LAB.node_name("n2")]
    done(run("drain_node", emqx_drain_host="n2", emqx_drain_state="serving"))
    is_whole()
    assert LAB.outputs("systemctl is-enabled emqx", "n2")["n2"].strip() == "enabled"


def test_what_an_edition_cannot_do_is_refused() -> None:
    text = refused(run("drain_node", emqx_drain_host="n2", emqx_drain_state="evacuated"))
    assert "ERROR [no_evacuation] Host n2, emqx_drain_state" in text
    assert "ERROR [no_member]" in refused(run("drain_node", emqx_drain_host="n9"))
