# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Discovery by Kubernetes: formed, one member more, one member less, and what goes wrong."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from certificates import Authority, ip
from cryptography.x509 import DNSName
from examples import Example, message, printed
from lab_hosts import ROOT, scenario_lab
from operations import changed, done, is_ready, together, wait_for

LAB = scenario_lab()
BROKERS = ("n1", "n2", "n3")
EXAMPLE = Example(LAB, "k8s.yml", {f"192.0.2.1{n}": f"n{n}" for n in (1, 2, 3)})
FOURTH = "broker4.example.org"
FOLDER = LAB.inventory.parent
API = LAB.hosts["n4"]
NAME = "k8s.example.org"
URL = f"https://{NAME}:6443"
PLACE = "/srv/kubernetes"
ENDPOINTS = "/api/v1/namespaces/iot/endpoints/emqx"
ROLE = "/apis/rbac.authorization.k8s.io/v1/namespaces/iot/roles/emqx-endpoints"
RULE = {"resources": ["endpoints"], "verbs": ["get"]}
SOURCE = "the endpoints of service emqx in namespace iot"
# Where every node of EMQX looks, and where this collection keeps what it finds there.
MOUNT = "/run/secrets/kubernetes.io/serviceaccount"
KEPT = "/etc/mqttops-emqx/emqxcl/serviceaccount"
ADMIN, NODE = "admin-of-the-test", "node-token-of-the-test"
# Of a service account without any right.
OTHER = "other-token-of-the-test"
UNIT = f"""[Service]
ExecStart=/usr/bin/python3 {PLACE}/kubernetes_api.py {PLACE} 6443
"""
CONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "lab",
    "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "admin"}}],
    "clusters": [
        {
            "name": "lab",
            "cluster": {
                "server": f"https://{LAB.addresses['n4']}:6443",
                "certificate-authority": f"{FOLDER}/k8s-ca.pem",
            },
        }
    ],
    "users": [{"name": "admin", "user": {"token": ADMIN}}],
}
SPEED: dict[str, t.Any] = {
    "emqx_environment": {"EMQX_STANDIN_BOOT_SECONDS": "1"},
    "kubernetes_kubeconfig": f"{FOLDER}/kubeconfig",
}
# A run that is to fail need not wait long for it, and leaves the endpoints as they are.
SHORT = {
    **SPEED,
    "emqx_ready_timeout": 12,
    "emqx_cluster_timeout": 1,
    "kubernetes_apply": False,
}


def put(host: t.Any, path: str, text: str) -> None:
    host.check_output(f"cat > {path} <<'END'\n{text}\nEND")


@pytest.fixture(scope="module", autouse=True)
def _kubernetes() -> None:
    """Have n4 serve the API, under a name that all hosts know."""
    authority = Authority(FOLDER, "k8s-ca")
    issued = authority.issue("k8s-api", DNSName(NAME), ip(LAB.addresses["n4"]))
    for host in LAB.hosts.values():
        host.check_output(f"echo {LAB.addresses['n4']} {NAME} >> /etc/hosts")
    API.check_output(f"mkdir -p {PLACE}")
    for name, file in (("cert.pem", issued.cert), ("key.pem", issued.key)):
        put(API, f"{PLACE}/{name}", file.read_text(encoding="ascii"))
    account = "system:serviceaccount:iot"
    users = {ADMIN: "admin", NODE: f"{account}:emqx", OTHER: f"{account}:other"}
    put(API, f"{PLACE}/tokens.json", json.dumps(users))
    script = ROOT / "tests" / "support" / "kubernetes_api.py"
    put(API, f"{PLACE}/kubernetes_api.py", script.read_text(encoding="utf-8"))
    put(API, "/etc/systemd/system/kubernetes-api.service", UNIT)
    (FOLDER / "kubeconfig").write_text(json.dumps(CONFIG), encoding="utf-8")
    os.environ["EMQX_K8S_TOKEN"] = NODE
    api("start")


def api(state: str) -> None:
    API.check_output(f"systemctl daemon-reload; systemctl {state} kubernetes-api")
    if state != "stop":
        wait_for(lambda: bool(API.socket("tcp://0.0.0.0:6443").is_listening), 20)


def ask(method: str, path: str, body: t.Any = None) -> t.Any:
    """Ask the API as its administrator."""
    sent = f"--data '{json.dumps(body)}'" if body else ""
    header = f"--header 'Authorization: Bearer {ADMIN}'"
    url = f"https://localhost:6443{path}"
    return json.loads(API.check_output(f"curl -sk -X {method} {header} {sent} '{url}'"))


def addresses() -> list[str]:
    (subset,) = ask("GET", ENDPOINTS)["subsets"]
    return sorted(address["ip"] for address in subset["addresses"])


def of(*hosts: str) -> list[str]:
    return sorted(LAB.addresses[host] for host in hosts)


def run(playbook: str, *arguments: str, **variables: t.Any) -> str:
    shown = done(EXAMPLE.playbook(f"mqttops.emqx.{playbook}", *arguments, **{**SPEED, **variables}))
    assert NODE not in shown
    return shown


def fail(playbook: str, *arguments: str, **variables: t.Any) -> list[str]:
    """Run a playbook that does not form the cluster and return what it says in the end."""
    result = EXAMPLE.playbook(playbook, *arguments, **{**SHORT, **variables})
    assert result.returncode != 0, result.stdout
    assert NODE not in result.stdout
    said = message(result.stdout)
    assert any(line.startswith("This run failed.") for line in said), result.stdout
    return said


def look() -> list[str]:
    """See to the membership alone, with a node that finds nobody, and return what is said."""
    return fail("mqttops.emqx.site", emqx_phases=["membership"], emqx_ready_timeout=2)


def fourth(wanted: bool) -> None:
    """Put the fourth host into the group, or take it out."""
    EXAMPLE.group("emqx").pop(FOURTH, None)
    if wanted:
        EXAMPLE.group("emqx")[FOURTH] = {"ansible_host": LAB.addresses["n4"]}


def everybody(finding: t.Mapping[str, str]) -> bool:
    """Tell whether a finding is about all hosts."""
    return all(host in finding["where"] for host in EXAMPLE.group("emqx"))


def in_the_unit(host: str, command: str) -> str:
    """Run a command as the node sees the host's files."""
    enter = "nsenter --mount --target $(systemctl show --property MainPID --value emqx)"
    return str(LAB.hosts[host].check_output(f"{enter} {command}"))


@pytest.mark.parametrize("members", ["hosts", "pods"])
def test_the_manifests_alone(members: str, tmp_path: Path) -> None:
    file = tmp_path / "emqx.yml"
    given = {"kubernetes_members": members, "kubernetes_file": str(file), "kubernetes_apply": False}
    run("kubernetes", **given)
    kinds = []
    for manifest in yaml.safe_load_all(file.read_text(encoding="utf-8")):
        kubernetes_validate.validate(manifest, "1.37", strict=True)
        kinds.append(manifest["kind"])
    assert kinds[-1] == {"hosts": "Endpoints", "pods": "StatefulSet"}[members]
    assert changed(run("kubernetes", **given)) == set()


def test_empty_hosts() -> None:
    predicted = run("site", "--check")
    assert {host for _task, host in changed(predicted)} >= set(EXAMPLE.group("emqx"))
    assert not API.file(f"{PLACE}/objects.json").exists
    run("site")
    together(LAB, *BROKERS)
    assert addresses() == of(*BROKERS)
    # The nodes asked, and nobody asked for more than that.
    asked = API.check_output(f"grep ^system: {PLACE}/log | sort -u")
    assert asked == f"system:serviceaccount:iot:emqx get {ENDPOINTS} 200"


def test_the_token_is_for_the_node_alone() -> None:
    for host in BROKERS:
        shown = LAB.hosts[host].check_output(f"stat -c '%U %G %a' {KEPT}/token")
        assert shown == "emqx emqx 600"
        assert LAB.hosts[host].run(f"ls -A {MOUNT}").stdout == ""
        assert in_the_unit(host, f"ls {MOUNT}").split() == ["ca.crt", "token"]
        assert NODE not in LAB.hosts[host].check_output("ps axww; journalctl --no-pager")


def test_it_is_there_after_a_boot() -> None:
    # What is below /run is gone by then.
    LAB.hosts["n3"].check_output("systemctl stop emqx && rm -r /run/secrets")
    LAB.hosts["n3"].check_output("systemctl start emqx")
    wait_for(lambda: is_ready(LAB, "n3"), 60)
    assert in_the_unit("n3", f"runuser -u emqx cat {MOUNT}/token") == NODE
    together(LAB, *BROKERS)


def test_the_api_is_down_at_boot() -> None:
    fourth(wanted=True)
    # A node looks again by itself, and would join before the next test has begun.
    ask("PATCH", ENDPOINTS, {"subsets": [{"addresses": [{"ip": "10.9.9.9"}]}]})
    api("stop")
    cause = printed(fail("mqttops.emqx.add_node"))[-1]
    assert cause["code"] == "k8s_refused"
    assert everybody(cause)
    assert cause["found"].startswith("a refused connection (")
    assert cause["expected"] == f"a Kubernetes API at {URL} that answers with {SOURCE}"
    assert cause["remedy"].startswith("start the API server")


def test_each_host_says_what_is_wrong_there() -> None:
    """n2 trusts another CA, n3 has a token without a right, and the endpoints are of nobody."""
    keep = f"cp -a {KEPT} /root/kept"
    foreign = Authority(FOLDER, "foreign").file.read_text(encoding="ascii")
    for host, name, text in (("n2", "ca.crt", foreign), ("n3", "token", OTHER)):
        LAB.hosts[host].check_output(keep)
        put(LAB.hosts[host], f"{KEPT}/{name}", text)
    api("start")
    said = look()
    assert f"{FOURTH} finds by {SOURCE} (asked {URL}): emqx@10.9.9.9" in said
    ca, right, missing, extra = printed(said)[-4:]
    assert (ca["code"], ca["where"]) == ("k8s_other_ca", "Host broker2.example.org")
    assert ca["expected"] == f"a certificate of {URL} that is signed by emqx_k8s_ca"
    assert ca["found"].startswith("one of another CA (")
    assert ca["remedy"].startswith("set it to the CA that signed the certificates")
    assert (right["code"], right["where"]) == ("forbidden", "Host broker3.example.org")
    assert right["found"].startswith(f"a token that may not get {SOURCE} (")
    assert right["expected"].startswith("a Role with the verb get on endpoints, bound to the")
    assert (missing["code"], extra["code"]) == ("no_endpoint", "endpoint_of_nobody")
    assert everybody(missing)
    assert missing["expected"].startswith(f"{SOURCE} to include {LAB.addresses['n1']}, ")
    assert missing["found"] == extra["found"] == "10.9.9.9"
    assert missing["remedy"].startswith("add the address to the Endpoints object")
    assert extra["expected"].endswith("only cores of this cluster, none of 10.9.9.9")
    assert extra["remedy"].startswith("take it out")
    for host in ("n2", "n3"):
        LAB.hosts[host].check_output(f"cp -a /root/kept/* {KEPT}/")


def test_one_member_more() -> None:
    run("kubernetes")
    assert addresses() == of(*BROKERS, "n4")
    # The node goes on looking by itself.
    wait_for(lambda: len(LAB.view("n4")["running_nodes"]) == 4, 60)
    together(LAB, *BROKERS, "n4")


def test_one_member_less() -> None:
    run("remove_node", emqx_remove_hosts=FOURTH)
    together(LAB, *BROKERS)
    assert addresses() == of(*BROKERS)
    assert not LAB.hosts["n4"].service("emqx").is_enabled
    fourth(wanted=False)


def test_a_second_run_writes_a_new_token_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMQX_K8S_TOKEN", f"{NODE}2")
    started = "systemctl show --property ActiveEnterTimestamp emqx"
    before = LAB.hosts["n1"].check_output(started)
    write = "mqttops.emqx.emqx : Write the configuration that EMQX accepts"
    assert changed(run("site")) == {(write, host) for host in EXAMPLE.group("emqx")}
    assert in_the_unit("n1", f"cat {MOUNT}/token") == f"{NODE}2"
    assert LAB.hosts["n1"].check_output(started) == before
    assert changed(run("site")) == set()
