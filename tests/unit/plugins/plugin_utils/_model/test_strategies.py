# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import ast
import typing as t
from dataclasses import fields
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from ansible_collections.mqttops.emqx.plugins.module_utils._discovery.table import (
    STRATEGIES as ASKED,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx import versions
from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding, is_error
from ansible_collections.mqttops.emqx.plugins.module_utils._node import decide
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model import (
    checks_pem,
    discovered,
    schema,
    topology,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    Cluster,
    Layout,
    ManagedFile,
    Member,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.strategies import base, table
from tests.support.certificates import Authority

Tree = t.Dict[str, t.Any]

SEEDS = ["emqx@10.0.0.1", "emqx@10.0.0.2", "emqx@10.0.0.3"]
ETCD = ("https://e1.example:2379", "https://e2.example:2379")
FILES = {"cacertfile": "/e/ca.pem", "certfile": "/e/cert.pem", "keyfile": "/e/key.pem"}
API = "https://k8s.example:6443"
TLS = {"enable": True, "verify": "verify_peer", **FILES}
PLAIN = {"etcd_ca": "", "etcd_certificate": "", "etcd_key": ""}
SECRET = "eyJhbGciOi.J9eyJpc3Mi.secret-part"


def layout() -> Layout:
    """Return a layout of which only what strategies read is set."""
    empty = {"bool": False, "Texts": (), "t.Mapping[str, str]": {}}
    values: Tree = {each.name: empty.get(str(each.type), "") for each in fields(Layout)}
    kubernetes = {"token": "/e/sa/token", "ca": "/e/sa/ca.crt"}
    given = {"user": "emqx", "etcd": FILES, "kubernetes": "/e/sa", "kubernetes_files": kubernetes}
    return Layout(**{**values, **given})


def model(settings: Tree, host: str = "10.0.0.{}", name: str = "") -> Cluster:
    """Return the model of three nodes; ``host`` makes the host part of their names."""
    members = [Member(f"n{n}", node_address=host.format(n)) for n in (1, 2)]
    members.append(Member("n3", node_address=host.format(3), node_name=name))
    return topology.build(members, Settings(**{"version": "5.8.9", **settings}), layout())


def errors(settings: Tree, host: str = "10.0.0.{}", name: str = "") -> list[Finding]:
    return [finding for finding in model(settings, host, name).findings if is_error(finding)]


def codes(settings: Tree, host: str = "10.0.0.{}", name: str = "") -> list[str]:
    return [finding.code for finding in errors(settings, host, name)]


def warned(settings: Tree) -> list[str]:
    return [finding.code for finding in model(settings).findings if not is_error(finding)]


def dns(**more: t.Any) -> Tree:
    return {"discovery_strategy": "dns", "dns_name": "mq.example", **more}


def etcd(**more: t.Any) -> Tree:
    given = {"etcd_ca": "ca.pem", "etcd_certificate": "cert.pem", "etcd_key": "key.pem"}
    return {
        "discovery_strategy": "etcd",
        "etcd_servers": ETCD,
        "etcd_prefix": "mq",
        **given,
        **more,
    }


def k8s(kind: str = "ip", **more: t.Any) -> Tree:
    return {
        "discovery_strategy": "k8s",
        "k8s_apiserver": API,
        "k8s_address_type": kind,
        **more,
    }


class TestConfig:
    @pytest.mark.parametrize(
        ("settings", "keys"),
        [
            ({"discovery_strategy": "manual"}, {}),
            ({"discovery_strategy": "singleton"}, {}),
            ({"discovery_strategy": "mcast"}, {}),
            ({"discovery_strategy": "static"}, {"static": {"seeds": SEEDS}}),
            (dns(), {"dns": {"name": "mq.example", "record_type": "a"}}),
            (
                dns(dns_record_type="srv"),
                {"dns": {"name": "mq.example", "record_type": "srv"}},
            ),
            (
                etcd(etcd_prefix="c1"),
                {"etcd": {"server": ",".join(ETCD), "prefix": "c1", "ssl_options": TLS}},
            ),
            (
                etcd(version="5.0.25"),
                {"etcd": {"server": ",".join(ETCD), "prefix": "mq", "ssl": TLS}},
            ),
            (
                etcd(etcd_servers=("http://e1:2379", "http://e2:2379"), **PLAIN),
                {"etcd": {"server": "http://e1:2379,http://e2:2379", "prefix": "mq"}},
            ),
            (
                etcd(**PLAIN),
                {
                    "etcd": {
                        "server": ",".join(ETCD),
                        "prefix": "mq",
                        "ssl_options": {"enable": True, "verify": "verify_none"},
                    }
                },
            ),
            (
                k8s(k8s_apiserver=f"{API}/"),
                {
                    "k8s": {
                        "apiserver": API,
                        "service_name": "emqx",
                        "namespace": "default",
                        "address_type": "ip",
                        "suffix": "",
                    }
                },
            ),
            (
                k8s("hostname", k8s_service_name="mq", k8s_namespace="iot"),
                {
                    "k8s": {
                        "apiserver": API,
                        "service_name": "mq",
                        "namespace": "iot",
                        "address_type": "hostname",
                        "suffix": "svc.cluster.local",
                    }
                },
            ),
        ],
    )
    @pytest.mark.parametrize("version", ["5.8.9", "5.0.26", "6.2.2"])
    def test_keys(self, settings: Tree, keys: Tree, version: str) -> None:
        assert model({"version": version, **settings}).discovery == keys

    @pytest.mark.parametrize("settings", [dns(), etcd(), etcd(version="5.0.0"), k8s("dns")])
    def test_every_key_is_one_of_that_version(self, settings: Tree) -> None:
        version = settings.get("version", "5.8.9")
        discovery = dict(model(settings).discovery)
        assert schema.unknown_keys({"cluster": discovery}, version) == []

    def test_without_a_layout_the_variables_are_paths(self) -> None:
        settings = Settings(**etcd(etcd_certificate="", etcd_key=""))
        found = topology.build([Member("n1")], settings).discovery["etcd"]["ssl_options"]
        assert found == {"enable": True, "verify": "verify_peer", "cacertfile": "ca.pem"}


class TestErrors:
    @pytest.mark.parametrize(
        ("settings", "found"),
        [
            (etcd(), []),
            (etcd(etcd_servers=("http://10.0.0.9:2379",), **PLAIN), []),
            (etcd(etcd_servers=("https://[fd00::9]:2379",)), ["bad_etcd_server"]),
            (etcd(etcd_servers=("https://e1:2379/",)), ["bad_etcd_server"]),
            (etcd(etcd_servers=("https://e1",)), ["bad_etcd_server"]),
            (etcd(etcd_servers=()), ["no_etcd_servers"]),
            (etcd(etcd_servers=("10.0.0.9:2379",)), ["bad_etcd_server"]),
            (etcd(etcd_servers=("https://e1:2379", "")), ["bad_etcd_server"]),
            (etcd(etcd_servers=("https://e1:2379", "http://e2:2379")), ["mixed_etcd_schemes"]),
            (etcd(etcd_servers=("http://e1:2379",)), ["etcd_tls_without_https"]),
            (etcd(etcd_prefix=""), ["no_etcd_prefix"]),
            (etcd(etcd_prefix="/mq/site-1"), []),
            (etcd(etcd_prefix="mq\n"), ["bad_etcd_prefix"]),
            (etcd(etcd_prefix="m q"), ["bad_etcd_prefix"]),
            (etcd(etcd_key=""), ["half_etcd_certificate"]),
            (etcd(etcd_certificate=""), ["half_etcd_certificate"]),
        ],
    )
    def test_etcd(self, settings: Tree, found: list[str]) -> None:
        assert codes(settings) == found

    @pytest.mark.parametrize(
        ("settings", "host", "found"),
        [
            (k8s(), "10.0.0.{}", []),
            (k8s(k8s_apiserver=""), "10.0.0.{}", ["no_k8s_apiserver"]),
            (k8s(k8s_apiserver="k8s.example"), "10.0.0.{}", ["no_k8s_apiserver"]),
            (k8s(), "n{}.example", ["k8s_name_form"] * 3),
            (k8s("dns"), "10-0-0-{}.default.pod.cluster.local", []),
            (k8s("dns"), "10.0.0.{}", ["k8s_name_form"] * 3),
            (k8s("hostname"), "emqx-{}.emqx.default.svc.cluster.local", []),
            (k8s("hostname"), "emqx-{}.default.svc.cluster.local", ["k8s_name_form"] * 3),
            (k8s("hostname", k8s_suffix="svc.corp"), "mq{}.emqx.default.svc.corp", []),
            (k8s(k8s_token=SECRET, k8s_ca="/ca"), "10.0.0.{}", []),
            (k8s(k8s_ca="/ca"), "10.0.0.{}", ["k8s_ca_without_token"]),
            (
                k8s(k8s_token=SECRET, k8s_ca="/ca", k8s_apiserver="https://10.0.0.9:6443"),
                "10.0.0.{}",
                ["k8s_ca_with_address"],
            ),
            (k8s(k8s_token=SECRET, k8s_apiserver="https://10.0.0.9:6443"), "10.0.0.{}", []),
            (k8s("name"), "10.0.0.{}", ["unknown_k8s_address_type"]),
        ],
    )
    def test_k8s(self, settings: Tree, host: str, found: list[str]) -> None:
        assert codes(settings, host) == found

    @pytest.mark.parametrize(
        ("setting", "value"),
        [
            *(("k8s_namespace", each) for each in ("../../x", "", "Default", "a.b", "a/b", "-a")),
            *(("k8s_namespace", each) for each in ("a\n", "a b", "x" * 64, "a%2f")),
            *(("k8s_service_name", each) for each in ("emqx?x=1", "", "EMQX", "emqx-", "..")),
            *(("k8s_suffix", each) for each in ("svc..local", ".local", "a b", "a/b")),
        ],
    )
    def test_what_is_no_name_in_kubernetes(self, setting: str, value: str) -> None:
        found = errors(k8s(**{setting: value}))
        assert [(each.code, each.subject) for each in found] == [
            ("bad_k8s_name", f"emqx_{setting}")
        ]
        assert found[0].sentence().isprintable()

    @pytest.mark.parametrize("token", [f"{SECRET}\nx", f"a {SECRET}", "\n", f"ä{SECRET}"])
    def test_what_is_no_token(self, token: str) -> None:
        (found,) = errors(k8s(k8s_token=token))
        assert (found.code, found.subject) == ("bad_k8s_token", "emqx_k8s_token")
        assert SECRET not in str(found)

    def test_a_token_of_a_file_may_end_in_a_line_break(self) -> None:
        assert codes(k8s(k8s_token=f"{SECRET}\n")) == []

    def test_the_sentence_names_variable_and_remedy(self) -> None:
        (finding,) = errors(etcd(etcd_servers=("http://e1:2379",)))
        assert finding.sentence() == (
            "Cluster, emqx_etcd_servers: expected URLs with https where emqx_etcd_ca or "
            "emqx_etcd_certificate is set, found http: write https, or remove the certificates."
        )

    def test_singleton(self) -> None:
        settings: Tree = {"discovery_strategy": "singleton", "version": "5.8.0"}
        assert codes(settings) == ["singleton_with_peers"]
        alone = topology.build([Member("n1.example")], Settings(**settings))
        assert not any(map(is_error, alone.findings))
        older = Settings(**{**settings, "version": "5.7.2"})
        found = topology.build([Member("n1.example")], older).findings
        assert found[0].code == "discovery_strategy_not_in_version"

    @pytest.mark.parametrize("settings", [dns(), k8s()])
    def test_short_names(self, settings: Tree) -> None:
        name = "emqx3@10.0.0.3"
        assert codes(settings, name=name) == ["short_names_differ"]
        assert codes({"discovery_strategy": "static"}, name=name) == []


class TestDns:
    @pytest.mark.parametrize(
        ("record", "name", "hosts"),
        [
            ("a", "emqx@n3.example", ["n3"]),
            ("a", "", []),
            ("srv", "emqx@n3.example", ["n1", "n2"]),
        ],
    )
    def test_names_of_nodes(self, record: str, name: str, hosts: list[str]) -> None:
        found = errors(dns(dns_record_type=record), name=name)
        expected = [("dns_name_form", (host,)) for host in hosts]
        assert [(each.code, each.hosts) for each in found] == expected

    def test_aaaa(self) -> None:
        settings = dns(dns_record_type="aaaa", proto_dist="inet6_tcp")
        assert codes(settings, "fd00::{}") == []
        assert "dns_name_form" in codes(settings, "fd00::{}", name="emqx@10.0.0.1")

    @pytest.mark.parametrize("name", ["", "localhost"])
    def test_needs_a_name(self, name: str) -> None:
        assert codes(dns(dns_name=name)) == ["no_dns_name"]
        assert codes(dns(dns_name=name, discovery_strategy="static")) == []

    @pytest.mark.parametrize(
        "name", ["emqx", "mq.example.", "_emqx._tcp.mq.example", "1.mq.example", "xn--x.example"]
    )
    def test_a_name(self, name: str) -> None:
        assert codes(dns(dns_name=name)) == []

    @pytest.mark.parametrize(
        "name",
        [
            *("mq example", "mq..example", ".mq", "-mq.example", "mq-.example", "10.0.0.1"),
            *(
                "https://mq.example",
                "mq.example:53",
                "mq/x",
                "mq\n",
                "fd00::1",
                "*.mq",
                "mü.example",
            ),
            *("x" * 64 + ".example", "mq." * 90 + "example", "."),
        ],
    )
    def test_what_is_no_name(self, name: str) -> None:
        (found,) = errors(dns(dns_name=name))
        assert (found.code, found.subject) == ("bad_dns_name", "emqx_dns_name")
        assert found.sentence().isprintable()


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        (etcd(), []),
        (etcd(version="5.8.8"), ["etcd_prefix_unsafe"]),
        (etcd(**PLAIN), ["etcd_not_verified"]),
        (etcd(etcd_servers=("http://e1:2379",), **PLAIN), []),
        (dns(version="5.8.8"), []),
        (k8s(), []),
        (k8s(k8s_token=SECRET), ["k8s_not_verified"]),
        (k8s(k8s_token=SECRET, k8s_ca="/ca"), []),
        (k8s(k8s_token=SECRET, k8s_apiserver="http://k8s.example"), ["k8s_without_tls"]),
    ],
)
def test_warnings(settings: Tree, found: list[str]) -> None:
    assert warned(settings) == found


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return PEM texts: a CA, a certificate, its key in three states, and another key."""
    authority = Authority(tmp_path_factory.mktemp("ca"), "ca")
    own, other = authority.issue("own"), authority.issue("other")
    key = serialization.load_pem_private_key(own.key.read_bytes(), None)
    encrypted = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"passphrase"),
    )
    text = own.key.read_text(encoding="ascii")
    return {
        "ca": authority.file.read_text(encoding="ascii"),
        "cert": own.cert.read_text(encoding="ascii"),
        "key": text,
        "encrypted": encrypted.decode(),
        "cut": text[: len(text) // 2],
        "other": other.key.read_text(encoding="ascii"),
        "garbage": "garbage",
        "": "",
    }


class TestTexts:
    @pytest.mark.parametrize(
        ("ca", "certificate", "key", "found"),
        [
            ("ca", "cert", "key", []),
            ("ca", "", "", []),
            ("", "", "", []),
            ("garbage", "cert", "key", [("bad_certificate", "emqx_etcd_ca")]),
            ("key", "cert", "key", [("bad_certificate", "emqx_etcd_ca")]),
            ("ca", "garbage", "key", [("bad_certificate", "emqx_etcd_certificate")]),
            ("ca", "cert", "garbage", [("bad_key", "emqx_etcd_key")]),
            ("ca", "cert", "cut", [("bad_key", "emqx_etcd_key")]),
            ("ca", "cert", "cert", [("bad_key", "emqx_etcd_key")]),
            ("ca", "cert", "encrypted", [("encrypted_key", "emqx_etcd_key")]),
            ("ca", "cert", "other", [("other_key", "emqx_etcd_key")]),
        ],
    )
    def test_etcd(
        self,
        pem: dict[str, str],
        ca: str,
        certificate: str,
        key: str,
        found: list[tuple[str, str]],
    ) -> None:
        texts = {
            "emqx_etcd_ca": pem[ca],
            "emqx_etcd_certificate": pem[certificate],
            "emqx_etcd_key": pem[key],
        }
        findings = list(table.of("etcd").check_texts(Settings(**etcd()), texts))
        assert [(each.code, each.subject) for each in findings] == found
        for each in findings:
            assert is_error(each) and not any(text and text in str(each) for text in texts.values())

    @pytest.mark.parametrize(("ca", "found"), [("ca", []), ("garbage", ["bad_certificate"])])
    def test_k8s(self, pem: dict[str, str], ca: str, found: list[str]) -> None:
        settings = Settings(**k8s(k8s_token=SECRET, k8s_ca="ca.pem"))
        findings = table.of("k8s").check_texts(settings, {"emqx_k8s_ca": pem[ca]})
        assert [each.code for each in findings] == found

    def test_a_key_for_any_certificate(self, pem: dict[str, str]) -> None:
        assert list(checks_pem.private_key("emqx_tls_key", pem["other"])) == []


class TestFiles:
    TEXTS: t.ClassVar = {
        "emqx_etcd_ca": "CA\n\n",
        "emqx_etcd_certificate": "CERT",
        "emqx_etcd_key": "KEY",
        "emqx_k8s_ca": "CA",
    }

    def files(self, settings: Tree) -> list[ManagedFile]:
        given = Settings(**settings)
        return list(table.of(given.discovery_strategy).files(given, layout(), self.TEXTS))

    def test_etcd(self) -> None:
        shared: Tree = {"group": "emqx", "mode": "0640"}
        assert self.files(etcd()) == [
            ManagedFile("/e/ca.pem", "CA\n", **shared),
            ManagedFile("/e/cert.pem", "CERT\n", **shared),
            ManagedFile("/e/key.pem", "KEY\n", secret=True, **shared),
        ]
        assert self.files(etcd(**PLAIN)) == []

    def test_k8s(self) -> None:
        token = ManagedFile(
            "/e/sa/token", SECRET, owner="emqx", group="emqx", mode="0600", secret=True
        )
        assert self.files(k8s(k8s_token=f"{SECRET}\n", k8s_ca="ca.pem")) == [
            token,
            ManagedFile("/e/sa/ca.crt", "CA\n", group="emqx", mode="0640"),
        ]
        assert self.files(k8s(k8s_token=SECRET)) == [token]
        assert self.files(k8s()) == []

    def test_others_have_none(self) -> None:
        assert self.files(dns()) == []


class TestQuestion:
    def asked(self, settings: Tree) -> Tree:
        cluster = model(settings)
        return discovered.question(Settings(**settings), cluster, cluster.nodes["n2"], layout())

    def test_what_a_host_is_asked(self) -> None:
        assert self.asked(dns()) == {
            "strategy": "dns",
            "settings": {"name": "mq.example", "record_type": "a"},
            "node": "emqx@10.0.0.2",
            "nodes": [
                {"name": name, "inventory_host": f"n{number}", "role": "core"}
                for number, name in enumerate(SEEDS, 1)
            ],
        }

    def test_with_the_account_of_the_node(self) -> None:
        assert "service_account" not in self.asked(k8s())
        assert self.asked(k8s(k8s_token=SECRET))["service_account"] == "/e/sa"

    @pytest.mark.parametrize("name", ["manual", "singleton", "mcast"])
    def test_nothing_to_ask(self, name: str) -> None:
        assert self.asked({"discovery_strategy": name}) == {}


class TestTable:
    def test_every_strategy_of_emqx_is_known_but_the_old_one(self) -> None:
        assert {*versions.CHOICES["discovery_strategy"]} - {"mcast"} == set(table.STRATEGIES)
        assert table.of("mcast") == base.Strategy("mcast")

    def test_what_is_asked_is_known_on_the_hosts(self) -> None:
        assert {name for name, each in table.STRATEGIES.items() if each.asks_service} < set(ASKED)
        assert {name for name, each in table.STRATEGIES.items() if each.finds_peers} == set(ASKED)

    def test_every_code_is_one_of_its_own(self) -> None:
        for name, each in table.STRATEGIES.items():
            named = {*each.harmless, *each.foreign, *each.brought, *each.asked_by_files}
            rules = ASKED.get(name)
            known = {*rules.REASONS, *rules.FAILURES} if rules else set()
            assert named | each.to_come <= known

    def test_every_variable_is_one_of_the_settings(self) -> None:
        known = {f"emqx_{each.name}" for each in fields(Settings)}
        found = table.variables()
        assert set(found.values()) <= known and len(found) == 10
        keys = schema.known_keys("cluster", "5.8.9")
        assert {key.partition(".")[2] for key in found} <= set(keys)

    def test_hosts_know_those_that_find_nobody(self) -> None:
        alone = {name for name, each in table.STRATEGIES.items() if not each.finds_peers}
        assert alone == decide.FINDS_NOBODY


def test_no_other_file_compares_the_names_of_strategies() -> None:
    plugins = Path(table.__file__).parents[3]
    own = {Path(table.__file__).parent, plugins / "module_utils/_discovery"}
    # Other settings that have a value of the same name.
    others = "rpc_port_discovery", "address_type"
    found = {
        f"{path.name}: {ast.unparse(compared)}"
        for path in plugins.rglob("*.py")
        if path.parent not in own
        for compared in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(compared, ast.Compare)
        and not any(other in ast.unparse(compared) for other in others)
        for constant in ast.walk(compared)
        if isinstance(constant, ast.Constant) and constant.value in table.STRATEGIES
    }
    assert found == set()
