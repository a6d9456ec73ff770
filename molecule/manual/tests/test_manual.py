# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Joined by hand, with the example inventory of the documentation: what check mode predicts is what
the run then does."""

from __future__ import annotations

from examples import Example
from lab_hosts import scenario_lab
from operations import can_log_in, changed, done, phases, together

LAB = scenario_lab()
HOSTS = sorted(LAB.addresses)
EXAMPLE = Example(LAB, "manual.yml", {f"192.0.2.1{n}": f"n{n}" for n in (1, 2, 3)})
FIRST, SECOND, THIRD = EXAMPLE.group("emqx")
PASSWORD = "Kept0over0all0changes"
# systemd and podman, whose service ends some seconds after the boot, keep state of their own there.
LISTING = (
    "find /etc /opt /usr/bin /usr/lib/systemd /var/lib /var/cache -newermt 2000-01-01 "
    "-printf '%p %m %u %T@\\n' | sort | grep -vE '^/var/lib/(systemd|dbus|private|containers|cni)'"
)
JOIN = "mqttops.emqx.emqx : Join the seed"


def site(*arguments: str) -> str:
    quick = {"EMQX_STANDIN_BOOT_SECONDS": "1"}
    return done(EXAMPLE.playbook("mqttops.emqx.site", *arguments, emqx_environment=quick))


def test_empty_hosts() -> None:
    before = LAB.outputs(LISTING)
    predicted = site("--check", "--diff")
    assert LAB.outputs(LISTING) == before
    assert "emqx.service would be enabled and started" in predicted
    assert 'cookie = "********"' in predicted
    output = site()
    assert phases(predicted) == phases(output)
    joins = {step for step in changed(output) if step[0] == JOIN}
    assert joins == {(JOIN, SECOND), (JOIN, THIRD)}
    assert {step for step in changed(predicted) if step[0] == JOIN} == joins
    together(LAB, *HOSTS)


def test_members_stay_as_they_are() -> None:
    LAB.emqx("n2", "ctl", "admins", "add", "keeper", PASSWORD, "")
    assert changed(site()) == set()
    together(LAB, *HOSTS)


def test_check_mode_names_each_task_that_then_changes_something() -> None:
    for host in ("n1", "n3"):
        assert "successfully" in LAB.emqx(host, "ctl", "cluster", "leave").stdout
    LAB.hosts["n1"].check_output(f"chmod 0644 {LAB.etc}/emqx.conf")
    EXAMPLE.group("emqx")[SECOND]["emqx_config"] = {"mqtt.max_packet_size": "2MB"}
    predicted = changed(site("--check"))
    # The node that holds data is the seed now, and not the first one.
    assert {step for step in predicted if step[0] == JOIN} == {(JOIN, FIRST), (JOIN, THIRD)}
    for host in HOSTS:
        together(LAB, host)
    assert changed(site()) == predicted
    together(LAB, *HOSTS)
    assert all(can_log_in(LAB, host, "keeper", PASSWORD) for host in HOSTS)
