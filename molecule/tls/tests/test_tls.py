# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""TLS between nodes, seen from every host, on the wire and in what is refused."""

from __future__ import annotations

import json
import time
import typing as t
from pathlib import Path

import pytest
from certificates import Authority
from cryptography.x509 import DNSName
from lab_hosts import ROOT, scenario_lab

LAB = scenario_lab()
HOSTS = sorted(LAB.addresses)
MEMBERS = sorted(LAB.node_name(host) for host in HOSTS)
TLS = "/etc/mqttops-emqx/tls"
CA = ROOT / ".cache/lab" / LAB.name / "ca"
WISH: dict[str, t.Any] = {
    "emqx_dist_tls": True,
    "emqx_tls_ca_dir": str(CA),
    "emqx_tls_ca_passphrase": "Lab0passphrase",
}


def wait_for_all(seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not all(f'"{name}"' in running(host) for name in MEMBERS for host in HOSTS):
        assert time.monotonic() < deadline, "not all members are back"
        time.sleep(1)


def running(host: str) -> str:
    shown = LAB.emqx(host, "ctl", "cluster", "status", "--json").stdout
    return str(shown.partition("running_nodes")[2])


@pytest.mark.parametrize("host", HOSTS)
def test_every_member_sees_exactly_the_members(host: str) -> None:
    assert LAB.view(host) == {"running_nodes": MEMBERS, "stopped_nodes": []}


def test_every_host_has_a_key_of_its_own() -> None:
    keys = set()
    for host in HOSTS:
        for name in ("cert.pem", "key.pem", "ca.pem"):
            found = LAB.hosts[host].file(f"{TLS}/{name}")
            assert (found.user, found.group, found.mode) == ("root", "emqx", 0o640)
        keys.add(LAB.hosts[host].file(f"{TLS}/key.pem").sha256sum)
    assert len(keys) == len(HOSTS)
    assert sorted(path.name for path in CA.iterdir()) == ["ca-key.pem", "ca.pem"]
    assert "ENCRYPTED" in (CA / "ca-key.pem").read_text(encoding="utf-8")


@pytest.mark.parametrize("port", [4370, 5370])
def test_who_shows_no_certificate_gets_an_alert(port: int) -> None:
    dial = f"openssl s_client -connect {LAB.addresses[HOSTS[1]]}:{port} -CAfile {TLS}/ca.pem"
    own = f"-cert {TLS}/cert.pem -key {TLS}/key.pem -verify_return_error"
    # The verdict on the client comes after the handshake: keep reading for a moment.
    refused = LAB.hosts[HOSTS[0]].run(f"(sleep 2) | timeout 5 {dial} 2>&1")
    assert "alert" in refused.stdout
    taken = LAB.hosts[HOSTS[0]].run(f"(sleep 2) | timeout 5 {dial} {own} 2>&1")
    assert "Verify return code: 0" in taken.stdout
    assert "alert" not in taken.stdout


def test_nothing_readable_on_the_wire() -> None:
    watcher, other = LAB.hosts[HOSTS[0]], LAB.hosts[HOSTS[1]]
    watcher.check_output(
        "systemd-run --unit=watch tcpdump -i any -U -s 0 -w /root/wire 'tcp port 4370 or 5370'"
    )
    other.check_output("systemctl restart emqx")
    wait_for_all()
    watcher.check_output("systemctl stop watch")
    seen = watcher.run("grep -acF -e emqx@ -e mnesia -e rex /root/wire").stdout.strip()
    assert seen == "0"
    # A TLS handshake record was there to be seen.
    assert watcher.run("LC_ALL=C grep -qaP '\\x16\\x03[\\x01-\\x03]' /root/wire").rc == 0


def test_a_node_without_tls_cannot_join() -> None:
    host = LAB.hosts[HOSTS[2]]
    plain = (
        "runuser -u emqx -- env EMQX_CLUSTER__PROTO_DIST=inet_tcp EMQX_RPC__PROTOCOL=tcp"
        " EMQX_NODE__DATA_DIR=/tmp/plain emqx"
    )
    host.check_output("systemctl stop emqx && install -d -o emqx /tmp/plain")
    try:
        host.check_output(f"cd / && {plain} start")
        joined = host.run(f"cd / && {plain} ctl cluster join {MEMBERS[0]}")
        assert "Failed to join the cluster" in joined.stdout + joined.stderr
        host.run(f"cd / && {plain} stop")
    finally:
        host.check_output("systemctl start emqx")
    wait_for_all()


def test_certificates_that_no_peer_takes_are_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ca")
    names = {host: DNSName(LAB.addresses[host]) for host in HOSTS}
    (tmp_path / "foreign").mkdir()
    foreign = Authority(tmp_path / "foreign", "foreign").issue("n1", names["n1"])
    foreign.cert.rename(tmp_path / "n1.pem")
    foreign.key.rename(tmp_path / "n1.key")
    authority.issue("n2", names["n2"], days=-1)
    authority.issue("n3", names["n1"])
    before = {host: LAB.hosts[host].check_output(f"sha256sum {TLS}/*") for host in HOSTS}
    own = f"{tmp_path}/{{{{ inventory_hostname }}}}"
    result = LAB.playbook(
        "mqttops.emqx.site",
        emqx_dist_tls=True,
        emqx_tls_certificate=f"{own}.pem",
        emqx_tls_key=f"{own}.key",
        emqx_tls_ca=str(authority.file),
    )
    assert result.returncode != 0
    shown = " ".join(result.stdout.split())
    assert "Nothing was changed. 3 finding(s)" in shown
    assert (
        "Host n1: expected a certificate signed by CN=ca, found one signed by CN=foreign" in shown
    )
    assert "Host n2: expected the certificate to be valid at" in shown
    assert f"Host n3: expected DNS:{LAB.addresses['n3']} among its alternative names" in shown
    assert {h: LAB.hosts[h].check_output(f"sha256sum {TLS}/*") for h in HOSTS} == before


def test_off_needs_consent_and_changes_nothing_without() -> None:
    result = LAB.playbook("mqttops.emqx.site", emqx_dist_tls=False)
    assert result.returncode != 0
    shown = " ".join(result.stdout.split())
    assert "cluster.proto_dist, rpc.protocol must be the same on all nodes" in shown
    assert "emqx_allow_full_restart" in shown
    result = LAB.playbook("mqttops.emqx.site", **WISH)
    assert "changed=0" in result.stdout
    assert "changed=1" not in result.stdout, result.stdout


def test_the_doctor_names_an_expired_certificate(tmp_path: Path) -> None:
    authority = Authority.existing(tmp_path, CA / "ca.pem", CA / "ca-key.pem", b"Lab0passphrase")
    old = authority.issue("n3", DNSName(LAB.addresses["n3"]), days=-1)
    host, file = LAB.hosts["n3"], tmp_path / "doctor.json"
    host.check_output(f"cp -a {TLS} {TLS}.good")
    try:
        for name, path in (("cert.pem", old.cert), ("key.pem", old.key)):
            host.check_output(f"printf '%s' '{path.read_text(encoding='utf-8')}' >{TLS}/{name}")
        host.check_output("systemctl restart --no-block emqx")
        wait_until_stopped(HOSTS[0], "n3")
        result = LAB.playbook("mqttops.emqx.doctor", emqx_doctor_json=str(file), **WISH)
    finally:
        host.check_output(f"rm -r {TLS}; mv {TLS}.good {TLS}; systemctl restart --no-block emqx")
    found = json.loads(file.read_text(encoding="utf-8"))
    codes = {each["code"] for each in found["findings"]}
    assert codes == {"certificate_expired"}, result.stdout
    assert "PRIVATE KEY" not in file.read_text(encoding="utf-8")
    wait_for_all()


def wait_until_stopped(host: str, other: str, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while LAB.node_name(other) not in LAB.view(host)["stopped_nodes"]:
        assert time.monotonic() < deadline, f"{other} is still a running member"
        time.sleep(1)
