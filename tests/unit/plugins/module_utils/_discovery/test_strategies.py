# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._discovery import strategies
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model import schema, topology

Settings = t.Dict[str, t.Any]

SEEDS = ["emqx@10.0.0.1", "emqx@10.0.0.2", "emqx@10.0.0.3"]
ETCD = ["https://e1.example:2379", "https://e2.example:2379"]
FILES = {"cacertfile": "/e/ca.pem", "certfile": "/e/cert.pem", "keyfile": "/e/key.pem"}
API = "https://k8s.example:6443"


def model(settings: Settings, host: str = "10.0.0.{}") -> dict[str, t.Any]:
    """Return the model of three nodes; ``host`` makes the host part of their names."""
    members: list[dict[str, t.Any]] = [
        {"inventory_host": f"n{n}", "emqx_node_address": host.format(n)} for n in (1, 2, 3)
    ]
    return topology.build(members, {"version": "5.8.9", **settings})


def codes(settings: Settings, host: str = "10.0.0.{}") -> list[str]:
    found: list[dict[str, str]] = model(settings, host)["errors"]
    return [finding["code"] for finding in found]


def warned(settings: Settings) -> list[str]:
    return [finding["code"] for finding in model(settings)["warnings"]]


def dns(**more: t.Any) -> Settings:
    return {"discovery_strategy": "dns", "dns_name": "mq.example", **more}


def etcd(**more: t.Any) -> Settings:
    wish = {"etcd_servers": ETCD, "etcd_prefix": "mq", "etcd_ssl": FILES}
    return {"discovery_strategy": "etcd", **wish, **more}


def k8s(kind: str = "ip", **more: t.Any) -> Settings:
    return {
        "discovery_strategy": "k8s",
        "k8s_apiserver": API,
        "k8s_address_type": kind,
        **more,
    }


TLS = {"enable": True, "verify": "verify_peer", **FILES}


class TestConfig:
    @pytest.mark.parametrize(
        ("settings", "keys"),
        [
            ({"discovery_strategy": "manual"}, {}),
            ({"discovery_strategy": "singleton"}, {}),
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
                etcd(etcd_servers="http://e1:2379, http://e2:2379", etcd_ssl={}),
                {"etcd": {"server": "http://e1:2379,http://e2:2379", "prefix": "mq"}},
            ),
            (
                etcd(etcd_ssl={"cacertfile": "", "certfile": "", "keyfile": ""}),
                {
                    "etcd": {
                        "server": ",".join(ETCD),
                        "prefix": "mq",
                        "ssl_options": {"enable": True, "verify": "verify_none"},
                    }
                },
            ),
            (
                k8s(),
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
    def test_keys(self, settings: Settings, keys: Settings, version: str) -> None:
        assert model({"version": version, **settings})["discovery"] == keys

    @pytest.mark.parametrize("settings", [dns(), etcd(), etcd(version="5.0.0"), k8s("dns")])
    def test_every_key_is_one_of_that_version(self, settings: Settings) -> None:
        version = settings.get("version", "5.8.9")
        assert schema.unknown_keys({"cluster": model(settings)["discovery"]}, version) == []


class TestErrors:
    @pytest.mark.parametrize(
        ("settings", "found"),
        [
            (etcd(), []),
            (etcd(etcd_servers=["http://10.0.0.9:2379"], etcd_ssl={}), []),
            (etcd(etcd_servers=["https://[fd00::9]:2379"]), ["bad_etcd_server"]),
            (etcd(etcd_servers=["https://e1:2379/"]), ["bad_etcd_server"]),
            (etcd(etcd_servers=["https://e1"]), ["bad_etcd_server"]),
            (etcd(etcd_servers=[]), ["no_etcd_servers"]),
            (etcd(etcd_servers=["10.0.0.9:2379"]), ["bad_etcd_server"]),
            (etcd(etcd_servers=["https://e1:2379", ""]), ["bad_etcd_server"]),
            (etcd(etcd_servers=["https://e1:2379", "http://e2:2379"]), ["mixed_etcd_schemes"]),
            (etcd(etcd_servers=["http://e1:2379"]), ["etcd_tls_without_https"]),
            (etcd(etcd_prefix=""), ["no_etcd_prefix"]),
            (
                etcd(etcd_ssl={"cacertfile": "/ca", "certfile": "/cert", "keyfile": ""}),
                ["half_etcd_certificate"],
            ),
            (
                etcd(etcd_ssl={"cacertfile": "/ca", "keyfile": "/key"}),
                ["half_etcd_certificate"],
            ),
        ],
    )
    def test_etcd(self, settings: Settings, found: list[str]) -> None:
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
            (k8s(k8s_token=True, k8s_ca="/ca"), "10.0.0.{}", []),
            (k8s(k8s_ca="/ca"), "10.0.0.{}", ["k8s_ca_without_token"]),
            (
                k8s(k8s_token=True, k8s_ca="/ca", k8s_apiserver="https://10.0.0.9:6443"),
                "10.0.0.{}",
                ["k8s_ca_with_address"],
            ),
            (k8s(k8s_token=True, k8s_apiserver="https://10.0.0.9:6443"), "10.0.0.{}", []),
            (k8s("name"), "10.0.0.{}", ["unknown_k8s_address_type"]),
        ],
    )
    def test_k8s(self, settings: Settings, host: str, found: list[str]) -> None:
        assert codes(settings, host) == found

    def test_the_message_names_variable_and_remedy(self) -> None:
        (finding,) = model(etcd(etcd_servers=["http://e1:2379"]))["errors"]
        assert finding["message"] == (
            "Cluster: emqx_etcd_servers is http, expected URLs with https where emqx_etcd_ca or "
            "emqx_etcd_certificate is set: write https, or remove the certificates."
        )


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        (etcd(), []),
        (etcd(version="5.8.8"), ["etcd_prefix_unsafe"]),
        (etcd(etcd_ssl={}), ["etcd_not_verified"]),
        (etcd(etcd_servers=["http://e1:2379"], etcd_ssl={}), []),
        (dns(version="5.8.8"), []),
        (k8s(), []),
        (k8s(k8s_token=True), ["k8s_not_verified"]),
        (k8s(k8s_token=True, k8s_ca="/ca"), []),
        (k8s(k8s_token=True, k8s_apiserver="http://k8s.example"), ["k8s_without_tls"]),
    ],
)
def test_warnings(settings: Settings, found: list[str]) -> None:
    assert warned(settings) == found


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://10.0.0.9:6443", True),
        ("https://10.0.0.9/", True),
        ("https://[fd00::9]:6443", True),
        ("https://10.example.org", False),
        ("https://kubernetes.default.svc:443", False),
    ],
)
def test_named_by_address(url: str, found: bool) -> None:
    assert strategies.named_by_address(url) is found


def test_all_settings_have_a_default() -> None:
    assert set(strategies.DEFAULTS) <= set(topology.SETTINGS_KEYS)
