# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Other certificates and another CA while the cluster runs. The tests follow one another."""

from __future__ import annotations

import datetime as dt
import socket
import threading
import typing as t
from pathlib import Path

import pytest
from certificates import Authority
from cryptography import x509
from cryptography.x509 import DNSName
from lab_hosts import scenario_lab
from operations import changed, together
from tls_nodes import FOLDER, INVENTORY, PASSPHRASE, ca_folder, put, started, sums

LAB = scenario_lab()
HOSTS = ["n1", "n2"]
NAMES = {host: DNSName(LAB.addresses[host]) for host in HOSTS}
CA = ca_folder(LAB)


def run(*arguments: str, name: str = "rotate_certs", **variables: t.Any) -> str:
    result = LAB.playbook(f"mqttops.emqx.{name}", INVENTORY, *arguments, **variables)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def certificate(host: str) -> x509.Certificate:
    text = LAB.hosts[host].check_output(f"cat {FOLDER}/cert.pem")
    return x509.load_pem_x509_certificate(text.encode())


def trusted(host: str) -> set[str]:
    """Return the common names of the CAs that a host's node trusts."""
    text = LAB.hosts[host].check_output(f"cat {FOLDER}/ca.pem").encode()
    found = x509.load_pem_x509_certificates(text)
    return {ca.subject.rfc4514_string().rpartition("=")[2] for ca in found}


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


def test_nothing_to_do() -> None:
    assert changed(run()) == set()


def test_one_that_ends_soon_is_renewed(tmp_path: Path) -> None:
    kept = Authority.existing(tmp_path, CA / "ca.pem", CA / "ca-key.pem", PASSPHRASE)
    put(LAB, "n2", kept.issue("n2", NAMES["n2"], days=10))
    soon = f"{dt.datetime.now(dt.timezone.utc) + dt.timedelta(days=10):%Y-%m-%d}"
    assert f"n2: its certificate: it ends on {soon}" in " ".join(run(name="status").split())

    before, running = sums(LAB), {host: started(LAB, host) for host in HOSTS}
    shown = run("--check")
    assert "n2: a new certificate, and a restart" in " ".join(shown.split())
    assert {host for _task, host in changed(shown)} == {"n2"}
    assert (sums(LAB), {host: started(LAB, host) for host in HOSTS}) == (before, running)

    assert {host for _task, host in changed(run())} == {"n2"}
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


def test_another_ca_is_left_to_this_playbook(pki: dict[str, t.Any]) -> None:
    result = LAB.playbook("mqttops.emqx.site", INVENTORY, "--check", **pki)
    assert result.returncode != 0
    shown = " ".join(result.stdout.split())
    assert "Host n1: expected nodes that trust CN=theirs" in shown
    assert "run the playbook rotate_certs" in shown


def test_a_failure_ends_the_run(pki: dict[str, t.Any]) -> None:
    before, running = sums(LAB), {host: started(LAB, host) for host in HOSTS}
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
    assert LAB.view("n2")["running_nodes"] == [LAB.node_name("n2")]


def test_another_run_goes_on_to_the_new_ca(pki: dict[str, t.Any]) -> None:
    with NeverBoth() as watch:
        shown = run(**pki)
    assert (watch.looks > 50, watch.gaps) == (True, 0)
    together(LAB, *HOSTS)
    for host in HOSTS:
        assert trusted(host) == {"theirs"}
        assert certificate(host).issuer.rfc4514_string() == "CN=theirs"
    assert "BEGIN " not in shown


def test_it_stays_so(pki: dict[str, t.Any]) -> None:
    assert changed(run(**pki)) == set()
    assert changed(run(name="site", **pki)) == set()
