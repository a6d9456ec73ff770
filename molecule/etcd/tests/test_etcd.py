# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Discovery by etcd: formed, one member more, one member less, and what goes wrong."""

from __future__ import annotations

import typing as t

from certificates import Authority
from examples import Example
from lab_hosts import scenario_lab
from operations import changed, done, refused, together, wait_for

LAB = scenario_lab()
BROKERS, MEMBERS = ("n1", "n2"), ("n1", "n2", "n3")
EXAMPLE = Example(
    LAB, "etcd.yml", {f"192.0.2.{tens}{n}": f"n{n}" for tens in (1, 2) for n in (1, 2, 3)}
)
THIRD = "broker3.example.org"
NODES = "mq/ekkacl/nodes/"
# What nobody keeps alive: the key of a node and a lock.
DEAD = (f"{NODES}emqx@192.0.2.99", "mq/ekkacl/lock/4e46")
SPEED: dict[str, t.Any] = {"emqx_environment": {"EMQX_STANDIN_BOOT_SECONDS": "1"}}


def run(playbook: str, *arguments: str, **variables: t.Any) -> str:
    return done(EXAMPLE.playbook(f"mqttops.emqx.{playbook}", *arguments, **{**SPEED, **variables}))


def fail(playbook: str, **variables: t.Any) -> str:
    """Run a playbook that stops before the nodes start, and return what it says, in one line."""
    result = EXAMPLE.playbook(f"mqttops.emqx.{playbook}", **{**SPEED, **variables})
    assert result.returncode != 0, result.stdout
    return " ".join(result.stdout.split())


def of_etcd(output: str) -> set[tuple[str, str]]:
    """Return what a run changed of etcd, as task and host."""
    steps = changed(output)
    return {(task, host) for task, host in steps if task.startswith("mqttops.emqx.etcd : ")}


def etcdctl(*words: str, host: str = "n2") -> t.Any:
    folder = "/etc/mqttops-emqx/etcd"
    pair = f"--cacert={folder}/ca.pem --cert={folder}/cert.pem --key={folder}/key.pem"
    server = f"--endpoints=https://{LAB.addresses[host]}:2379"
    return LAB.hosts[host].run(f"ETCDCTL_API=3 etcdctl {server} {pair} {' '.join(words)}")


def keys(folder: str = NODES) -> list[str]:
    found = etcdctl("get", folder, "--prefix", "--keys-only")
    assert found.rc == 0, found.stderr
    return sorted(str(found.stdout).split())


def registered(*hosts: str) -> bool:
    return keys() == sorted(f"{NODES}{LAB.node_name(host)}" for host in hosts)


def members(state: str, *hosts: str) -> None:
    for host in hosts:
        LAB.hosts[host].check_output(f"systemctl {state} etcd")


def started(host: str) -> str:
    """Return when EMQX was started."""
    return str(LAB.hosts[host].check_output("systemctl show -P ActiveEnterTimestamp emqx"))


def is_active(host: str, unit: str) -> bool:
    return bool(LAB.hosts[host].service(unit).is_running)


def third(**variables: t.Any) -> None:
    """Put the third host into the group."""
    EXAMPLE.group("emqx")[THIRD] = {"ansible_host": LAB.addresses["n3"], **variables}


def archive() -> dict[str, str]:
    """Have n1 offer the programs of the package as etcd's project packs a release."""
    n1 = LAB.hosts["n1"]
    n1.check_output("mkdir -p /srv/web/etcd && cp /usr/bin/etcd /usr/bin/etcdctl /srv/web/etcd")
    n1.check_output("tar -C /srv/web -czf /srv/web/etcd.tar.gz etcd")
    n1.check_output("systemd-run --unit=web python3 -m http.server --directory /srv/web 8000")
    wait_for(lambda: bool(n1.socket("tcp://0.0.0.0:8000").is_listening), 10)
    checksum = n1.check_output("sha256sum /srv/web/etcd.tar.gz").split()[0]
    url = f"http://{LAB.addresses['n1']}:8000/etcd.tar.gz"
    return {"etcd_archive": url, "etcd_archive_sha256": checksum}


def test_another_etcd_is_left_alone() -> None:
    members("start", "n2")
    LAB.hosts["n3"].check_output("systemd-run --unit=squatter nc -lk 2380")
    wait_for(lambda: bool(LAB.hosts["n3"].socket("tcp://0.0.0.0:2380").is_listening), 10)
    said = refused(EXAMPLE.playbook("mqttops.emqx.etcd"))
    assert "etcd2.example.org, etcd.service: expected none, found an etcd that this role" in said
    assert "etcd3.example.org: expected nobody on the ports 2379 and 2380 of etcd, found nc" in said
    assert not LAB.hosts["n1"].file("/etc/mqttops-emqx").exists
    assert not (LAB.inventory.parent / "etcd-ca").exists()
    members("stop", "n2")
    LAB.hosts["n3"].check_output("systemctl stop squatter")


def test_another_ca() -> None:
    EXAMPLE.group("emqx").pop(THIRD)
    second = EXAMPLE.group("emqx")["broker2.example.org"]
    other = Authority(LAB.inventory.parent, "other").file.read_text(encoding="utf-8")
    second["emqx_etcd_ca"] = other
    EXAMPLE.group("etcd")["etcd3.example.org"].update(archive())
    said = fail("site")
    second.pop("emqx_etcd_ca")
    server = f"https://{LAB.addresses['n1']}:2379"
    assert "ERROR [etcd_other_ca] Host broker2.example.org" in said
    assert f"expected: a certificate of {server} that is signed by emqx_etcd_ca" in said
    assert "found: one of another CA (" in said
    assert "remedy: set it to the CA that signed the certificates of etcd" in said
    assert not any(is_active(host, "emqx") for host in BROKERS)


def test_the_members_of_etcd() -> None:
    assert all(etcdctl("endpoint", "health", host=host).rc == 0 for host in MEMBERS)
    assert LAB.hosts["n3"].check_output("pgrep -a etcd").split()[1].startswith("/opt/mqttops-etcd/")
    # Who has no certificate of the CA gets nothing.
    stranger = f"curl --silent --insecure https://{LAB.addresses['n2']}:2379/v3/kv/range"
    assert LAB.hosts["n1"].run(stranger).rc != 0


def test_the_cluster_forms() -> None:
    assert of_etcd(run("site")) == set()
    together(LAB, *BROKERS)
    assert registered(*BROKERS)
    for name in ("etcd-key.pem", "etcd-ca.pem"):
        file = LAB.hosts["n1"].file(f"/etc/mqttops-emqx/mq/{name}")
        assert (file.user, file.group, file.mode) == ("root", "emqx", 0o640)


def test_a_prefix_shared_with_a_second_cluster() -> None:
    first = dict(EXAMPLE.group("emqx"))
    EXAMPLE.group("emqx").clear()
    third(emqx_cluster_name="other", emqx_etcd_prefix="mq")
    said = fail("site", etcd_group="nobody")
    EXAMPLE.group("emqx").update(first)
    found = ", ".join(sorted(f"{NODES}{LAB.node_name(host)}" for host in BROKERS))
    assert f"ERROR [key_of_nobody] Host {THIRD}" in said
    assert f"the keys below {NODES} to include only cores of this cluster, none of {found}" in said
    assert "stop that node, or set an emqx_etcd_prefix that no other cluster has" in said
    assert not is_active("n3", "emqx")
    assert registered(*BROKERS)


def test_one_member_more_while_one_of_etcd_is_dead() -> None:
    LAB.hosts["n1"].check_output("systemctl kill --signal=KILL etcd; systemctl stop etcd")
    third()
    run("add_node", etcd_group="nobody")
    together(LAB, *BROKERS, "n3")
    assert registered(*BROKERS, "n3")


def test_one_member_less() -> None:
    for key in DEAD:
        assert etcdctl("put", key, "emqx@192.0.2.99").rc == 0
    run("remove_node", emqx_remove_hosts=THIRD)
    together(LAB, *BROKERS)
    wait_for(lambda: f"{NODES}{LAB.node_name('n3')}" not in keys(), 8)
    # Nothing of etcd is deleted unless asked for.
    assert set(DEAD) <= {*keys("mq/ekkacl/")}
    assert not LAB.hosts["n3"].service("emqx").is_enabled
    EXAMPLE.group("emqx").pop(THIRD)


def test_a_second_run_changes_nothing_but_what_is_asked_for() -> None:
    delete = "mqttops.emqx.emqx : Delete the keys in etcd that no node keeps alive, as asked"
    # The member that is dead comes back.
    start = "mqttops.emqx.etcd : Run etcd"
    steps = {(delete, "broker1.example.org"), (start, "etcd1.example.org")}
    assert changed(run("site", emqx_etcd_clean_keys=True)) == steps
    assert registered(*BROKERS)
    assert not set(DEAD) & {*keys("mq/ekkacl/")}
    assert etcdctl("endpoint", "health", host="n1").rc == 0


def test_no_node_starts_or_restarts_while_etcd_is_down() -> None:
    server = f"https://{LAB.addresses['n1']}:2379"
    before = {host: started(host) for host in BROKERS}
    members("stop", *MEMBERS)
    third()
    LAB.hosts["n3"].check_output(f"rm -rf {LAB.data}/mnesia")
    said = refused(EXAMPLE.playbook("mqttops.emqx.site", **SPEED, etcd_group="nobody"))
    assert f"found: what discovery gives {THIRD}: " in said
    assert f"an etcd at {server}" in said
    assert "a refused connection (" in said
    assert "start etcd on that host (journalctl -u etcd tells why it is down)" in said
    EXAMPLE.group("emqx").pop(THIRD)
    change = {"emqx_config": {"node": {"dist_net_ticktime": "90s"}}}
    said = fail("site", etcd_group="nobody", **change)
    assert "ERROR [etcd_refused] Hosts broker1.example.org, broker2.example.org" in said
    assert f"expected: an etcd at {server}" in said
    assert "found: a refused connection (" in said
    assert {host: started(host) for host in BROKERS} == before
    # Those that lost their lease write their keys again when they start.
    run("site", **change)
    together(LAB, *BROKERS)
    assert registered(*BROKERS)
    assert all(started(host) != before[host] for host in BROKERS)
