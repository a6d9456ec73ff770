# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""TLS between nodes, seen from every host, on the wire and in what is refused; and other
certificates and another CA while the cluster runs.

The tests follow one another.
"""

from __future__ import annotations

import datetime as dt
import json
import socket
import threading
import typing as t
from pathlib import Path

import pytest
from certificates import Authority, Files
from cryptography import x509
from cryptography.x509 import DNSName
from lab_hosts import ROOT, scenario_lab
from operations import changed, done, is_ready, refused, together, wait_for
from tls_nodes import FOLDER, INVENTORY, PASSPHRASE, ca_folder, put, started, sums
from wire import Wire

LAB = scenario_lab()
HOSTS = sorted(LAB.addresses)
MEMBERS = sorted(LAB.node_name(host) for host in HOSTS)
NAMES = {host: DNSName(LAB.addresses[host]) for host in HOSTS}
CA = ca_folder(LAB)


def run(name: str, *arguments: str, **variables: t.Any) -> str:
    return done(LAB.playbook(f"mqttops.emqx.{name}", INVENTORY, *arguments, **variables))


def in_one_line(output: str) -> str:
    return " ".join(output.split())


def whole() -> bool:
    """Tell whether all nodes see all members; the command line, which is dear, is asked last."""
    return all(is_ready(LAB, host) for host in HOSTS) and all(
        LAB.view(host)["running_nodes"] == MEMBERS for host in HOSTS
    )


def state() -> tuple[dict[str, str], dict[str, str]]:
    """Return what the nodes have and when they were started."""
    return sums(LAB), {host: started(LAB, host) for host in HOSTS}


def certificate(host: str) -> x509.Certificate:
    text = LAB.hosts[host].check_output(f"cat {FOLDER}/cert.pem")
    return x509.load_pem_x509_certificate(text.encode())


def trusted(host: str) -> set[str]:
    """Return the common names of the CAs that a host's node trusts."""
    text = LAB.hosts[host].check_output(f"cat {FOLDER}/ca.pem").encode()
    found = x509.load_pem_x509_certificates(text)
    return {ca.subject.rfc4514_string().rpartition("=")[2] for ca in found}


def test_every_member_sees_exactly_the_members() -> None:
    together(LAB, *HOSTS)


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


def test_a_node_without_tls_cannot_join() -> None:
    host = LAB.hosts["n2"]
    plain = (
        "runuser -u emqx -- env EMQX_CLUSTER__PROTO_DIST=inet_tcp EMQX_RPC__PROTOCOL=tcp"
        " EMQX_NODE__DATA_DIR=/tmp/plain EMQX_CLUSTER__DISCOVERY_STRATEGY=manual"
        f" {LAB.root}/bin/emqx"
    )
    host.check_output("systemctl stop emqx && install -d -o emqx /tmp/plain")
    host.check_output(f"cd / && {plain} start")
    joined = host.run(f"cd / && {plain} ctl cluster join {MEMBERS[0]}")
    assert "Failed to join the cluster" in joined.stdout + joined.stderr
    shown = in_one_line(LAB.playbook(str(ROOT / "molecule/tls/join.yml")).stdout)
    assert (
        f"tcp {LAB.addresses['n1']}:4370 speaks TLS, but this node does not"
        " (cluster.proto_dist is inet_tcp)"
    ) in shown
    host.check_output(f"cd / && {plain} stop")


def test_nothing_readable_on_the_wire(tmp_path: Path) -> None:
    wire = Wire(LAB, tmp_path / "wire")
    with wire:
        LAB.hosts["n2"].check_output("systemctl start emqx")
        wait_for(whole, 120)
    assert wire.has_tls()
    assert wire.readable() == set()


def refusal(files: dict[str, dict[str, str]], **more: t.Any) -> str:
    """Return what a run says that gets these certificates by host, and changes nothing."""
    before = state()
    shown = refused(
        LAB.playbook(
            "mqttops.emqx.site",
            INVENTORY,
            given=files,
            emqx_tls_certificate="{{ given[inventory_hostname].certificate }}",
            emqx_tls_key="{{ given[inventory_hostname].key }}",
            emqx_tls_ca="{{ given[inventory_hostname].ca }}",
            **more,
        )
    )
    assert state() == before
    return shown


def paths(files: Files, **other: str) -> dict[str, str]:
    found = {"certificate": files.cert, "key": files.key, "ca": files.ca, **other}
    return {name: str(path) for name, path in found.items()}


def test_input_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "theirs")
    good = {host: authority.issue(host, NAMES[host]) for host in HOSTS}
    shown = refusal(
        {
            "n1": paths(good["n1"], key="/nowhere/key.pem"),
            # Given as its text, which no message may show.
            "n2": paths(good["n2"], key=good["n1"].key.read_text()),
        }
    )
    assert "Nothing was changed: 2 findings are in the way." in shown
    assert "ERROR [tls_file] Host n1, emqx_tls_key" in shown
    assert "found: no file /nowhere/key.pem" in shown
    assert "Host n2, emqx_tls_certificate" in shown
    assert "expected: the private key of the certificate" in shown
    assert "BEGIN " not in shown

    nothing = dict.fromkeys(("certificate", "key", "ca"), "")
    shown = refusal({"n1": nothing, "n2": paths(good["n2"])}, emqx_tls_ca_passphrase="")
    assert "Nothing was changed: 2 findings are in the way." in shown
    assert "ERROR [tls_passphrase] Host n1, emqx_tls_ca_passphrase" in shown
    assert "expected: the passphrase that encrypts the CA" in shown
    assert "ERROR [tls_ca_change] Host n2, emqx_tls_ca" in shown
    assert "expected: nodes that trust CN=theirs" in shown
    assert "remedy: run the playbook rotate_certs" in shown


def test_off_needs_consent() -> None:
    shown = refused(LAB.playbook("mqttops.emqx.site", INVENTORY, emqx_dist_tls=False))
    assert "ERROR [full_restart] Cluster, emqx_allow_full_restart" in shown
    assert "as cluster.proto_dist, rpc.protocol must be the same on all nodes" in shown


def ours(folder: Path) -> Authority:
    """Return the CA that the cluster was built with."""
    return Authority.existing(folder, CA / "ca.pem", CA / "ca-key.pem", PASSPHRASE)


def start_with(files: Files) -> None:
    """Start n2 with another certificate."""
    host = LAB.hosts["n2"]
    host.check_output("systemctl stop emqx")
    put(LAB, "n2", files)
    host.check_output("systemctl start emqx")
    wait_for(lambda: bool(host.check_output("ss -Hltn 'sport = :4370'")), 60)


def examined(folder: Path, name: str) -> dict[str, str]:
    """Return what a playbook finds, by its codes, while n2 is kept out."""
    file = folder / f"{name}.json"
    LAB.playbook(f"mqttops.emqx.{name}", INVENTORY, **{f"emqx_{name}_json": str(file)})
    text = file.read_text(encoding="utf-8")
    assert "PRIVATE KEY" not in text
    found = json.loads(text)["findings"]
    return {each["code"]: f"expected {each['expected']}, found {each['found']}" for each in found}


def test_an_expired_one_is_kept_out_and_named(tmp_path: Path) -> None:
    start_with(ours(tmp_path).issue("n2", NAMES["n2"], days=-1))
    assert LAB.view("n1") == {"running_nodes": MEMBERS[:1], "stopped_nodes": MEMBERS[1:]}
    seen = examined(tmp_path, "doctor")
    assert list(seen) == ["certificate_expired"]
    assert "certificate of n2 is refused" in seen["certificate_expired"]
    before = examined(tmp_path, "preflight")
    assert "tls_expired" in before


def test_one_of_another_ca_is_kept_out_and_named(tmp_path: Path) -> None:
    start_with(Authority(tmp_path, "foreign").issue("n2", NAMES["n2"]))
    assert LAB.view("n1") == {"running_nodes": MEMBERS[:1], "stopped_nodes": MEMBERS[1:]}
    seen = examined(tmp_path, "doctor")
    assert list(seen) == ["certificate_other_ca"]
    assert "expected a certificate signed by CN=EMQX cluster" in seen["certificate_other_ca"]


def test_one_of_another_name_is_named(tmp_path: Path) -> None:
    start_with(ours(tmp_path).issue("n2", NAMES["n1"]))
    shown = in_one_line(run("status"))
    # A name is checked by who dials only: nobody reaches n2, not even its own command line.
    assert "not responding to pings" in LAB.emqx("n2", "ping").stderr
    expected = f"expected DNS:{LAB.addresses['n2']} among its alternative names"
    assert "expected: a certificate that peers accept" in shown
    assert f"found: its certificate: {expected}" in shown
    assert f"{certificate('n1').not_valid_after_utc:%Y-%m-%d}" in shown


def test_one_that_ends_soon_is_renewed(tmp_path: Path) -> None:
    start_with(ours(tmp_path).issue("n2", NAMES["n2"], days=10))
    wait_for(whole, 120)
    before, running = state()
    shown = run("rotate_certs", "--check")
    assert "n2: a new certificate, and a restart" in in_one_line(shown)
    assert {host for _task, host in changed(shown)} == {"n2"}
    assert state() == (before, running)

    assert {host for _task, host in changed(run("rotate_certs"))} == {"n2"}
    together(LAB, *HOSTS)
    assert started(LAB, "n1") == running["n1"]
    assert started(LAB, "n2") != running["n2"]
    assert sums(LAB)["n1"] == before["n1"]
    left = certificate("n2").not_valid_after_utc - dt.datetime.now(dt.timezone.utc)
    assert left > dt.timedelta(days=800)
    shown = LAB.hosts["n2"].check_output(f"stat -c '%n %U %G %a' {FOLDER}/*").splitlines()
    assert shown == [f"{FOLDER}/{name}.pem root emqx 640" for name in ("ca", "cert", "key")]


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> dict[str, t.Any]:
    """The user's own PKI: a file for one host, texts for the other, as variables."""
    folder = tmp_path_factory.mktemp("pki")
    authority = Authority(folder, "theirs")
    n1, n2 = (authority.issue(host, NAMES[host], days=300) for host in HOSTS)
    return {
        "certificates": {"n1": n1.cert.read_text(), "n2": str(n2.cert)},
        "keys": {"n1": n1.key.read_text(), "n2": str(n2.key)},
        "emqx_tls_certificate": "{{ certificates[inventory_hostname] }}",
        "emqx_tls_key": "{{ keys[inventory_hostname] }}",
        "emqx_tls_ca": authority.file.read_text(),
    }


class NeverBoth:
    """Watches that one of the nodes takes clients at any time."""

    def __enter__(self) -> NeverBoth:
        self.looks = 0
        self.gaps = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._end.wait(0.1):
            self.looks += 1
            self.gaps += not any(self._takes(address) for address in LAB.addresses.values())

    def _takes(self, address: str) -> bool:
        try:
            socket.create_connection((address, 1883), timeout=5).close()
        except OSError:
            return False
        return True

    def __exit__(self, *_error: object) -> None:
        self._end.set()
        self._thread.join()


def test_a_failure_ends_the_run(pki: dict[str, t.Any]) -> None:
    before, running = state()
    LAB.hosts["n1"].check_output("systemctl mask emqx")
    try:
        result = LAB.playbook("mqttops.emqx.rotate_certs", INVENTORY, **pki)
    finally:
        LAB.hosts["n1"].check_output("systemctl unmask emqx")
    assert result.returncode != 0
    assert trusted("n1") == {"EMQX cluster emqxcl", "theirs"}
    # The next node was not touched.
    assert sums(LAB)["n2"] == before["n2"]
    assert started(LAB, "n2") == running["n2"]
    # Nor was the first one stopped that cannot start.
    together(LAB, *HOSTS)


def test_another_run_goes_on_to_the_new_ca(pki: dict[str, t.Any]) -> None:
    with NeverBoth() as watch:
        shown = run("rotate_certs", **pki)
    assert (watch.looks > 50, watch.gaps) == (True, 0)
    together(LAB, *HOSTS)
    for host in HOSTS:
        assert trusted(host) == {"theirs"}
        assert certificate(host).issuer.rfc4514_string() == "CN=theirs"
    assert "BEGIN " not in shown


def test_it_stays_so(pki: dict[str, t.Any]) -> None:
    assert changed(run("rotate_certs", **pki)) == set()
    assert changed(run("site", **pki)) == set()


def test_off(tmp_path: Path) -> None:
    wire = Wire(LAB, tmp_path / "wire")
    with wire:
        run("site", emqx_dist_tls=False, emqx_allow_full_restart=True)
    together(LAB, *HOSTS)
    # What the look at the wire above did not find, it finds here.
    assert wire.readable() == {"handshake", "tables", *MEMBERS}


def test_on() -> None:
    for host in HOSTS:
        LAB.hosts[host].check_output(f"rm -r {FOLDER}")
    run("site", emqx_allow_full_restart=True)
    together(LAB, *HOSTS)
    assert all(is_ready(LAB, host) for host in HOSTS)
    dial = f"openssl s_client -connect {LAB.addresses['n2']}:4370 -CAfile {FOLDER}/ca.pem"
    assert "Verify return code: 0" in LAB.hosts["n1"].run(f"timeout 5 {dial} </dev/null").stdout
