# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import kubernetes_validate
import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._discovery import matching
from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Node
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import manifests
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.manifests import (
    Kubernetes,
    Manifests,
)
from ansible_collections.mqttops.emqx.tests.unit import tls_records

# The oldest one that there are schemas of, and a current one.
VERSIONS = ("1.25", "1.37")
ENDS = {"ip": "", "dns": "pod.cluster.local", "hostname": "svc.cluster.local"}
HOSTS = {
    "ip": "10.0.0.{}",
    "dns": "10-0-0-{}.iot.pod.cluster.local",
    "hostname": "mq-{}.mq.iot.svc.cluster.local",
}


def desired(members: str, kind: str, **more: t.Any) -> Kubernetes:
    fixed: dict[str, t.Any] = {
        "members": members,
        "service_name": "mq",
        "namespace": "iot",
        "address_type": kind,
        "suffix": ENDS[kind],
        "service_account": "mq-nodes",
        "image": "docker.io/emqx/emqx:5.8.9",
        "cookie_secret": "mq-cookie",
        "storage": "8Gi",
    }
    return Kubernetes(**{**fixed, **more})


def nodes(kind: str, host: str = "", known: bool = True) -> list[Node]:
    """Two cores and a replicant, whose addresses are known or not."""
    return [
        tls_records.node(
            (host or HOSTS[kind]).format(n),
            f"n{n}",
            "core" if n < 3 else "replicant",
            addresses=(f"10.0.0.{n}",) if known else (),
            host_is_ip=kind == "ip",
        )
        for n in (1, 2, 3)
    ]


def plan(members: str, kind: str, **more: t.Any) -> Manifests:
    found = nodes(kind) if members == "hosts" else []
    return manifests.plan(found, desired(members, kind, **more))


def by_kind(members: str, kind: str, **more: t.Any) -> dict[str, t.Any]:
    found = plan(members, kind, **more)
    assert found.findings == ()
    return {manifest["kind"]: manifest for manifest in found.manifests}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ENDS)
@pytest.mark.parametrize("members", ["hosts", "pods"])
def test_kubernetes_takes_them(members: str, kind: str, version: str) -> None:
    found = plan(members, kind, token_secret="mq-token", storage_class="fast").manifests
    assert found
    for manifest in found:
        kubernetes_validate.validate(manifest, version, strict=True)
        assert manifest["metadata"]["namespace"] == "iot"


def test_the_schemas_would_refuse_a_slip() -> None:
    slip = by_kind("pods", "ip")["Service"]
    slip["spec"]["selektor"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(slip, VERSIONS[1], strict=True)


@pytest.mark.parametrize("members", ["hosts", "pods"])
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("namespace", "../../x"),
        ("service_account", "MQ"),
        ("token_secret", "a b"),
        ("cookie_secret", "-a"),
        ("replicas", 0),
    ],
)
def test_what_kubernetes_would_refuse(members: str, key: str, value: t.Any) -> None:
    findings = plan(members, "ip", **{key: value}).findings
    assert [finding.subject for finding in findings] == [f"kubernetes_{key}"]


@pytest.mark.parametrize("members", ["hosts", "pods"])
def test_nothing_but_get_of_one_object(members: str) -> None:
    found = by_kind(members, "hostname")
    assert found["Role"]["rules"] == [
        {
            "apiGroups": [""],
            "resources": ["endpoints"],
            "resourceNames": ["mq"],
            "verbs": ["get"],
        }
    ]
    assert found["RoleBinding"]["roleRef"]["name"] == found["Role"]["metadata"]["name"]
    assert [subject["name"] for subject in found["RoleBinding"]["subjects"]] == ["mq-nodes"]
    assert found["ServiceAccount"]["metadata"]["name"] == "mq-nodes"
    assert found["Service"]["spec"]["clusterIP"] == "None"


class TestHosts:
    @pytest.mark.parametrize(
        ("kind", "addresses"),
        [
            ("ip", [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}]),
            ("dns", [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}]),
            (
                "hostname",
                [
                    {"ip": "10.0.0.1", "hostname": "mq-1"},
                    {"ip": "10.0.0.2", "hostname": "mq-2"},
                ],
            ),
        ],
    )
    def test_the_cores_are_the_endpoints(self, kind: str, addresses: t.Any) -> None:
        found = by_kind("hosts", kind)
        assert "StatefulSet" not in found
        assert "Secret" not in found
        assert "selector" not in found["Service"]["spec"]
        (subset,) = found["Endpoints"]["subsets"]
        assert subset["addresses"] == addresses
        assert (
            subset["ports"] == found["Service"]["spec"]["ports"] == [{"name": "ekka", "port": 4370}]
        )
        # The two belong together by their name.
        assert (
            found["Endpoints"]["metadata"]["name"] == found["Service"]["metadata"]["name"] == "mq"
        )

    def test_a_token_that_lasts(self) -> None:
        secret = by_kind("hosts", "ip", token_secret="mq-token")["Secret"]
        assert secret["type"] == "kubernetes.io/service-account-token"
        annotations = secret["metadata"]["annotations"]
        assert annotations == {"kubernetes.io/service-account.name": "mq-nodes"}
        assert "data" not in secret

    def findings(self, kind: str, **more: t.Any) -> tuple[Finding, ...]:
        return manifests.plan(nodes(kind, **more), desired("hosts", kind)).findings

    def test_an_address_that_nobody_knows(self) -> None:
        findings = self.findings("hostname", known=False)
        assert findings[0].sentence() == (
            "Host n1, emqx_node_addresses: expected an address of mq-1.mq.iot.svc.cluster.local "
            "for its endpoint, found none: set emqx_node_addresses of that host."
        )
        assert len(findings) == 2

    def test_a_name_that_emqx_does_not_make(self) -> None:
        finding, _second = self.findings("hostname", host="mq-{}.mq.other.svc.cluster.local")
        assert finding.sentence() == (
            "Host n1, emqx_node_address: expected emqx@mq-1.mq.iot.svc.cluster.local, as EMQX "
            "makes it of its endpoint, found a node named emqx@mq-1.mq.other.svc.cluster.local: "
            "set emqx_node_address to what is after the @, or correct emqx_k8s_address_type and "
            "emqx_k8s_suffix."
        )

    def test_no_core(self) -> None:
        (finding,) = manifests.plan([], desired("hosts", "ip")).findings
        assert (finding.code, finding.remedy) == ("no_core", "put hosts in the group")


class TestPods:
    def container(self, kind: str) -> dict[str, t.Any]:
        pod = by_kind("pods", kind)["StatefulSet"]["spec"]["template"]["spec"]
        assert pod["serviceAccountName"] == "mq-nodes"
        (container,) = pod["containers"]
        return dict(container)

    def environment(self, kind: str) -> dict[str, str]:
        return {each["name"]: each.get("value", "") for each in self.container(kind)["env"]}

    @pytest.mark.parametrize("kind", ENDS)
    def test_they_look_for_their_own_service(self, kind: str) -> None:
        found = self.environment(kind)
        settings = {
            key: found.get(f"EMQX_CLUSTER__K8S__{key.upper()}", "")
            for key in ("service_name", "namespace", "address_type", "suffix")
        }
        assert settings == desired("pods", kind).cluster_keys
        assert found["EMQX_CLUSTER__DISCOVERY_STRATEGY"] == "k8s"

    @pytest.mark.parametrize("kind", ["ip", "hostname"])
    def test_a_node_has_the_name_that_the_others_form(self, kind: str) -> None:
        host = self.environment(kind)["EMQX_HOST"]
        pod = {"POD_IP": "10.1.2.3", "POD_NAME": "mq-0"}
        for name, value in pod.items():
            host = host.replace(f"$({name})", value)
        entry = {"ip": pod["POD_IP"], "hostname": pod["POD_NAME"], "ready": True}
        assert (
            matching.form("k8s", desired("pods", kind).cluster_keys, "emqx", entry)
            == f"emqx@{host}"
        )

    def test_an_address_with_dashes(self) -> None:
        shell, _flag, script = self.container("dns")["command"]
        assert shell == "/bin/sh"
        assert 'EMQX_HOST="$(echo "$POD_IP" | tr . -).iot.pod.cluster.local"' in script
        assert "command" not in self.container("hostname")

    def test_the_service_selects_them_ready_or_not(self) -> None:
        found = by_kind("pods", "hostname")
        spec, service = found["StatefulSet"]["spec"], found["Service"]["spec"]
        labels = spec["template"]["metadata"]["labels"]
        assert service["selector"] == spec["selector"]["matchLabels"]
        assert service["selector"].items() <= labels.items()
        assert service["publishNotReadyAddresses"] is True
        assert spec["serviceName"] == found["Service"]["metadata"]["name"]
        assert spec["podManagementPolicy"] == "Parallel"

    def test_data_last_where_names_do(self) -> None:
        lasting = by_kind("pods", "hostname", storage_class="fast")["StatefulSet"]["spec"]
        (claim,) = lasting["volumeClaimTemplates"]
        assert claim["spec"]["storageClassName"] == "fast"
        assert claim["spec"]["resources"]["requests"] == {"storage": "8Gi"}
        for kind in ("ip", "dns"):
            spec = by_kind("pods", kind)["StatefulSet"]["spec"]
            assert "volumeClaimTemplates" not in spec
            assert spec["template"]["spec"]["volumes"] == [{"name": "data", "emptyDir": {}}]

    def test_no_secret_stands_in_it(self) -> None:
        (cookie,) = (e for e in self.container("ip")["env"] if e["name"] == "EMQX_NODE__COOKIE")
        assert cookie["valueFrom"] == {"secretKeyRef": {"name": "mq-cookie", "key": "cookie"}}
