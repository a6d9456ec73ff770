# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""A change is predicted, shown without secrets, and made one node after the other.

One test after the other: each starts where the one before it ended.
"""

from __future__ import annotations

import re
import subprocess
import sys

from examples import Example
from lab_hosts import ROOT, scenario_lab
from operations import carried_out, done, is_ready, planned, together, wait_for

LAB = scenario_lab()
HOSTS = sorted(LAB.addresses)
EXAMPLE = Example(LAB, "three-cores.yml", {f"192.0.2.1{n}": f"n{n}" for n in (1, 2, 3)})
# The first is what the example wants.
CHANGE = {
    "emqx_config": {"mqtt.max_packet_size": "2MB"},
    "emqx_environment": {"EMQX_LOG__CONSOLE__ENABLE": "false"},
}
NEW_COOKIE = {"emqx_cookie": "AnotherCookieOfTwentyChars", "emqx_allow_full_restart": True}


def changes(output: str) -> dict[str, int]:
    return {
        host: int(count)
        for host, count in re.findall(r"^(n\d+) .*changed=(\d+)", output, re.MULTILINE)
    }


def files_of(plan: list[dict[str, str]], host: str) -> set[str]:
    """Return the files that a plan writes on a host."""
    texts = [step["text"] for step in plan if step["host"] == host]
    found = [re.match(r"(?:create|write) (/[^\s:]+)", text) for text in texts]
    return {match.group(1) for match in found if match}


def times() -> dict[str, list[int]]:
    """Return when each node began to start, and when it was up."""
    shown = LAB.outputs(
        "systemctl show --value --property=InactiveExitTimestampMonotonic,"
        "ActiveEnterTimestampMonotonic emqx"
    )
    return {host: [int(line) for line in text.split()] for host, text in shown.items()}


def test_check_mode_shows_the_change_without_secrets_and_makes_none() -> None:
    before, started = LAB.outputs(f"sha256sum {LAB.etc}/emqx.conf"), times()
    result = LAB.playbook("mqttops.emqx.site", "--check", "--diff", "-vvv", **CHANGE, **NEW_COOKIE)
    output = done(result)
    assert '+  max_packet_size = "2MB"' in output
    assert '+  cookie = "******** (changed)"' in output
    cookie = (ROOT / ".cache/lab" / LAB.name / "emqxcl.cookie").read_text(encoding="utf-8")
    for secret in (cookie.split()[0], NEW_COOKIE["emqx_cookie"]):
        # The command line of ansible-playbook holds what this test gave it there.
        assert str(secret) not in output + result.stderr
    assert all(count > 0 for count in changes(output).values())
    assert LAB.outputs(f"sha256sum {LAB.etc}/emqx.conf") == before
    assert times() == started


def test_nodes_restart_one_after_the_other_also_after_a_killed_run() -> None:
    first = LAB.hosts[HOSTS[0]]
    first.check_output(
        "nft add table inet foreign; nft add chain inet foreign input '{ type filter hook input "
        "priority 0; }'; nft add rule inet foreign input tcp dport 9 drop; "
        "nft delete table inet mqttops_emqx"
    )
    foreign = first.check_output("nft list table inet foreign")
    # A run that died between writing the files and restarting the node leaves this behind.
    only = {"emqx_phases": ["configure"]}
    done(LAB.playbook("mqttops.emqx.site", f"--limit={HOSTS[0]}", **only, **CHANGE))
    started = times()
    plan = planned(LAB, "mqttops.emqx.site", **CHANGE)
    LAB.outputs("touch /root/marker")
    output = done(LAB.playbook("mqttops.emqx.site", "-vv", **CHANGE))
    again = times()
    assert all(again[host] > started[host] for host in HOSTS)
    # What was planned is what was done, and each node was up before the next one went down.
    assert carried_out(output) == {(step["kind"], step["host"]) for step in plan}
    restarts = [step["host"] for step in plan if step["kind"] == "restart"]
    assert [again[host] for host in restarts] == sorted(again.values())
    written = f"find {LAB.etc} /etc/mqttops-emqx /etc/sysctl.d -newer /root/marker -type f"
    for host, shown in LAB.outputs(written).items():
        assert set(shown.split()) == files_of(plan, host), host
    for host in HOSTS:
        assert LAB.emqx(host, "ctl", "conf", "show", "mqtt").stdout.count("2MB") == 1
    assert first.check_output("nft list table inet foreign") == foreign
    assert "mqttops_emqx" in first.check_output("nft list tables; nft delete table inet foreign")


def test_a_rebooted_host_comes_back_by_itself() -> None:
    host = HOSTS[-1]
    reboot = [sys.executable, str(ROOT / "tests/lab/lab.py"), "restart", host, "--name", LAB.name]
    subprocess.run(reboot, check=True, capture_output=True)
    wait_for(lambda: is_ready(LAB, host), 120)
    assert "mqttops_emqx" in LAB.hosts[host].check_output("nft list tables")
    assert planned(LAB, "mqttops.emqx.site", **CHANGE) == []
    assert changes(done(LAB.playbook("mqttops.emqx.site", **CHANGE))) == dict.fromkeys(HOSTS, 0)
    together(LAB, *HOSTS)


def test_the_example_of_the_documentation_with_a_new_cookie_and_consent() -> None:
    given = {"emqx_environment": CHANGE["emqx_environment"], **NEW_COOKIE}
    done(EXAMPLE.playbook("mqttops.emqx.site", **given))
    together(LAB, *HOSTS)
    # The dashboard is open to the network of the example only.
    rules = LAB.outputs(f"nft list table inet mqttops_emqx; cat {LAB.etc}/emqx.conf")
    for host, shown in rules.items():
        assert "198.51.100.0/24" in shown, host
        assert 'cookie = "AnotherCookieOfTwentyChars"' in shown, host
