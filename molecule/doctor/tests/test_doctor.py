# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Faults made for real, often two at once, and what the doctor calls them. After each test the
cluster is whole again."""

from __future__ import annotations

import contextlib
import json
import tarfile
import typing as t
from pathlib import Path

import pytest
from lab_hosts import ROOT, scenario_lab
from operations import group, refused, wait_for

LAB = scenario_lab()
HOSTS = sorted(LAB.addresses)
NODES = {host: f"emqx@{host}.{LAB.name}.lab" for host in HOSTS}
INVENTORY = f"--inventory={ROOT / 'tests/inventory/doctor.yml'}"
COOKIE = ROOT / ".cache/lab" / LAB.name / "emqxcl.cookie"
CONF = "/etc/emqx/emqx.conf"


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
        found = [found["cause"] for found in self.findings if found["code"] == code]
        assert len(found) == 1, self.text
        return str(found[0])

    @property
    def text(self) -> str:
        return "\n".join(self.result["text"])


def sees(host: str) -> dict[str, list[str]] | None:
    try:
        return LAB.view(host)
    except ValueError:
        return None


def whole() -> bool:
    members = {"running_nodes": sorted(NODES.values()), "stopped_nodes": []}
    return all(sees(host) == members for host in HOSTS)


def stop(host: str) -> None:
    on(host, "systemctl stop emqx; systemctl reset-failed emqx || true")


def start(host: str) -> None:
    on(host, "systemctl restart --no-block emqx")


@contextlib.contextmanager
def restored(*steps: tuple[str, str]) -> t.Iterator[None]:
    """Run a command on a host for each of the steps in the end, and wait for the whole cluster."""
    try:
        yield
    finally:
        for host, command in steps:
            on(host, command)
        wait_for(whole, 120)


def drops(*rules: str) -> str:
    chain = "nft add chain inet fault input '{ type filter hook input priority 0; }'"
    return "; ".join(["nft add table inet fault", chain, *rules])


def drop_from(*hosts: str, port: str = "{ 4370, 5370 }") -> list[str]:
    return [
        f"nft add rule inet fault input ip saddr {LAB.addresses[host]} tcp {side} '{port}' drop"
        for host in hosts
        for side in ("dport", "sport")
    ]


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


def unpacked(archive: Path) -> dict[str, str]:
    with tarfile.open(archive) as opened:
        streams = {member.name: opened.extractfile(member) for member in opened.getmembers()}
        return {
            name.partition("/")[2]: stream.read().decode()
            for name, stream in streams.items()
            if stream
        }


class Preflight:
    """What one run of the preflight said."""

    def __init__(self, folder: Path) -> None:
        file = folder / "preflight.json"
        self.run = LAB.playbook(
            "mqttops.emqx.preflight", INVENTORY, "--check", emqx_preflight_json=str(file)
        )
        assert file.exists(), self.run.stdout + self.run.stderr
        self.result = json.loads(file.read_text(encoding="utf-8"))
        found = self.result["errors"] + self.result["warnings"]
        self.codes = [(each["severity"], each["code"]) for each in found]
        self.found = {each["code"]: each["found"] for each in found}
        assert "changed=1" not in self.run.stdout
        assert self.run.returncode == (2 if self.result["errors"] else 0), self.run.stdout
        assert self.result["passed"] is not bool(self.result["errors"])


def test_preflight_of_a_healthy_cluster(tmp_path: Path) -> None:
    seen = Preflight(tmp_path)
    assert seen.codes == [], seen.run.stdout
    assert [link["state"] for link in seen.result["links"]] == ["open"] * 18


def test_preflight_of_nodes_that_are_not_up(tmp_path: Path) -> None:
    name = NODES["n1"].partition("@")[2]
    reject = f"nft add rule inet fault input ip saddr {LAB.addresses['n1']} tcp dport 4370 reject"
    end = (
        ("n2", "nft delete table inet fault; cp /etc/hosts.good /etc/hosts"),
        ("n2", "systemctl restart --no-block emqx"),
        ("n3", "systemctl stop squatter; systemctl restart --no-block emqx"),
    )
    with restored(*end):
        for host in ("n3", "n2"):
            stop(host)
        on("n2", f"cp /etc/hosts /etc/hosts.good; echo '127.0.1.1 {name}' >>/etc/hosts")
        on("n2", drops(reject + " with tcp reset"))
        on("n3", "systemd-run --unit=squatter nc -lk 4370")
        seen = Preflight(tmp_path)
        stopped = refused(LAB.playbook("mqttops.emqx.site", INVENTORY))
        left = on("n2", "ss -Hltn 'sport = :4370 or sport = :5370'")
    assert seen.codes == [
        ("error", "port_in_use"),
        ("error", "name_loopback"),
        ("error", "closed_port"),
        ("warning", "stopped"),
    ], seen.run.stdout
    assert "Port 4370 of n3 is taken by nc" in seen.found["port_in_use"]
    assert f"On n2 the name {name} leads back" in seen.found["name_loopback"]
    assert seen.found["closed_port"].startswith(
        "n1 is refused by n2 on the distribution port 4370: a firewall rejects it"
    )
    assert "Nothing was changed. 3 finding(s) stand against it" in stopped
    for error in seen.result["errors"]:
        assert f"ERROR [{error['code']}] {', '.join(error['hosts'])}" in stopped
    assert left == ""


def test_busy_port_and_full_disk(tmp_path: Path) -> None:
    end = (
        ("n2", "systemctl stop squatter; systemctl restart --no-block emqx"),
        ("n3", "systemctl stop emqx; umount /var/lib/emqx; systemctl restart --no-block emqx"),
    )
    with restored(*end):
        for host in ("n2", "n3"):
            stop(host)
        on("n2", "systemd-run --unit=squatter nc -lk 4370")
        on("n3", "mount -t tmpfs -o size=16m,uid=emqx tmpfs /var/lib/emqx")
        on("n3", "dd if=/dev/zero of=/var/lib/emqx/filler bs=1M || true")
        for host in ("n2", "n3"):
            start(host)
        wait_for(lambda: "auto-restart" in on("n2", "systemctl show -p SubState emqx"), 60)
        seen = Diagnosis(tmp_path)
        before = Preflight(tmp_path)
    assert sorted(seen.codes) == ["disk_full", "port_in_use"], seen.text
    codes = [("error", "disk"), ("error", "disk_full"), ("error", "port_in_use")]
    assert before.codes == codes, before.run.stdout
    assert "Port 4370 of n2 is taken by nc" in seen.cause("port_in_use")
    assert "squatter.service" in seen.cause("port_in_use")
    assert "The file system of /var/lib/emqx on n3 is full" in seen.cause("disk_full")


def test_one_direction_and_a_cookie_that_waits_for_a_restart(tmp_path: Path) -> None:
    rule = f"nft add rule inet fault input ip saddr {LAB.addresses['n3']} tcp dport 5370 drop"
    end = (("n1", "nft delete table inet fault"), ("n2", f"mv {CONF}.good {CONF}"))
    with restored(*end):
        on("n1", drops(rule))
        on(
            "n2",
            f"cp -p {CONF} {CONF}.good; sed -i 's/cookie = .*/cookie = \"Another0one\"/' {CONF}",
        )
        seen = Diagnosis(tmp_path)
        before = Preflight(tmp_path)
    assert seen.codes == ["closed_port", "cookie_pending"], seen.text
    assert before.codes == [("error", "closed_port"), ("warning", "cookie_pending")]
    assert seen.cause("closed_port").startswith(
        "n3 gets no answer from n1 on the rpc port 5370: a firewall drops it, in this direction"
    )
    assert "in the files of n2 was changed" in seen.cause("cookie_pending")
    assert "Another0one" not in seen.run.stdout


def test_other_cookie_and_a_name_on_loopback(tmp_path: Path) -> None:
    name = NODES["n1"].partition("@")[2]
    end = (
        ("n2", "cp /etc/hosts.good /etc/hosts"),
        ("n3", f"mv {CONF}.good {CONF}; systemctl restart --no-block emqx"),
    )
    with restored(*end):
        on("n2", f"cp /etc/hosts /etc/hosts.good; echo '127.0.1.1 {name}' >>/etc/hosts")
        on(
            "n3",
            f"cp -p {CONF} {CONF}.good; sed -i 's/cookie = .*/cookie = \"Another0one\"/' {CONF}",
        )
        stop("n3")
        start("n3")
        wait_for(lambda: "pong" in LAB.emqx("n3", "ping").stdout, 60)
        seen = Diagnosis(tmp_path)
        before = Preflight(tmp_path)
    assert seen.codes == ["name_loopback", "cookie"], seen.text
    # One cookie for all is what a deployment writes.
    assert before.codes == [("error", "name_loopback"), ("warning", "cookie")], before.run.stdout
    assert f"On n2 the name {name} leads back to the host itself" in seen.cause("name_loopback")
    assert seen.cause("cookie").startswith("n3 has another cookie than n1 and n2")


def test_single_start_after_a_full_stop_and_a_host_out_of_reach(tmp_path: Path) -> None:
    with restored(
        ("n1", "systemctl restart --no-block emqx"), ("n2", "systemctl restart --no-block emqx")
    ):
        for host in ("n3", "n2", "n1"):
            stop(host)
        start("n3")
        wait_for(lambda: "pong" in LAB.emqx("n3", "ping").stdout, 60)
        seen = Diagnosis(tmp_path)
        far = group(tmp_path, n1={}, n2={"ansible_port": 1}, n3={})
        other = Diagnosis(tmp_path, *far)
    assert seen.codes == ["waiting_for_tables"], seen.text
    assert seen.cause("waiting_for_tables") == (
        f"n3 waits for {NODES['n1']} and {NODES['n2']}, which stopped later and hold newer data; "
        "n1 and n2 are stopped."
    )
    assert other.codes == ["unreachable", "waiting_for_tables"], other.text


def test_partition_and_what_it_leaves(tmp_path: Path) -> None:
    apart = sorted(NODES[host] for host in ("n1", "n2"))
    with restored(
        ("n3", "nft delete table inet fault 2>/dev/null; systemctl restart --no-block emqx")
    ):
        on("n3", drops(*drop_from("n1", "n2")))
        wait_for(lambda: (sees("n1") or {}).get("running_nodes") == apart, 60)
        wait_for(lambda: (sees("n3") or {}).get("running_nodes") == [NODES["n3"]], 60)
        # A run that fails packs what the doctor finds.
        limits = {"emqx_ready_timeout": 3, "emqx_cluster_timeout": 3}
        bundle = tmp_path / "site.tar.gz"
        failed = LAB.playbook(
            "mqttops.emqx.site", INVENTORY, emqx_support_bundle=str(bundle), **limits
        )
        on("n3", "nft delete table inet fault")
        healed = Diagnosis(tmp_path)
    assert failed.returncode == 2, failed.stdout
    assert "ansible-playbook mqttops.emqx.doctor" in " ".join(failed.stdout.split())
    cut = json.loads(unpacked(bundle)["findings.json"])
    assert {found["code"] for found in cut["findings"]} == {"closed_port"}, cut["text"]
    assert {host for found in cut["findings"] for host in found["hosts"]} == set(HOSTS)
    assert healed.codes == ["split_brain"], healed.text
    assert "{n1, n2} | {n3}" in healed.cause("split_brain")


def test_force_left_while_down_a_refused_file_and_a_stale_member(tmp_path: Path) -> None:
    end = (
        ("n2", f"mv {CONF}.good {CONF}; systemctl restart --no-block emqx"),
        (
            "n3",
            "systemctl stop emqx; rm -rf /var/lib/emqx/mnesia; systemctl restart --no-block emqx",
        ),
    )
    with restored(*end):
        stop("n3")
        rest = group(tmp_path, n1={}, n2={})
        stale = Diagnosis(tmp_path, *rest)
        LAB.emqx("n1", "ctl", "cluster", "force-leave", NODES["n3"])
        stop("n2")
        on("n2", f"cp -p {CONF} {CONF}.good; echo 'cluster {{' >>{CONF}".replace("{{", "{"))
        for host in ("n2", "n3"):
            start(host)
            wait_for(lambda h=host: "auto-restart" in on(h, "systemctl show -p SubState emqx"), 90)
        seen = Diagnosis(tmp_path)
        before = Preflight(tmp_path)
    assert stale.codes == ["stale_member"], stale.text
    assert f"{NODES['n3']} is listed as a stopped member" in stale.cause("stale_member")
    assert sorted(seen.codes) == ["config_refused", "expelled"], seen.text
    assert "EMQX on n2 refuses its configuration" in seen.cause("config_refused")
    assert seen.cause("expelled").startswith("The node of n3 is no member any more")
    assert before.codes == [("error", "expelled"), ("warning", "config_refused")], before.run.stdout


def test_a_name_without_address_and_files_that_differ(tmp_path: Path) -> None:
    name = NODES["n1"].partition("@")[2]
    end = (
        ("n2", "cp /etc/hosts.good /etc/hosts; cp /etc/resolv.conf.good /etc/resolv.conf"),
        ("n3", f"mv {CONF}.good {CONF}"),
    )
    with restored(*end):
        on("n2", "cp /etc/hosts /etc/hosts.good; cp /etc/resolv.conf /etc/resolv.conf.good")
        for host in ("n2", "n3"):
            known = f"{LAB.addresses[host]} {NODES[host].partition('@')[2]}"
            on("n2", f"echo '{known}' >>/etc/hosts")
        # Nobody answers there, and says so at once.
        on("n2", "echo nameserver 127.0.0.1 >/etc/resolv.conf")
        on("n3", f"cp -p {CONF} {CONF}.good; echo 'mqtt.max_packet_size = 3MB' >>{CONF}")
        seen = Diagnosis(tmp_path)
        # Without n3 in the inventory, it is one that came back.
        rest = Diagnosis(tmp_path, *group(tmp_path, n1={}, n2={}))
        before = Preflight(tmp_path)
    codes = ["name_unresolved", "config_drift", "old_values"]
    assert seen.codes == codes, seen.text
    assert seen.cause("name_unresolved").startswith(f"n2 cannot resolve {name}")
    assert "The configuration of n3 (files) differs" in seen.cause("config_drift")
    assert "mqtt.max_packet_size" in seen.cause("config_drift")
    assert rest.codes == ["name_unresolved", "came_back"], rest.text
    assert f"{NODES['n3']} is a running member" in rest.cause("came_back")
    assert [code for _severity, code in before.codes] == codes, before.run.stdout
    assert before.codes[0] == ("error", "name_unresolved")


def test_seeds_that_name_nobody_and_data_of_another_name(tmp_path: Path) -> None:
    data, old = "/var/lib/emqx/mnesia", "emqx@n3.example.org"
    again = "systemctl restart --no-block emqx"
    end = (
        ("n3", f"mv {data}/{old} {data}/{NODES['n3']}; {again}"),
        ("n2", f"mv {CONF}.good {CONF}; {again}"),
    )
    with restored(*end):
        seeds = f'cluster.static.seeds = ["{NODES["n2"]}"]'
        on("n2", f"cp -p {CONF} {CONF}.good; echo '{seeds}' >>{CONF}")
        LAB.emqx("n2", "ctl", "cluster", "leave")
        assert sees("n2") == {"running_nodes": [NODES["n2"]], "stopped_nodes": []}
        stop("n3")
        on("n3", f"mv {data}/{NODES['n3']} {data}/{old}")
        seen = Diagnosis(tmp_path)
        before = Preflight(tmp_path)
    codes = ["data_of_other_name", "discovery_nobody", "config_drift"]
    assert seen.codes == codes, seen.text
    assert f"holds the database of {old}, not of" in seen.cause("data_of_other_name")
    assert "Discovery (static) on n2 finds no other node" in seen.cause("discovery_nobody")
    assert ("error", "data_of_other_node") in before.codes, before.run.stdout
    assert ("warning", "discovery_nobody") in before.codes, before.run.stdout
