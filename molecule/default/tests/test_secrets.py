# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""No secret of a run shows in what playbooks print, at their most talkative, or to other users."""

from __future__ import annotations

import typing as t

import pytest
from lab_hosts import ROOT, scenario_lab

LAB = scenario_lab()
SECRETS = {
    "emqx_cookie": "S3cretCookieOfThisTest77",
    "emqx_dashboard_password": "S3cretDashboard77",
    "emqx_environment": {"EMQX_DASHBOARD__DEFAULT_PASSWORD": "S3cretEnvironment77"},
    "emqx_config": {"dashboard.default_password": "S3cretConfiguration77"},
    "emqx_tls_ca_passphrase": "S3cretPassphrase77",
    "emqx_k8s_token": "S3cretToken77",
}
MARK = "S3cret"


@pytest.mark.parametrize("playbook", ["site", "plan", "preflight", "status", "doctor"])
def test_no_output_holds_a_secret(playbook: str) -> None:
    variables: dict[str, t.Any] = {**SECRETS, "emqx_allow_full_restart": True}
    arguments = ["-vvv", "--diff", *(["--check"] if playbook == "site" else [])]
    result = LAB.playbook(f"mqttops.emqx.{playbook}", *arguments, **variables)
    # The values themselves were given on the command line, which -vvv does not show.
    assert MARK not in result.stdout + result.stderr
    assert "PLAY RECAP" in result.stdout


def test_what_is_made_shows_in_no_output_and_to_no_other_user() -> None:
    store = ROOT / ".cache" / "lab" / LAB.name
    cookie = (store / "emqxcl.cookie").read_text(encoding="utf-8").split()[0]
    password = (store / "emqxcl.dashboard-password").read_text(encoding="utf-8").split()[0]
    for playbook in ("site", "status", "doctor"):
        # Another test gave the nodes another cookie: site gives them the kept one again.
        consent = {"emqx_allow_full_restart": True}
        result = LAB.playbook(f"mqttops.emqx.{playbook}", "-vvv", "--diff", **consent)
        assert result.returncode == 0, result.stdout
        for secret in (cookie, password):
            assert secret not in result.stdout + result.stderr, playbook
    # Ansible writes the options of modules to the journal, and sudo the arguments of commands: the
    # questions name a file that holds the secrets, as no test may put it there either.
    kept = (
        f"umask 77; grep -E '  (cookie|default_password) = ' {LAB.etc}/emqx.conf | cut -d'\"' -f2"
    )
    asked = f"{kept} > /root/secrets; wc -w < /root/secrets"
    assert LAB.outputs(asked) == dict.fromkeys(LAB.hosts, "2")
    # grep finds something, nothing, or has no right to look everywhere.
    asked = "journalctl --no-pager | grep -cFf /root/secrets || test $? = 1"
    assert LAB.outputs(asked) == dict.fromkeys(LAB.hosts, "0")
    places = "/etc /var /run /opt /tmp /home"
    asked = f"runuser -u nobody -- grep -rlsFf - {places} < /root/secrets || test $? -le 2"
    assert LAB.outputs(f"{asked}; rm /root/secrets") == dict.fromkeys(LAB.hosts, "")
