# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Faults made for real, several at once, and what the doctor and the preflight call them.

The tests follow one another: each makes worse, or mends, what the one before it left behind.
"""

from __future__ import annotations

import json
import tarfile
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from lab_hosts import ROOT, scenario_lab
from operations import can_log_in, group, is_ready, refused, wait_for

LAB = scenario_lab()
HOSTS = sorted(LAB.addresses)
NODES = {host: f"emqx@{host}.{LAB.name}.lab" for host in HOSTS}
INVENTORY = f"--inventory={ROOT / 'tests/inventory/doctor.yml'}"
COOKIE = ROOT / ".cache/lab" / LAB.name / "emqxcl.cookie"
CONF = f"{LAB.etc}/emqx.conf"


def on(host: str, command: str) -> str:
    return str(LAB.hosts[host].check_output(command.replace("%", "%%")))


class Diagnosis:
    """What one run of the doctor said."""

    def __init__(self, folder: Path, *arguments: str, **variables: t.Any) -> None:
        file = folder / "doctor.json"
        wanted = {"emqx_doctor_json": str(file), "emqx_doctor_strict": True, **variables}
        self.run = LAB.playbook("mqttops.emqx.doctor", INVENTORY, *arguments, **wanted)
        assert file.exists(), self.run.stdout + self.run.stderr
        self.result = json.loads(file.read_text(encoding="utf-8"))
        file.unlink()
        self.findings = self.result["findings"]
        self.codes = [found["code"] for found in self.findings]
        # Nothing was changed, and the exit code tells whether there is an error.
        assert "changed=1" not in self.run.stdout
        errors = [found for found in self.findings if found["severity"] == "error"]
        assert self.run.returncode == (2 if errors else 0), self.run.stdout
        assert self.result["healthy"] is not bool(errors)

    def cause(self, code: str) -> str:
        found = [found["found"] for found in self.findings if found["code"] == code]
        assert len(found) == 1, self.text
        return str(found[0])

    @property
    def text(self) -> str:
        return json.dumps(self.findings, indent=1)


class Preflight:
    """What one run of the preflight said."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        file = folder / "preflight.json"
        self.run = LAB.playbook(
            "mqttops.emqx.preflight", INVENTORY, *arguments, emqx_preflight_json=str(file)
        )
        assert file.exists(), self.run.stdout + self.run.stderr
        self.result = json.loads(file.read_text(encoding="utf-8"))
        self.codes = [(each["severity"], each["code"]) for each in self.result["findings"]]
        assert "changed=1" not in self.run.stdout
        failed = "error" in [severity for severity, _code in self.codes]
        assert self.run.returncode == (2 if failed else 0), self.run.stdout
        assert self.result["passed"] is not failed


def unpacked(archive: Path) -> dict[str, str]:
    with tarfile.open(archive) as opened:
        streams = {member.name: opened.extractfile(member) for member in opened.getmembers()}
        return {
            name.partition("/")[2]: stream.read().decode()
            for name, stream in streams.items()
            if stream
        }


def sees(host: str) -> dict[str, list[str]] | None:
    try:
        return LAB.view(host)
    except ValueError:
        return None


def whole() -> bool:
    """Tell whether all nodes see all; their command line, which is dear, is asked at last."""
    members = {"running_nodes": sorted(NODES.values()), "stopped_nodes": []}
    with ThreadPoolExecutor() as pool:
        return all(pool.map(lambda host: is_ready(LAB, host), HOSTS)) and all(
            view == members for view in pool.map(sees, HOSTS)
        )


def tries_again(host: str) -> bool:
    return "auto-restart" in on(host, "systemctl show -p SubState emqx")


def stop(host: str) -> None:
    on(host, "systemctl stop emqx; systemctl reset-failed emqx || true")


def start(*hosts: str) -> None:
    for host in hosts:
        on(host, "systemctl restart --no-block emqx")


def other_cookie(host: str) -> None:
    """Write another cookie into the node's file."""
    on(host, f"cp -p {CONF} {CONF}.good; sed -i 's/cookie = .*/cookie = \"Another0one\"/' {CONF}")


def drop(host: str, *rules: str) -> None:
    """Have a host drop, or reject, what these rules match."""
    chain = "nft add chain inet fault input '{ type filter hook input priority 0; }'"
    add = [f"nft add rule inet fault input {rule}" for rule in rules]
    on(host, "; ".join(["nft add table inet fault", chain, *add]))


def let_in(host: str) -> None:
    on(host, "nft delete table inet fault")


def n2_follows(change: int) -> None:
    """Note up to which change of the configuration n2 followed, where n1 made two."""
    rows = (
        "{cluster_rpc_mfa, 1, mfa, 1, N1}, {cluster_rpc_mfa, 2, mfa, 2, N1},"
        f" {{cluster_rpc_commit, N1, 2}}, {{cluster_rpc_commit, N2, {change}}}"
    )
    nodes = "[N1, N2] = lists:sort(mria:running_nodes())"
    LAB.emqx("n1", "eval", f"{nodes}, [mnesia:dirty_write(Row) || Row <- [{rows}]]")


@pytest.fixture(autouse=True, scope="module")
def _formed() -> None:
    wait_for(whole, 120)


def test_a_healthy_cluster_has_no_finding(tmp_path: Path) -> None:
    report, bundle = tmp_path / "report.html", tmp_path / "bundles"
    seen = Diagnosis(tmp_path, emqx_report=str(report), emqx_support_bundle=str(bundle))
    assert seen.codes == [], seen.text
    assert len(seen.result["links"]) == 18
    assert f"{len(HOSTS)} of {len(HOSTS)} nodes ready" in report.read_text(encoding="utf-8")
    assert "18 of 18 open" in report.read_text(encoding="utf-8")
    (archive,) = bundle.iterdir()
    texts = unpacked(archive)
    assert {f"{host}/emqx.conf" for host in HOSTS} <= set(texts)
    assert {"findings.json", "report.html", "n1/evidence.json"} <= set(texts)
    assert "dist_net_ticktime" in texts["n1/emqx.conf"]
    cookie = COOKIE.read_text(encoding="utf-8").strip()
    assert cookie in on("n1", f"cat {CONF}")
    for name, text in texts.items():
        for secret in (cookie, "Lab0passphrase", "PRIVATE KEY"):
            assert secret not in text, name


def test_preflight_of_a_healthy_cluster(tmp_path: Path) -> None:
    seen = Preflight(tmp_path, "--check")
    assert seen.codes == [], seen.run.stdout
    assert [link["state"] for link in seen.result["links"]] == ["open"] * 18


# No command sets a password as weak as the vendor's: as its hash (emqx_dashboard_admin).
_VENDORS_LOGIN = (
    "[R] = mnesia:dirty_read(emqx_admin, atom_to_binary(admin)), S = <<1, 2, 3, 4>>, "
    "H = crypto:hash(sha256, [S, atom_to_binary(public)]), "
    "mria:dirty_write(setelement(3, R, <<S/binary, H/binary>>))"
)


def test_the_vendors_login(tmp_path: Path) -> None:
    assert not can_log_in(LAB, "n1", "admin", "public")
    LAB.emqx("n1", "eval", _VENDORS_LOGIN)
    assert can_log_in(LAB, "n1", "admin", "public")
    seen = Diagnosis(tmp_path)
    assert seen.codes == ["default_password"], seen.text
    LAB.emqx("n1", "ctl", "admins", "passwd", "admin", "Not-the-vendors-1")
    assert Diagnosis(tmp_path).codes == []


def test_one_cut_off_that_is_in_no_inventory_and_faults_of_the_others(tmp_path: Path) -> None:
    apart = sorted(NODES[host] for host in ("n1", "n2"))
    others = "ip saddr {{ {n1}, {n2} }}".format(**LAB.addresses)
    drop("n3", *(f"{others} tcp {side} {{ 4370, 5370 }} drop" for side in ("dport", "sport")))
    drop("n1", f"ip saddr {LAB.addresses['n2']} tcp dport 5370 drop")
    other_cookie("n2")
    # The command line, which is dear, is asked when the sockets tell the same.
    links = f"ss -Htn state established dst {LAB.addresses['n3']} | grep :4370 || true"
    wait_for(lambda: not on("n1", links) and not on("n2", links), 60)
    wait_for(lambda: (sees("n1") or {}).get("running_nodes") == apart, 60)
    n2_follows(1)
    rest = group(tmp_path, n1={}, n2={})
    seen, before = Diagnosis(tmp_path, *rest), Preflight(tmp_path, *rest)
    codes = ["closed_port", "config_out_of_sync", "cookie_pending", "stale_member"]
    assert sorted(seen.codes) == codes, seen.text
    assert sorted(before.codes) == [
        *(("error", code) for code in ("closed_port", "config_out_of_sync", "stale_member")),
        *(("warning", code) for code in ("cookie_pending", "even_cores")),
    ], before.run.stdout
    assert seen.cause("closed_port").startswith(
        "n2 gets no answer from n1 on the rpc port 5370: a firewall drops it, in this direction"
    )
    assert f"{NODES['n3']} is listed as a stopped member" in seen.cause("stale_member")
    assert seen.cause("config_out_of_sync").startswith(f"{NODES['n2']} did not follow")
    assert "in the files of n2 was changed" in seen.cause("cookie_pending")
    assert "Another0one" not in seen.run.stdout + before.run.stdout
    let_in("n1")
    on("n2", f"mv {CONF}.good {CONF}")
    n2_follows(2)


def test_partition_and_what_it_leaves(tmp_path: Path) -> None:
    wait_for(lambda: (sees("n3") or {}).get("running_nodes") == [NODES["n3"]], 60)
    # A run that fails packs what the doctor finds.
    limits = {"emqx_ready_timeout": 3, "emqx_cluster_timeout": 3}
    bundle = tmp_path / "site.tar.gz"
    failed = LAB.playbook("mqttops.emqx.site", INVENTORY, emqx_support_bundle=str(bundle), **limits)
    assert failed.returncode == 2, failed.stdout
    assert "This run failed. 2 causes found on its hosts:" in failed.stdout
    assert "ERROR [closed_port] Hosts n1, n2, n3" in failed.stdout
    cut = json.loads(unpacked(bundle)["findings.json"])
    assert {found["code"] for found in cut["findings"]} == {"closed_port"}, cut["findings"]
    assert {host for found in cut["findings"] for host in found["hosts"]} == set(HOSTS)
    let_in("n3")
    healed = Diagnosis(tmp_path)
    assert healed.codes == ["split_brain"], healed.text
    assert "{n1, n2} | {n3}" in healed.cause("split_brain")


def test_force_left_while_down_and_a_refused_file(tmp_path: Path) -> None:
    stop("n3")
    LAB.emqx("n1", "ctl", "cluster", "force-leave", NODES["n3"])
    stop("n2")
    on("n2", f"cp -p {CONF} {CONF}.good; echo 'cluster {{' >>{CONF}")
    start("n2", "n3")
    wait_for(lambda: tries_again("n2") and tries_again("n3"), 90)
    seen, before = Diagnosis(tmp_path), Preflight(tmp_path)
    assert sorted(seen.codes) == ["config_refused", "expelled"], seen.text
    assert "EMQX on n2 refuses its configuration" in seen.cause("config_refused")
    assert seen.cause("expelled").startswith("the node of n3 is no member any more")
    assert before.codes == [("error", "expelled"), ("warning", "config_refused")], before.run.stdout
    on("n2", f"mv {CONF}.good {CONF}")
    on("n3", f"systemctl stop emqx; rm -rf {LAB.data}/mnesia")
    start("n2", "n3")
    wait_for(whole, 120)


def test_preflight_where_a_host_is_late(tmp_path: Path) -> None:
    """Nobody was there for it to meet, and no other finds it when it came at last."""
    for host in ("n3", "n2"):
        stop(host)
    late = "/usr/local/bin/late-python"
    script = 'test ! -e /run/late || { rm /run/late; sleep 4; }; exec /usr/bin/python3 "$@"'
    on("n3", f"echo '#!/bin/sh' >{late}; echo '{script}' >>{late}")
    on("n3", f"chmod 755 {late}; touch /run/late")
    slow = group(tmp_path, n1={}, n2={}, n3={"ansible_python_interpreter": late})
    seen = Preflight(tmp_path, *slow)
    assert set(seen.codes) == {("warning", "stopped")}, seen.run.stdout
    assert [link["state"] for link in seen.result["links"]] == ["open"] * 18
    assert "Listen for whoever comes" in seen.run.stdout
    for host in ("n3", "n2"):
        assert on(host, "ss -Hltn 'sport = :4370 or sport = :5370'") == ""


def test_busy_port_full_disk_name_on_loopback_and_other_cookie(tmp_path: Path) -> None:
    name = NODES["n2"].partition("@")[2]
    on("n1", f"cp /etc/hosts /etc/hosts.good; echo '127.0.1.1 {name}' >>/etc/hosts")
    other_cookie("n1")
    on("n2", "systemd-run --unit=squatter nc -lk 4370")
    on("n3", f"mount -t tmpfs -o size=16m,uid=emqx tmpfs {LAB.data}")
    on("n3", f"dd if=/dev/zero of={LAB.data}/filler bs=1M || true")
    start("n1", "n2", "n3")
    wait_for(lambda: tries_again("n2") and is_ready(LAB, "n1"), 60)
    seen, before = Diagnosis(tmp_path), Preflight(tmp_path)
    codes = ["cookie", "disk_full", "name_loopback", "port_in_use"]
    assert sorted(seen.codes) == codes, seen.text
    assert "port 4370 of n2 is taken by nc" in seen.cause("port_in_use")
    assert "squatter.service" in seen.cause("port_in_use")
    assert f"the file system of {LAB.data} on n3 is full" in seen.cause("disk_full")
    assert f"on n1 the name {name} leads back to the host itself" in seen.cause("name_loopback")
    assert seen.cause("cookie").startswith("n1 has another cookie than n2 and n3")
    # One cookie for all is what a deployment writes.
    assert sorted(before.codes) == [
        *(("error", code) for code in ("disk", "disk_full", "name_loopback", "port_in_use")),
        ("warning", "cookie"),
    ], before.run.stdout
    assert "Another0one" not in seen.run.stdout + before.run.stdout


def test_single_start_after_a_full_stop_and_what_site_says_of_it(tmp_path: Path) -> None:
    for host in ("n3", "n2", "n1"):
        stop(host)
    on("n1", f"mv /etc/hosts.good /etc/hosts; mv {CONF}.good {CONF}")
    on("n3", f"umount {LAB.data}")
    start("n3")
    database = ("eval", "mnesia:system_info(is_running)")
    wait_for(lambda: LAB.emqx("n3", *database).stdout.strip() == "yes", 60)
    # One host out of reach.
    seen = Diagnosis(tmp_path, *group(tmp_path, n1={}, n2={"ansible_port": 1}, n3={}))
    assert seen.codes == ["unreachable", "waiting_for_tables"], seen.text
    assert seen.cause("waiting_for_tables") == (
        f"n3 waits for {NODES['n1']} and {NODES['n2']}, which stopped later and hold newer data; "
        "n1 is stopped"
    )
    # Where a node is stopped a listener stands in for it, and what rejects that shows.
    drop("n1", f"ip saddr {LAB.addresses['n3']} tcp dport 4370 reject with tcp reset")
    stopped = refused(LAB.playbook("mqttops.emqx.site", INVENTORY))
    assert "Nothing was changed: 2 findings are in the way." in stopped
    assert "ERROR [port_in_use] Host n2" in stopped
    assert "ERROR [closed_port] Hosts n1, n3" in stopped
    assert "n3 is refused by n1 on the distribution port 4370: a firewall rejects it" in stopped
    assert on("n1", "ss -Hltn 'sport = :4370 or sport = :5370'") == ""
