# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest
from scenes import Scene

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import text as text_of
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.diagnose import diagnose

Change = t.Callable[[Scene], None]
# name, how the cluster is made ill, the codes in their order, what the first cause says
Row = t.Tuple[str, Change, t.List[str], str]

NC = {"process": "nc", "pid": 77, "unit": "squatter.service"}


def steps(*changes: Change) -> Change:
    def apply(scene: Scene) -> None:
        for change in changes:
            change(scene)

    return apply


def every(action: t.Callable[[Scene, str], None]) -> Change:
    return steps(*(lambda scene, host=host: action(scene, host) for host in ("n1", "n2", "n3")))


def asks_etcd(host: str, failure: str) -> Change:
    """Have a host ask etcd, which fails it."""
    problems = [f"Host {host}: {failure}"] if failure else []
    found = {"strategy": "etcd", "failure": failure, "names": [], "problems": problems}
    return lambda s: s.evidence[host].update(discovery={"discovery": found})


ROWS: list[Row] = [
    ("healthy", lambda s: None, [], ""),
    # One host
    ("host lost", lambda s: s.lost("n3"), ["unreachable"], "the host is down or cut off"),
    ("only SSH", lambda s: s.unreachable("n3"), ["unreachable"], "although its node runs"),
    (
        "not installed",
        lambda s: s.down("n3", active="inactive", installed=False),
        ["not_installed"],
        "EMQX is not installed on n3",
    ),
    (
        "disk full",
        steps(
            lambda s: s.down("n2"),
            lambda s: s.on_host("n2", disks={"/var/lib/emqx": s.space(0, 64)}),
            lambda s: s.log("n2", "disk_full", "enospc"),
        ),
        ["disk_full"],
        "the file system of /var/lib/emqx on n2 is full",
    ),
    (
        "disk full, on which a start ends as on a bad configuration",
        steps(
            lambda s: s.down("n2"),
            lambda s: s.on_host("n2", disks={"/var/lib/emqx": s.space(0, 64)}),
            lambda s: s.log("n2", "config", "call_hocon_failed: -v -t ... generate"),
        ),
        ["disk_full"],
        "is full",
    ),
    (
        "disk full and a bad configuration",
        steps(
            lambda s: s.down("n2", reason="ERROR: call_hocon_failed: -s emqx_conf_schema"),
            lambda s: s.on_host("n2", disks={"/var/lib/emqx": s.space(0, 64)}),
        ),
        ["disk_full", "config_refused"],
        "is full",
    ),
    (
        "disk full, node still up",
        lambda s: s.on_host("n2", disks={"/var/lib/emqx": s.space(1)}),
        ["disk_full"],
        "is full",
    ),
    (
        "no entries left",
        lambda s: s.on_host("n2", disks={"/d": {**s.space(900, 1000), "free_entries": 0}}),
        ["disk_full"],
        "has no file entries left",
    ),
    (
        "read-only",
        steps(
            lambda s: s.down("n2"),
            lambda s: s.on_host("n2", disks={"/d": {**s.space(500), "read_only": True}}),
            lambda s: s.on_host("n2", unusable=["/d"]),
        ),
        ["disk_full"],
        "is mounted read-only",
    ),
    (
        "disk nearly full",
        lambda s: s.on_host("n2", disks={"/var/lib/emqx": s.space(100)}),
        ["disk_low"],
        "nearly full",
    ),
    (
        "unreadable configuration",
        steps(lambda s: s.down("n2"), lambda s: s.on_host("n2", unusable=["/etc/emqx/emqx.conf"])),
        ["unusable_files"],
        "has no right to use /etc/emqx/emqx.conf",
    ),
    (
        "configuration refused",
        lambda s: s.down("n1", reason="ERROR: call_hocon_failed: -s emqx_conf_schema"),
        ["config_refused"],
        "EMQX on n1 refuses its configuration",
    ),
    (
        "configuration refused, by its log",
        steps(lambda s: s.down("n1"), lambda s: s.log("n1", "config", "validation_error")),
        ["config_refused"],
        "EMQX on n1 refuses its configuration",
    ),
    (
        "out of memory",
        steps(lambda s: s.down("n1"), lambda s: s.unit("n1", result="oom-kill")),
        ["memory"],
        "ran out of memory",
    ),
    (
        "port in use",
        steps(lambda s: s.down("n2"), lambda s: s.on_host("n2", listening={"4370": NC})),
        ["port_in_use"],
        "port 4370 of n2 is taken by nc (pid 77, unit squatter.service)",
    ),
    (
        "boots without etcd, again and again",
        steps(
            lambda s: s.down("n2", active="activating", sub="auto-restart"),
            asks_etcd("n2", "etcd_refused"),
        ),
        ["no_etcd"],
        "EMQX on n2 does not boot without its etcd",
    ),
    (
        "a lock in etcd ends no boot",
        steps(lambda s: s.down("n2"), asks_etcd("n2", "etcd_locked")),
        ["crashed"],
        "EMQX on n2 ended by itself",
    ),
    (
        "etcd away while the nodes run, which the next start needs",
        asks_etcd("n2", "etcd_refused"),
        ["discovery_nobody"],
        "what discovery gives n2: etcd_refused",
    ),
    (
        "what discovery lacks because a node is down",
        steps(
            lambda s: s.down("n2", active="inactive", sub="dead", result="success"),
            asks_etcd("n1", "no_record"),
        ),
        ["stopped"],
        "the service of EMQX is stopped on n2",
    ),
    (
        "MQTT port in use",
        steps(lambda s: s.down("n2"), lambda s: s.on_host("n2", listening={"1883": NC})),
        ["port_in_use"],
        "port 1883 of n2",
    ),
    (
        "another program on a port that a running node does not want",
        lambda s: s.evidence["n2"]["host"]["evidence"]["listening"].update({"1883": NC}),
        [],
        "",
    ),
    (
        "crash loop without a known cause",
        lambda s: s.down("n2", active="activating", sub="auto-restart"),
        ["crashed"],
        "EMQX on n2 ended by itself",
    ),
    (
        "silent",
        lambda s: s.view("n2", state="down", reason="gave no answer within 45 s"),
        ["silent"],
        "the node of n2 gives no answer",
    ),
    (
        "stopped",
        lambda s: s.down("n2", active="inactive", sub="dead"),
        ["stopped"],
        "the service of EMQX is stopped on n2",
    ),
    (
        "all stopped",
        every(lambda s, h: s.down(h, active="inactive", sub="dead")),
        ["stopped"],
        "stopped on n1, n2 and n3",
    ),
    (
        "booting",
        lambda s: s.view("n2", state="booting", reason="its applications are still starting"),
        ["booting"],
        "still booting",
    ),
    (
        "too many open files",
        lambda s: s.evidence["n1"]["host"]["evidence"]["processes"][0].update(
            open_files=1000, open_files_limit=1024
        ),
        ["file_limit"],
        "1000 of the 1024 files",
    ),
    (
        "unread evidence",
        lambda s: s.evidence["n1"].update(host={"failed": True, "msg": "I/O error"}),
        ["unread"],
        "what is on n1 could not be read",
    ),
    # Names
    (
        "renamed with its old name as a ghost",
        steps(
            lambda s: s.alone("n3"),
            every(lambda s, h: s.sees(h, h if h == "n3" else "n1 n2", "" if h == "n3" else "n3")),
            lambda s: s.view("n3", node="emqx3@10.0.0.3", running_nodes=["emqx3@10.0.0.3"]),
            lambda s: s.on_host("n3", data_nodes=["emqx3@10.0.0.3", "emqx@10.0.0.3"]),
        ),
        ["other_name"],
        "the node of n3 is called emqx3@10.0.0.3, the inventory has emqx@10.0.0.3",
    ),
    (
        "the vendor's default name",
        steps(
            lambda s: s.alone("n3"),
            lambda s: s.view("n3", node="emqx@127.0.0.1", running_nodes=["emqx@127.0.0.1"]),
            lambda s: s.on_host("n3", data_nodes=["emqx@127.0.0.1"]),
        ),
        ["other_name"],
        "(the name in the vendor's configuration)",
    ),
    (
        "data of another name",
        steps(lambda s: s.down("n3"), lambda s: s.on_host("n3", data_nodes=["emqx@10.9.9.9"])),
        ["data_of_other_name"],
        "holds the database of emqx@10.9.9.9, not of emqx@10.0.0.3",
    ),
    (
        "name not resolvable",
        steps(
            lambda s: s.split("n1 n2", "n3"),
            lambda s: s.resolve("n3", "n1"),
            lambda s: s.resolve("n3", "n2"),
            lambda s: s.link("n3", "n1", "unresolved"),
            lambda s: s.link("n3", "n2", "unresolved"),
        ),
        ["name_unresolved", "name_unresolved"],
        "n3 cannot resolve 10.0.0.1, the host of node emqx@10.0.0.1",
    ),
    (
        "name on loopback",
        steps(
            lambda s: s.split("n1 n3", "n2"),
            lambda s: s.resolve("n2", "n1", "127.0.1.1"),
            lambda s: s.resolve("n2", "n3", "127.0.1.1"),
        ),
        ["name_loopback", "name_loopback"],
        "on n2 the name 10.0.0.1 leads back to the host itself",
    ),
    ("own name on loopback", lambda s: s.resolve("n2", "n2", "127.0.1.1"), [], ""),
    (
        "name of an old address",
        steps(
            lambda s: s.split("n1 n2", "n3"),
            lambda s: s.resolve("n1", "n3", "10.0.0.99"),
            lambda s: s.resolve("n2", "n3", "10.0.0.99"),
            lambda s: s.link("n1", "n3", "filtered"),
            lambda s: s.link("n2", "n3", "filtered"),
        ),
        ["name_elsewhere"],
        "10.0.0.3, the address in the name of n3's node, is one that n3 does not have",
    ),
    (
        "own name leads elsewhere",
        steps(
            lambda s: s.down("n3"),
            lambda s: s.resolve("n3", "n3", "10.0.0.99"),
            lambda s: s.evidence["n3"]["links"]["probe"].update(own_address_local=False),
        ),
        ["name_not_own"],
        "10.0.0.3, the address in the name of n3's node, is none of n3's own",
    ),
    # Ports
    (
        "dropped in one direction",
        steps(
            lambda s: s.split("n1 n2", "n3"),
            lambda s: s.link("n3", "n1", "filtered", "distribution"),
            lambda s: s.link("n3", "n2", "filtered", "distribution"),
        ),
        ["closed_port"],
        "n3 gets no answer from n1 and n2 on the distribution port 4370: a firewall drops it, in "
        "this direction only",
    ),
    (
        "dropped, the nodes still together",
        lambda s: s.link("n3", "n1", "filtered", "distribution"),
        ["closed_port"],
        "n3 gets no answer from n1",
    ),
    (
        "rejected",
        steps(lambda s: s.split("n1 n2", "n3"), lambda s: s.link("n1", "n3", "refused")),
        ["closed_port", "split_brain"],
        "n1 is refused by n3 on the distribution port 4370 and rpc port 5370",
    ),
    (
        "no route",
        steps(lambda s: s.split("n1 n2", "n3"), lambda s: s.cut("n1", "n3", "no_route")),
        ["closed_port", "closed_port", "split_brain"],
        "has no route to",
    ),
    (
        "RPC port only",
        lambda s: s.link("n1", "n2", "filtered", "rpc"),
        ["closed_port"],
        "; the cluster forms, but messages between these nodes are lost",
    ),
    (
        "own port",
        steps(lambda s: s.down("n3", active="active"), lambda s: s.link("n3", "n3", "filtered")),
        ["closed_port"],
        "n3 gets no answer from its own address",
    ),
    (
        "partition",
        steps(
            lambda s: s.split("n1 n2", "n3"),
            lambda s: s.cut("n1", "n3"),
            lambda s: s.cut("n2", "n3"),
        ),
        ["closed_port", "closed_port"],
        "a firewall drops it",
    ),
    (
        "not listening",
        lambda s: s.evidence["n2"]["host"]["evidence"]["listening"].pop("5370"),
        ["not_listening"],
        "runs but does not listen on its RPC port 5370",
    ),
    # Who does not talk to whom
    (
        "other cookie",
        steps(
            lambda s: s.split("n1 n2", "n3"),
            lambda s: s.view("n3", cookie_fingerprint="bad"),
            lambda s: s.config("n3", cookie_fingerprint="bad"),
            lambda s: s.on_host(
                "n3", processes=[{"node": "emqx@10.0.0.3", "pid": 100, "cookie_fingerprint": "bad"}]
            ),
            lambda s: s.log("n1", "cookie", "Invalid challenge reply"),
        ),
        ["cookie"],
        "n3 has another cookie than n1 and n2",
    ),
    (
        "other cookie, mended in the file",
        steps(
            lambda s: s.split("n1 n2", "n3"),
            lambda s: s.on_host(
                "n3", processes=[{"node": "emqx@10.0.0.3", "pid": 100, "cookie_fingerprint": "bad"}]
            ),
        ),
        ["cookie"],
        "n3 got another one but did not restart since",
    ),
    (
        "cookie changed but not restarted",
        lambda s: s.config("n2", cookie_fingerprint="new"),
        ["cookie_pending"],
        "the cookie in the files of n2 was changed but not taken up by a restart",
    ),
    (
        "TLS on one side",
        steps(lambda s: s.split("n1 n2", "n3"), lambda s: s.view("n3", proto_dist="inet_tls")),
        ["transport"],
        "do not agree in cluster.proto_dist (n1 and n2: inet_tcp; n3: inet_tls)",
    ),
    (
        "port discovery differs",
        lambda s: s.view("n3", rpc_port_discovery="manual"),
        ["transport"],
        "do not agree in rpc.port_discovery",
    ),
    (
        "split brain",
        lambda s: s.split("n1 n2", "n3"),
        ["split_brain"],
        "{n1, n2} | {n3}",
    ),
    (
        "three parts",
        lambda s: s.split("n1", "n2", "n3"),
        ["split_brain"],
        "run on in 3 parts",
    ),
    (
        "one pair cut",
        steps(
            lambda s: s.sees("n1", "n1 n2", "n3"),
            lambda s: s.sees("n3", "n2 n3", "n1"),
        ),
        ["split_brain"],
        "{n1} | {n2} | {n3}",
    ),
    ("never joined", lambda s: s.alone("n3"), ["not_joined"], "n3 runs but is no member"),
    # Databases
    (
        "waiting for tables after a full stop",
        steps(
            lambda s: s.down("n2", active="inactive", sub="dead"),
            lambda s: s.down("n3", active="inactive", sub="dead"),
            lambda s: s.waits("n1", "n2", "n3"),
        ),
        ["waiting_for_tables"],
        "n1 waits for emqx@10.0.0.2 and emqx@10.0.0.3, which stopped later and hold newer data; "
        "n2 and n3 are stopped",
    ),
    (
        "waiting for a node with a full disk",
        steps(
            lambda s: s.down("n3"),
            lambda s: s.on_host("n3", disks={"/d": s.space(0)}),
            lambda s: s.waits("n1", "n3"),
            lambda s: s.waits("n2", "n3"),
        ),
        ["disk_full", "waiting_for_tables"],
        "on n3 is full",
    ),
    (
        "force-left while it was down",
        steps(
            lambda s: s.down("n3", active="activating", sub="auto-restart"),
            lambda s: s.sees("n1", "n1 n2"),
            lambda s: s.sees("n2", "n1 n2"),
        ),
        ["expelled"],
        "cannot boot on the database it still has",
    ),
    (
        "stopped, while the others are alone",
        steps(
            lambda s: s.alone("n1"),
            lambda s: s.alone("n2"),
            lambda s: s.down("n3", active="inactive", sub="dead"),
        ),
        ["not_joined", "stopped"],
        "n2 runs but is no member",
    ),
    (
        "killed, while the others are alone",
        steps(
            lambda s: s.alone("n1"),
            lambda s: s.alone("n2"),
            lambda s: s.down("n3", active="failed"),
        ),
        ["not_joined", "crashed"],
        "n2 runs but is no member",
    ),
    (
        "force-left by the one that was left",
        steps(
            lambda s: s.sees("n1", "n1"),
            lambda s: s.down("n2", active="failed"),
            lambda s: s.log("n2", "expelled", "not a member any more"),
            lambda s: s.unreachable("n3"),
        ),
        ["unreachable", "expelled"],
        "",
    ),
    (
        "a new node in its first boot",
        steps(
            lambda s: s.alone("n3"),
            lambda s: s.view("n3", state="booting", reason="its applications are still starting"),
        ),
        ["booting"],
        "still booting",
    ),
    (
        "a stale member",
        lambda s: s.view("n1", stopped_nodes=["emqx@10.0.0.9"]),
        ["stale_member"],
        "emqx@10.0.0.9 is listed as a stopped member but the inventory does not have it",
    ),
    (
        "a member that came back",
        every(lambda s, h: s.view(h, running_nodes=[*s.names.values(), "emqx@10.0.0.9"])),
        ["came_back"],
        "emqx@10.0.0.9 is a running member that the inventory does not have",
    ),
    # Discovery
    (
        "seeds of nobody",
        steps(
            lambda s: s.alone("n3"),
            lambda s: s.setting("n3", "cluster.static.seeds", ["emqx@10.0.0.3"]),
        ),
        ["discovery_nobody"],
        "discovery (static) on n3 finds no other node",
    ),
    (
        "seeds of others",
        steps(
            lambda s: s.alone("n3"),
            lambda s: s.setting("n3", "cluster.static.seeds", "emq@10.0.0.1,emqx@10.0.0.3"),
        ),
        ["discovery_others"],
        "finds only emq@10.0.0.1, no member",
    ),
    (
        "records of others",
        steps(
            lambda s: s.alone("n3"),
            lambda s: s.view("n3", discovery_strategy="dns"),
            lambda s: s.evidence["n3"].update(
                discovery={"discovery": {"names": [], "problems": ["NXDOMAIN"]}}
            ),
        ),
        ["discovery_nobody"],
        "discovery (dns) on n3",
    ),
    (
        "records of others, which all members would find as well",
        steps(
            lambda s: s.alone("n3"),
            every(lambda s, h: s.view(h, discovery_strategy="dns")),
            every(
                lambda s, h: s.evidence[h].update(
                    discovery={"discovery": {"names": ["emqx@10.9.9.9"], "problems": []}}
                )
            ),
        ),
        ["discovery_others"],
        "discovery (dns) on n3 finds only emqx@10.9.9.9, no member, so its node stays alone",
    ),
    # Configuration
    (
        "configuration differs",
        lambda s: s.config("n2", keys={"mqtt.max_packet_size": "bb"}),
        ["config_drift"],
        "the configuration of n2 (files) differs from that of the others in mqtt.max_packet_size",
    ),
    (
        "cluster.hocon differs",
        steps(
            *(
                lambda s, h=h: s.config(h, runtime_keys={"log.x": "1", "mqtt.y": "1"})
                for h in ("n1", "n2")
            ),
            lambda s: s.config("n3", runtime_keys={"mqtt.y": "2"}),
        ),
        ["config_drift"],
        "(cluster.hocon) differs from that of the others in mqtt.y",
    ),
    (
        "out of sync",
        every(
            lambda s, h: s.view(
                h, config_sync={"in_sync": False, "tnx_ids": dict(zip(s.names.values(), (4, 4, 3)))}
            )
        ),
        ["config_out_of_sync"],
        "emqx@10.0.0.3 did not follow the last changes",
    ),
    (
        "old values",
        lambda s: s.on_host("n1", stale=["cluster.autoclean"]),
        ["old_values"],
        "runs with old values of cluster.autoclean",
    ),
    (
        "overridden",
        every(lambda s, h: s.config(h, overridden=["mqtt.max_packet_size"])),
        ["overridden"],
        "mqtt.max_packet_size was changed at run time (cluster.hocon), but the files of n1, n2 and "
        "n3 say otherwise",
    ),
    # Versions and licences
    (
        "versions during an upgrade",
        lambda s: s.view("n1", version="5.8.8"),
        ["versions"],
        "5.8.9 on n2 and n3; 5.8.8 on n1",
    ),
]


def codes(scene: Scene) -> list[str]:
    return [found.code for found in diagnose(scene.nodes, scene.evidence).findings]


@pytest.mark.parametrize(
    ("change", "wanted", "text"), [row[1:] for row in ROWS], ids=[r[0] for r in ROWS]
)
def test_evidence_and_cause(change: Change, wanted: list[str], text: str) -> None:
    scene = Scene()
    change(scene)
    found = diagnose(scene.nodes, scene.evidence)
    assert [each.code for each in found.findings] == wanted, text_of(found.findings)
    assert not wanted or text in found.findings[0].found, text_of(found.findings)
    assert found.healthy == all(each.severity != "error" for each in found.findings)


def test_there_are_enough_rows() -> None:
    assert len(ROWS) >= 40
    assert len({name for name, *_rest in ROWS}) == len(ROWS)


FAULTS: dict[str, tuple[Change, str]] = {
    "disk": (
        steps(lambda s: s.down("n1"), lambda s: s.on_host("n1", disks={"/d": s.space(0)})),
        "disk_full",
    ),
    "port": (
        steps(lambda s: s.down("n2"), lambda s: s.on_host("n2", listening={"4370": NC})),
        "port_in_use",
    ),
    "ssh": (lambda s: s.lost("n3"), "unreachable"),
    "drift": (lambda s: s.config("n5", keys={"mqtt.max_packet_size": "bb"}), "config_drift"),
}


@pytest.mark.parametrize("one", FAULTS)
@pytest.mark.parametrize("other", FAULTS)
def test_two_faults_are_both_named(one: str, other: str) -> None:
    scene = Scene(5)
    both = sorted({one, other})
    for name in both:
        FAULTS[name][0](scene)
    assert sorted(codes(scene)) == sorted(FAULTS[name][1] for name in both)


@pytest.mark.parametrize("size", [1, 2, 5, 23])
def test_healthy_clusters_of_any_size(size: int) -> None:
    assert codes(Scene(size)) == []


def test_licence_of_a_joined_cluster() -> None:
    scene = Scene(version="5.10.4")
    scene.down("n3", active="activating", sub="auto-restart")
    scene.log("n3", "license", "SINGLE_NODE_LICENSE, make sure this node and peer nodes are ...")
    for host in ("n1", "n2"):
        scene.config(host, license="key")
    found = diagnose(scene.nodes, scene.evidence).findings
    assert [each.code for each in found] == ["license"]
    assert "n3 has the community licence, with which EMQX 5.10.4 runs on a single node only" in (
        found[0].found
    )


def test_licence_that_refuses_the_join() -> None:
    scene = Scene(version="5.10.4")
    for host in scene.hosts:
        scene.sees(host, host)
    found = diagnose(scene.nodes, scene.evidence).findings
    assert [each.code for each in found] == ["license"]
    assert found[0].hosts == ("n1", "n2", "n3")


def test_an_old_licence_line_of_a_healthy_cluster_is_no_finding() -> None:
    scene = Scene(version="5.10.4")
    for host in scene.hosts:
        scene.config(host, license="key")
        for sign in ("license", "cookie", "partition", "waiting", "crash", "discovery"):
            scene.log(host, sign, "of yesterday")
    assert codes(scene) == []


def test_replicant_without_a_core_of_its_version() -> None:
    scene = Scene(4, replicants=["n4"])
    scene.view("n4", state="booting", reason="its applications are still starting", version="5.8.8")
    found = diagnose(scene.nodes, scene.evidence).findings
    assert [each.code for each in found] == ["replicant_version"]
    assert "replicant n4 has EMQX 5.8.8 and finds no core of that version" in found[0].found


def test_a_replicant_that_is_stopped_is_not_listed() -> None:
    scene = Scene(4, replicants=["n4"])
    scene.down("n4", active="inactive")
    for host in ("n1", "n2", "n3"):
        scene.sees(host, "n1 n2 n3")
    assert codes(scene) == ["stopped"]


@pytest.mark.parametrize(("time", "words"), [(900.0, "95 s behind"), (1100.0, "90 s ahead of")])
def test_clocks(time: float, words: str) -> None:
    scene = Scene()
    scene.on_host("n2", time=time)
    found = diagnose(scene.nodes, scene.evidence, (995.0, 1010.0)).findings
    assert [each.code for each in found] == ["clock"]
    assert words in found[0].found


def test_errors_come_before_warnings() -> None:
    scene = Scene()
    scene.config("n1", keys={"mqtt.max_packet_size": "bb"})
    scene.on_host("n2", disks={"/d": scene.space(100)})
    scene.down("n3", active="inactive")
    assert codes(scene) == ["stopped", "disk_low", "config_drift"]


def test_hosts_that_were_not_asked_are_named_and_not_judged() -> None:
    scene = Scene()
    del scene.evidence["n3"]
    (found,) = diagnose(scene.nodes, scene.evidence).findings
    assert (found.code, found.severity, found.hosts) == ("not_examined", "warning", ("n3",))
    scene.evidence["n3"] = {"view": {}, "host": {}}
    assert codes(scene) == ["not_examined"]


def test_a_host_whose_discovery_could_not_be_asked_is_named() -> None:
    scene = Scene()
    scene.evidence["n2"]["discovery"] = {"failed": True, "msg": "no module dns"}
    (found,) = diagnose(scene.nodes, scene.evidence).findings
    assert (found.code, found.severity, found.hosts) == ("discovery_unasked", "warning", ("n2",))
    assert found.evidence == ("no module dns",)
    scene.evidence["n2"]["discovery"] = {"skipped": True}
    assert codes(scene) == []


def test_a_link_is_open_if_it_was_open_once() -> None:
    """What listened in place of a node is gone when the last of its peers came."""
    scene = Scene()
    links = scene.evidence["n1"]["links"]["probe"]["links"]
    again = [{**link, "state": "refused"} for link in links]
    scene.evidence["n1"]["links_again"] = {"probe": {"links": again}}
    assert codes(scene) == []
    for link in links:
        link["state"] = "refused"
    for link in again:
        link["state"] = "open"
    assert codes(scene) == []
    again[-1]["state"] = "filtered"
    found = diagnose(scene.nodes, scene.evidence).links
    closed = [link.state for link in found if link.state != "open"]
    assert closed == ["filtered"]


def test_links_and_text() -> None:
    scene = Scene(2)
    scene.link("n1", "n2", "filtered", "rpc")
    found = diagnose(scene.nodes, scene.evidence)
    assert len(found.links) == 8
    assert {"from": "n1", "to": "n2", "kind": "rpc", "port": 5370, "state": "filtered"} in [
        link.as_dict() for link in found.links
    ]
    lines = text_of(found.findings)
    assert lines[0] == "ERROR [closed_port] Hosts n1, n2"
    assert lines[2].startswith("   found: n1 gets no answer from n2")
    assert lines[3] == "   seen: n1 -> n2 tcp 5370 (rpc): filtered"
    assert lines[4].startswith("   remedy: on n2: nft list ruleset")
