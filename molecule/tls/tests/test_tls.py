# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""TLS between nodes, seen from every host, on the wire and in what is refused.

The tests follow one another.
"""

from __future__ import annotations

import json
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from certificates import Authority, Files
from cryptography.hazmat.primitives import serialization
from cryptography.x509 import DNSName
from lab_hosts import ROOT, scenario_lab
from operations import changed, is_ready, together, wait_for
from tls_nodes import FOLDER, INVENTORY, PASSPHRASE, ca_folder, put, started, sums
from wire import GREETING, TABLES, Wire

LAB = scenario_lab()
HOSTS = sorted(LAB.addresses)
MEMBERS = sorted(LAB.node_name(host) for host in HOSTS)
NAMES = {host: DNSName(LAB.addresses[host]) for host in HOSTS}
CA = ca_folder(LAB)


def whole() -> bool:
    """Tell whether all nodes see all members running."""
    shown = (LAB.emqx(host, "ctl", "cluster", "status", "--json").stdout for host in HOSTS)
    return all(
        f'"{name}"' in text.partition("running_nodes")[2] for text in shown for name in MEMBERS
    )


def on_all(command: str, hosts: t.Iterable[str] = HOSTS) -> None:
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda host: LAB.hosts[host].check_output(command), hosts))


def listens(host: str) -> bool:
    return bool(LAB.hosts[host].check_output("ss -Hltn 'sport = :4370'"))


@pytest.mark.parametrize("host", HOSTS)
def test_every_member_sees_exactly_the_members(host: str) -> None:
    assert LAB.view(host) == {"running_nodes": MEMBERS, "stopped_nodes": []}


def test_every_host_has_a_key_of_its_own() -> None:
    keys = set()
    for host in HOSTS:
        shown = LAB.hosts[host].check_output(f"stat -c '%n %U %G %a' {FOLDER}/*").splitlines()
        assert shown == [f"{FOLDER}/{name}.pem root emqx 640" for name in ("ca", "cert", "key")]
        keys.add(LAB.hosts[host].file(f"{FOLDER}/key.pem").sha256sum)
    assert len(keys) == len(HOSTS)
    assert sorted(path.name for path in CA.iterdir()) == ["ca-key.pem", "ca.pem"]
    assert "ENCRYPTED" in (CA / "ca-key.pem").read_text(encoding="utf-8")


@pytest.mark.parametrize("port", [4370, 5370])
def test_who_shows_no_certificate_gets_an_alert(port: int) -> None:
    dial = f"openssl s_client -connect {LAB.addresses[HOSTS[1]]}:{port} -CAfile {FOLDER}/ca.pem"
    own = f"-cert {FOLDER}/cert.pem -key {FOLDER}/key.pem -verify_return_error"
    # The verdict on the client comes after the handshake: keep reading for a moment.
    refused = LAB.hosts[HOSTS[0]].run(f"(sleep 2) | timeout 5 {dial} 2>&1")
    assert "alert" in refused.stdout
    taken = LAB.hosts[HOSTS[0]].run(f"(sleep 2) | timeout 5 {dial} {own} 2>&1")
    assert "Verify return code: 0" in taken.stdout
    assert "alert" not in taken.stdout


def test_nothing_readable_on_the_wire(tmp_path: Path) -> None:
    wire = Wire(LAB, tmp_path / "wire")
    with wire:
        LAB.hosts[HOSTS[1]].check_output("systemctl restart emqx")
        wait_for(whole, 120)
    assert wire.has_tls()
    assert wire.readable() == set()


def test_a_node_without_tls_cannot_join() -> None:
    host = LAB.hosts["n4"]
    plain = (
        "runuser -u emqx -- env EMQX_CLUSTER__PROTO_DIST=inet_tcp EMQX_RPC__PROTOCOL=tcp"
        " EMQX_NODE__DATA_DIR=/tmp/plain EMQX_CLUSTER__DISCOVERY_STRATEGY=manual emqx"
    )
    host.check_output("systemctl stop emqx && install -d -o emqx /tmp/plain")
    try:
        host.check_output(f"cd / && {plain} start")
        joined = host.run(f"cd / && {plain} ctl cluster join {MEMBERS[0]}")
        assert "Failed to join the cluster" in joined.stdout + joined.stderr
        result = LAB.playbook(str(ROOT / "molecule/tls/join.yml"))
        shown = " ".join(result.stdout.split())
        assert (
            f"tcp {LAB.addresses['n1']}:4370 speaks TLS, but this node does not"
            " (cluster.proto_dist is inet_tcp)"
        ) in shown
        host.run(f"cd / && {plain} stop")
    finally:
        host.check_output("systemctl start emqx")
    wait_for(whole, 120)


def refusal(files: dict[str, dict[str, str]], **more: t.Any) -> str:
    """Return what a run says that gets these certificates by host, and changes nothing."""
    before = sums(LAB), {host: started(LAB, host) for host in HOSTS}
    result = LAB.playbook(
        "mqttops.emqx.site",
        INVENTORY,
        given=files,
        emqx_tls_certificate="{{ given[inventory_hostname].certificate }}",
        emqx_tls_key="{{ given[inventory_hostname].key }}",
        emqx_tls_ca="{{ given[inventory_hostname].ca }}",
        **more,
    )
    assert result.returncode != 0
    assert changed(result.stdout) == set()
    assert (sums(LAB), {host: started(LAB, host) for host in HOSTS}) == before
    return " ".join(result.stdout.split())


def paths(files: Files, **other: t.Any) -> dict[str, str]:
    found = {"certificate": files.cert, "key": files.key, "ca": files.ca, **other}
    return {name: str(path) for name, path in found.items()}


def test_certificates_that_no_peer_takes_are_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ca")
    (tmp_path / "foreign").mkdir()
    foreign = Authority(tmp_path / "foreign", "foreign").issue("n1", NAMES["n1"])
    good = authority.issue("n4", NAMES["n4"])
    files = {
        "n1": paths(foreign, ca=authority.file),
        "n2": paths(authority.issue("n2", NAMES["n2"], days=-1)),
        "n3": paths(authority.issue("n3", NAMES["n1"])),
        "n4": paths(good, key=foreign.key),
    }
    shown = refusal(files)
    assert "Nothing was changed. 4 finding(s)" in shown
    assert (
        "Host n1: expected a certificate signed by CN=ca, found one signed by CN=foreign" in shown
    )
    assert "Host n2: expected the certificate to be valid at" in shown
    assert f"Host n3: expected DNS:{LAB.addresses['n3']} among its alternative names" in shown
    assert "Host n4: expected the private key of the certificate, found another key" in shown


def test_input_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ca")
    files = {host: paths(authority.issue(host, NAMES[host])) for host in HOSTS}
    files["n1"]["key"] = "/nowhere/key.pem"
    secret = serialization.load_pem_private_key(Path(files["n2"]["key"]).read_bytes(), None)
    # Given as its text, which no message may show.
    files["n2"]["key"] = secret.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    ).decode()
    files["n3"] = dict.fromkeys(files["n3"], "")
    shown = refusal(files, emqx_tls_ca_passphrase="")
    assert "found no file /nowhere/key.pem" in shown
    assert "Host n2: expected a private key in PEM, found a key with a passphrase" in shown
    assert "BEGIN ENCRYPTED" not in shown
    assert "Host n3: expected the passphrase that encrypts the CA's key, found none" in shown
    # The same CA for all, and not the one that the nodes run with.
    assert "Host n4: expected nodes that trust CN=ca" in shown
    assert "run the playbook rotate_certs" in shown
    shown = refusal(files, emqx_firewall_backend="iptables")
    assert "emqx_firewall_backend" in shown
    assert "iptables" in shown


def test_nodes_that_are_kept_out_are_told_why_and_brought_back(tmp_path: Path) -> None:
    kept = Authority.existing(tmp_path, CA / "ca.pem", CA / "ca-key.pem", PASSPHRASE)
    (tmp_path / "foreign").mkdir()
    bad = {
        "n2": kept.issue("n2", NAMES["n2"], days=-1),
        "n3": kept.issue("n3", NAMES["n1"]),
        "n4": Authority(tmp_path / "foreign", "foreign").issue("n4", NAMES["n4"]),
    }
    on_all("systemctl stop emqx", bad)
    for host, files in bad.items():
        put(LAB, host, files)
    on_all("systemctl start emqx", bad)
    wait_for(lambda: all(listens(host) for host in bad), 60)
    shown = " ".join(LAB.playbook("mqttops.emqx.status", INVENTORY).stdout.split())
    kept_out = {LAB.node_name(host) for host in ("n2", "n4")}
    assert kept_out <= set(LAB.view("n1")["stopped_nodes"])
    # A name is checked by who dials only: nobody reaches n3, not even its own command line.
    assert "not responding to pings" in LAB.emqx("n3", "ping").stderr
    assert "n2: its certificate: expected the certificate to be valid at" in shown
    assert (
        f"n3: its certificate: expected DNS:{LAB.addresses['n3']} among its alternative names"
        in shown
    )
    assert "n4: its certificate: expected a certificate signed by CN=EMQX cluster" in shown

    file = tmp_path / "doctor.json"
    LAB.playbook("mqttops.emqx.doctor", INVENTORY, emqx_doctor_json=str(file))
    codes = {each["code"] for each in json.loads(file.read_text(encoding="utf-8"))["findings"]}
    assert codes == {"certificate_expired", "certificate_san", "certificate_other_ca"}
    assert "PRIVATE KEY" not in file.read_text(encoding="utf-8")

    result = LAB.playbook("mqttops.emqx.rotate_certs", INVENTORY)
    assert result.returncode == 0, result.stdout
    together(LAB, *HOSTS)
    assert {host for _task, host in changed(result.stdout)} == set(bad)


def test_off_needs_consent() -> None:
    result = LAB.playbook("mqttops.emqx.site", INVENTORY, emqx_dist_tls=False)
    assert result.returncode != 0
    shown = " ".join(result.stdout.split())
    assert "cluster.proto_dist, rpc.protocol must be the same on all nodes" in shown
    assert "emqx_allow_full_restart" in shown
    assert changed(result.stdout) == set()


def test_off(tmp_path: Path) -> None:
    wire = Wire(LAB, tmp_path / "wire")
    with wire:
        result = LAB.playbook(
            "mqttops.emqx.site", INVENTORY, emqx_dist_tls=False, emqx_allow_full_restart=True
        )
    assert result.returncode == 0, result.stdout
    together(LAB, *HOSTS)
    # What the look at the wire above did not find, it finds here.
    assert wire.readable() == {GREETING, TABLES, *(name.encode() for name in MEMBERS)}


def test_on() -> None:
    on_all(f"rm -r {FOLDER}")
    result = LAB.playbook("mqttops.emqx.site", INVENTORY, emqx_allow_full_restart=True)
    assert result.returncode == 0, result.stdout
    together(LAB, *HOSTS)
    assert all(is_ready(LAB, host) for host in HOSTS)
    dial = f"openssl s_client -connect {LAB.addresses['n2']}:4370 -CAfile {FOLDER}/ca.pem"
    assert "Verify return code: 0" in LAB.hosts["n1"].run(f"timeout 5 {dial} </dev/null").stdout
