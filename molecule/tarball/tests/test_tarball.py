# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""A deployment from a tar.gz ends where one from a package does."""

from __future__ import annotations

from lab_hosts import scenario_lab
from operations import changed, done, together

LAB = scenario_lab()
HOSTS = sorted(LAB.addresses)


def test_every_member_sees_exactly_the_members() -> None:
    together(LAB, *HOSTS)


def test_the_unit_runs_the_release_as_its_own_user() -> None:
    asked = "systemctl is-enabled emqx; systemctl is-active emqx; "
    asked += "cd /proc/$(systemctl show --property=MainPID --value emqx); stat -c %U .; "
    asked += "tr '\\0' ' ' <cmdline"
    for host, shown in LAB.outputs(asked).items():
        *found, command = shown.splitlines()
        assert found == ["enabled", "active", "emqx"], host
        assert LAB.root in command


def test_owners_and_modes() -> None:
    asked = f"stat -c '%U %G %a' {LAB.etc}/emqx.conf {LAB.data}; ls /opt"
    # Nothing is left of what the release was unpacked in.
    beside = ["emqx"] if LAB.unpacked else []
    for host, shown in LAB.outputs(asked).items():
        assert shown.splitlines() == ["root emqx 640", "emqx emqx 750", *beside], host


def test_a_change_restarts_it() -> None:
    change = {"emqx_config": {"mqtt.max_packet_size": "2MB"}}
    done(LAB.playbook("mqttops.emqx.site", **change))
    for host in HOSTS:
        assert "2MB" in LAB.emqx(host, "ctl", "conf", "show", "mqtt").stdout
    assert changed(done(LAB.playbook("mqttops.emqx.site", **change))) == set()
