# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""All nodes stop and start together with another cookie, or with TLS, and keep their data.

One test after the other: each starts where the one before it ended.
"""

from __future__ import annotations

import typing as t
from pathlib import Path

from lab_hosts import scenario_lab
from operations import can_log_in, changed, done, has_finding, killed, planned, refused, together

LAB = scenario_lab()
HOSTS = sorted(LAB.addresses)
COOKIE = LAB.inventory.parent / "emqxcl.cookie"
NEXT = COOKIE.with_suffix(".cookie.next")
PASSWORD = "Keeper-of-data-1"
VARIABLES: dict[str, t.Any] = {"emqx_environment": {"EMQX_STANDIN_BOOT_SECONDS": "1"}}
CONSENT = {"emqx_allow_full_restart": True}
TLS = {"emqx_dist_tls": True, "emqx_tls_ca_passphrase": "not a secret of anybody"}


def run(playbook: str, *arguments: str, **variables: t.Any) -> t.Any:
    return LAB.playbook(f"mqttops.emqx.{playbook}", *arguments, **{**VARIABLES, **variables})


def pids() -> dict[str, str]:
    return LAB.outputs("systemctl show --value --property=MainPID emqx.service")


def cookie() -> str:
    return COOKIE.read_text(encoding="utf-8").strip()


def has_cookie(text: str, *hosts: str) -> bool:
    """Tell whether the files of these hosts have a cookie."""
    return all(
        text in LAB.hosts[host].file(f"{LAB.etc}/emqx.conf").content_string for host in hosts
    )


def is_healthy(**variables: t.Any) -> None:
    """All are one cluster with the cookie that is kept, hold the data, and wait for nothing."""
    together(LAB, *HOSTS)
    assert has_cookie(cookie(), *HOSTS)
    assert can_log_in(LAB, "n3", "keeper", PASSWORD)
    assert not NEXT.exists()
    assert COOKIE.stat().st_mode & 0o777 == 0o600
    assert changed(done(run("site", **variables))) == set()


def test_build() -> None:
    done(run("site"))
    assert LAB.emqx("n1", "ctl", "admins", "add", "keeper", PASSWORD).stdout.strip() == "ok"
    is_healthy()


def test_nothing_is_touched_without_consent() -> None:
    before, old = pids(), cookie()
    text = refused(run("rotate_cookie"))
    assert has_finding(text, "full_restart", "Cluster, emqx_allow_full_restart", "node.cookie")
    steps = planned(LAB, "mqttops.emqx.rotate_cookie", **VARIABLES, **CONSENT)
    assert {(step["kind"], step["host"]) for step in steps} >= {("configure", h) for h in HOSTS}
    done(run("rotate_cookie", "--check", **CONSENT))
    assert (pids(), cookie()) == (before, old)
    is_healthy()


def test_a_new_cookie_for_all() -> None:
    before, old = pids(), cookie()
    result = run("rotate_cookie", "-vvv", "--diff", **CONSENT)
    output = done(result)
    assert all(pids()[host] != before[host] for host in HOSTS)
    assert cookie() != old
    for secret in (old, cookie()):
        assert secret not in output + result.stderr
    is_healthy()


def test_a_run_that_was_cut_short_is_finished_by_the_same_command(tmp_path: Path) -> None:
    old = cookie()

    def moment() -> bool:
        """Some hosts have the new cookie in their files."""
        coming = NEXT.read_text(encoding="utf-8").strip() if NEXT.exists() else ""
        return bool(coming) and any(has_cookie(coming, host) for host in HOSTS)

    killed(lambda: run("rotate_cookie", **CONSENT), tmp_path / "log", moment)
    assert (cookie(), NEXT.exists()) == (old, True)
    coming = NEXT.read_text(encoding="utf-8").strip()
    text = refused(run("site"))
    assert has_finding(text, "cookie_rotation", "Cluster, emqx_cookie_file", "rotate_cookie")
    done(run("rotate_cookie", **CONSENT))
    assert cookie() == coming
    is_healthy()


def test_tls_between_the_nodes_is_switched_on() -> None:
    old = cookie()
    only = {**TLS, "emqx_new_cookie": False}
    text = refused(run("rotate_cookie", **only))
    assert has_finding(text, "full_restart", "Cluster, emqx_allow_full_restart"), text
    done(run("rotate_cookie", **only, **CONSENT))
    assert cookie() == old
    shown = LAB.outputs(f"cat {LAB.etc}/emqx.conf")
    assert all("inet_tls" in text for text in shown.values())
    is_healthy(**TLS)
