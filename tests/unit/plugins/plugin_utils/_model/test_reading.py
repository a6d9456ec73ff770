# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest
from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.reading import (
    Reading,
    missing,
    plain,
    read,
    unknown_variables,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings

SECRET = "Dont-Show-This-1"


def reading(**variables: t.Any) -> Reading:
    return read({f"emqx_{name}": value for name, value in variables.items()}, "n1", "/inventory")


def settings(**variables: t.Any) -> Settings:
    found = reading(**variables)
    assert found.findings == ()
    return found.settings


def finding(**variables: t.Any) -> Finding:
    """Return the one finding of values, which has to be about the first of them."""
    found = reading(**variables)
    assert [each.subject for each in found.findings] == [f"emqx_{next(iter(variables))}"]
    assert found.findings[0].hosts == ("n1",)
    return found.findings[0]


class TestTypes:
    @pytest.mark.parametrize(
        "value",
        [
            *("true", "True", " YES ", "on", "1", "y", "t", 1, 1.0, True),
            *("false", "False", " no ", "OFF", "0", "n", "f", 0, 0.0, False),
        ],
    )
    def test_booleans_are_those_of_ansible(self, value: t.Any) -> None:
        assert settings(allow_full_restart=value).allow_full_restart is boolean(value)

    @pytest.mark.parametrize("value", ["maybe", "", "2", 2, -1, 0.5, None, [], {}, ["true"]])
    def test_no_boolean(self, value: t.Any) -> None:
        with pytest.raises(TypeError):
            boolean(value)
        assert finding(allow_full_restart=value).expected == "true or false"
        assert reading(allow_full_restart=value).settings.allow_full_restart is False

    @pytest.mark.parametrize(("value", "number"), [(5, 5), ("5", 5), (" 5 ", 5), ("+5", 5)])
    def test_whole_numbers(self, value: t.Any, number: int) -> None:
        assert settings(instance=value).instance == number

    @pytest.mark.parametrize(
        ("value", "found"),
        [
            ("5.5", "'5.5'"),
            ("five", "'five'"),
            ("", "''"),
            ("\u0665", "'\u0665'"),
            (5.0, "the number 5.0"),
            (True, "the boolean true"),
            (None, "nothing (null)"),
            ([5], "a list"),
            ({"5": 5}, "a dictionary"),
            (10**50, "a number of more than 18 digits"),
            ("9" * 5000, repr("9" * 60 + "...")),
        ],
    )
    def test_no_whole_number(self, value: t.Any, found: str) -> None:
        assert finding(instance=value).expected == "a whole number"
        assert finding(instance=value).found == found

    @pytest.mark.parametrize(
        ("value", "found", "remedy"),
        [
            (True, "the boolean true", "put it in quotes"),
            (12, "the number 12", "put it in quotes"),
            (5.8, "the number 5.8", "put it in quotes"),
            (None, "nothing (null)", "remove the variable to have its default"),
            (["a"], "a list", "make it a string"),
            ({"a": 1}, "a dictionary", "make it a string"),
            (b"abc", "a value of the type bytes", "make it a string"),
        ],
    )
    @pytest.mark.parametrize("name", ["cluster_name", "version", "server", "report"])
    def test_no_string(self, name: str, value: t.Any, found: str, remedy: str) -> None:
        seen = finding(**{name: value})
        assert (seen.code, seen.expected, seen.found) == ("wrong_type", "a string", found)
        assert seen.remedy.startswith(remedy)

    def test_lists(self) -> None:
        assert settings(cluster_hosts=["n1", "n2"]).cluster_hosts == ("n1", "n2")
        assert settings(cluster_hosts=("n1",)).cluster_hosts == ("n1",)
        assert settings(firewall_listener_ports=["1883", 8883]).firewall_listener_ports == (
            1883,
            8883,
        )
        ports = settings(container_ports=[1883, "1884:1883"]).container_ports
        assert ports == ("1883", "1884:1883")

    @pytest.mark.parametrize(
        ("name", "value", "found"),
        [
            ("cluster_hosts", "n1,n2", "'n1,n2'"),
            ("cluster_hosts", {"n1": {}}, "a dictionary"),
            ("cluster_hosts", ["n1", 2], "a list with the number 2"),
            ("cluster_hosts", ["n1", ["n2"]], "a list with a list"),
            ("cluster_hosts", None, "nothing (null)"),
            ("firewall_listener_ports", "1883", "'1883'"),
            ("firewall_listener_ports", 1883, "the number 1883"),
            ("firewall_listener_ports", [1883, True], "a list with the boolean true"),
            ("new_hosts", 4, "the number 4"),
        ],
    )
    def test_no_list(self, name: str, value: t.Any, found: str) -> None:
        seen = finding(**{name: value})
        assert seen.code == "wrong_type"
        assert seen.expected.startswith("a list of")
        assert seen.found == found

    def test_a_string_in_place_of_a_list_is_told_how_to_write_it(self) -> None:
        remedy = finding(etcd_servers="http://e1:2379").remedy
        assert remedy == (
            "write a list of strings in YAML, with -e in JSON: -e '{\"emqx_etcd_servers\": [...]}'"
        )

    @pytest.mark.parametrize("name", ["new_hosts", "remove_hosts"])
    @pytest.mark.parametrize("value", ["n4, n5,", ["n4", "n5"], ["n4,n5"]])
    def test_commas_where_the_documentation_has_them(self, name: str, value: t.Any) -> None:
        assert getattr(settings(**{name: value}), name) == ("n4", "n5")

    def test_phases(self) -> None:
        assert settings(phases="tls, configure").phases == ("tls", "configure")
        assert finding(phases="configure,restart").found == "'restart'"
        assert finding(phases=[]).expected == "at least one phase"

    def test_dictionaries_keep_what_they_hold(self) -> None:
        config = {"mqtt": {"max_topic_levels": 5, "a": [1, None, True, "x"]}}
        assert settings(config=config).config == config
        assert finding(config='{"mqtt": {}}').found == "a string that is not shown"

    def test_plain_values_have_no_types_of_others(self) -> None:
        class Tagged(str):
            pass

        seen = plain({Tagged("a"): (Tagged("b"), True, None, 1, 0.5)})
        assert seen == {"a": ["b", True, None, 1, 0.5]}
        assert [type(key) for key in seen] == [str]
        assert [type(item) for item in seen["a"]] == [str, bool, type(None), int, float]

    def test_a_newline_at_the_end_of_a_decrypted_secret_is_no_part_of_it(self) -> None:
        assert settings(license="abc\n", k8s_token="def\n").license == "abc"


class TestResolution:
    def test_what_is_empty_follows_from_others(self) -> None:
        found = settings()
        assert found.rpc_port_discovery == "stateless"
        assert found.container_name == "emqx"
        assert found.etcd_prefix == ""
        assert found.cookie_file == "/inventory/.emqx/emqxcl.cookie"
        assert found.tls_ca_dir == "/inventory/.emqx/emqxcl-ca"
        assert not found.rpc_tls

    def test_it_follows_each_of_them(self) -> None:
        found = settings(deployment="container", instance=2, cluster_name="iot", dist_tls="yes")
        assert found.rpc_port_discovery == "manual"
        assert found.container_name == "emqx-2"
        assert found.etcd_prefix == "iot"
        assert found.cookie_file == "/inventory/.emqx/iot.cookie"
        assert found.rpc_tls

    @pytest.mark.parametrize("value", [None, ""])
    def test_null_follows_where_that_is_documented(self, value: t.Any) -> None:
        assert settings(dist_tls=True, rpc_tls=value).rpc_tls

    def test_what_is_set_stays(self) -> None:
        given = {
            "rpc_port_discovery": "stateless",
            "container_name": "broker",
            "etcd_prefix": "p",
            "cookie_file": "/c",
            "tls_ca_dir": "/ca",
            "rpc_tls": False,
        }
        found = settings(deployment="container", dist_tls=True, **given)
        assert {name: getattr(found, name) for name in given} == given


class TestValues:
    @pytest.mark.parametrize(
        ("name", "values"),
        [
            ("data_dir", ["/data/emqx", "/srv/emqx", "/var/lib/emqx", "/mnt/d1", "/opt/emqx/data"]),
            ("root_dir", ["/opt/emqx", "/usr/local/emqx", "/home/emqx/5.8"]),
            ("download_dir", ["/var/cache/mqttops-emqx"]),
            ("upgrade_dir", ["/var/lib/mqttops-emqx/upgrade"]),
            ("rollback_package", ["", "/srv/emqx-5.8.8-debian12-amd64.deb"]),
            ("version", ["5.8.9", "5.10.4", "6.0.0-rc.1", "5.8.0-beta.2"]),
            ("cookie", ["", "abcdefghijklmnop", "A-b_0" * 12]),
            ("image", ["", "emqx/emqx:5.8.9", "r.example:5000/a/b@sha256:" + "0" * 64]),
            ("container_name", ["", "emqx1", "mqtt_broker.1-a"]),
            ("container_network", ["host", "emqx-net"]),
            ("container_subnet", ["10.213.0.0/24"]),
            ("container_ports", [["1883"], ["127.0.0.1:1884:1883/tcp"], ["1883-1885:1883-1885"]]),
            ("environment", [{"EMQX_LOG__CONSOLE__ENABLE": False, "A": "x y\nz", "B": 1.5}]),
            ("package", ["", "https://h.example/emqx.deb?a=b"]),
            ("evacuate_redirect_to", [["b1.example.org:1883"], ["[2001:db8::1]:1883"]]),
            ("restart_since", ["", "2026-12-01T06:30:00Z"]),
            ("package_sha256", ["", "aB" * 32]),
            ("download_url", ["", "https://mirror.example/emqx"]),
            ("license", ["", "evaluation", "file:///etc/emqx/licence"]),
            ("report", ["", "report.html", "/tmp/r/report.html"]),
            ("tls_ca_dir", ["", "ca", "/x/ca/", "../ca"]),
            ("tls_certificate", ["/x.pem", "-----BEGIN CERTIFICATE-----\nabc\n"]),
        ],
    )
    def test_right_ones(self, name: str, values: list[t.Any]) -> None:
        for value in values:
            found = getattr(settings(**{name: value}), name)
            if value:
                assert found == (tuple(value) if isinstance(value, list) else value)

    @pytest.mark.parametrize(
        ("name", "values"),
        [
            (
                "data_dir",
                ["/", "/etc", "/etc/x", "x/y", "/srv/a'b", "/srv/a;id", "/srv", "/a/../b"],
            ),
            ("data_dir", ["/srv/a b", "/srv/a%i", "/data/", "//data", "/data/.", "/" + "a" * 300]),
            ("data_dir", ["/usr/lib64/emqx", "/var/run/emqx", "/tmp/emqx", "/boot"]),
            ("root_dir", ["/", "", "/usr", "/usr/bin", "opt/emqx", "/opt"]),
            ("download_dir", ["/", "", "/var/cache", "/tmp", "~/x"]),
            ("upgrade_dir", ["/", "", "/var/lib", "/tmp", "x"]),
            ("upgrade_batch", [0, -1]),
            ("rollback_package", ["-i", "/tmp/a\nb"]),
            ("version", ["5", "5.8", "", "latest", "5.8.9; id", "v5.8.9", "5.8.9\n"]),
            ("image", ["-v/:/mnt", "emqx\nx", "a b", "emqx:5;id", "a" * 600]),
            ("container_name", ["../../x", "a;id", "-x", "a/b", "a\n", "..", "a" * 200]),
            ("container_network", ["", "none", "bridge", "container:x", "-x", "slirp4netns"]),
            ("container_subnet", ["", "10.213.0.0", "10.213.0.1/24", "fd00::/64", "x"]),
            ("container_ports", [["0"], ["70000"], ["a"], ["1:2:3"], ["1883/udp"], [""], [-1]]),
            ("container_options", [["--env=A\nB"], [""]]),
            ("environment", [{"A B": "x"}, {"1A": "x"}, {"A\nB": "x"}, {1: "x"}, {"": "x"}]),
            ("environment", [{"A": None}, {"A": ["x"]}, {"A": {"b": 1}}, {"A": "\0"}]),
            ("package", ["-i", " /tmp/a.deb", "/tmp/a\nb"]),
            ("evacuate_redirect_to", [["b1"], ["b1:1883 b2:1883"], ["b1:mqtt"], [""]]),
            ("restart_since", ["yesterday", "2026-12-01", "2026-13-01T00:00:00Z", "1h"]),
            ("package_sha256", ["abc", "g" * 64, "sha256:" + "a" * 64]),
            ("download_url", ["mirror", "https://a b", "https://a'", "javascript:x"]),
            ("repository_url", ["https://a\nURIs: x", "http://x`id`"]),
            ("license", ["two words", "a\nb"]),
            ("report", ["/tmp/", "..", "/tmp/."]),
            ("tls_ca_dir", ["/", ".", "/.."]),
            ("tls_certificate", ["a\nb"]),
            ("cluster_hosts", [["n1\n"], ["n1", ""]]),
            ("node_role", ["Core", "", "core\n"]),
            ("discovery_strategy", ["", "mcast", "DNS"]),
            ("instance", [-1, 80, "-1"]),
            ("rpc_server_port", [0, -1, 65536]),
            ("ready_timeout", [0, -5, 10**9]),
            ("tuning_nofile", [0, 2**31]),
            ("min_cores", [0]),
        ],
    )
    def test_wrong_ones(self, name: str, values: list[t.Any]) -> None:
        default = getattr(settings(), name)
        for value in values:
            found = finding(**{name: value})
            assert found.expected and found.found and found.remedy
            assert "\n" not in found.sentence()
            assert getattr(reading(**{name: value}).settings, name) == default, value

    @pytest.mark.parametrize(
        ("cookie", "why"),
        [
            ("emqxsecretcookie", "the default EMQX ships"),
            ("x" * 32, "fewer than 5 different characters"),
            ("tooshort", "8 characters"),
        ],
    )
    def test_why_a_cookie_is_refused(self, cookie: str, why: str) -> None:
        found = finding(cookie=cookie)
        assert why in found.found
        assert cookie not in found.sentence()

    @pytest.mark.parametrize(
        "variables",
        [
            {"data_dir": "/opt/emqx"},
            {"data_dir": "/data", "root_dir": "/data/emqx"},
            {"data_dir": "/data", "download_dir": "/data/cache"},
            {"root_dir": "/data", "download_dir": "/data"},
        ],
    )
    def test_directories_that_hold_one_another(self, variables: dict[str, str]) -> None:
        assert "does not hold" in finding(**variables).expected

    @pytest.mark.parametrize("part", ["bin", "etc/certs", "erts-13.2", "log"])
    def test_data_within_the_release(self, part: str) -> None:
        assert "no part of the release" in finding(data_dir=f"/opt/emqx/{part}").expected

    @pytest.mark.parametrize(
        ("package", "source", "expected"),
        [
            ("/tmp/emqx 1.deb", "download", "a URL"),
            ("https://h.example/emqx.deb", "controller", "a path"),
            ("https://h.example/emqx.deb", "host", "a path"),
        ],
    )
    def test_a_package_and_its_source(self, package: str, source: str, expected: str) -> None:
        found = finding(package=package, package_source=source).expected
        assert found == f"{expected}, as emqx_package_source is {source}"
        other = "controller" if source == "download" else "download"
        assert settings(package=package, package_source=other).package == package

    def test_a_repository_has_no_tarball(self) -> None:
        assert finding(package_source="repository", package_type="tarball").found == "repository"
        settings(package_source="repository", package_type="tarball", deployment="container")

    def test_all_at_once(self) -> None:
        found = reading(instance="x", cookie=5, phases="y", config=[], dist_tls="maybe").findings
        assert len(found) == 5

    def test_the_sentence(self) -> None:
        assert finding(node_role="seed").sentence() == (
            "Host n1, emqx_node_role: expected one of core, replicant, found 'seed': "
            "correct its spelling."
        )


class TestSecrets:
    @pytest.mark.parametrize("value", [SECRET, [SECRET], {"a": SECRET}, f"{SECRET}\nx"])
    @pytest.mark.parametrize("name", ["cookie", "environment", "container_options", "tls_key"])
    def test_no_value_of_a_secret_shows(self, name: str, value: t.Any) -> None:
        for found in reading(**{name: value}).findings:
            assert SECRET not in str(found.as_dict())

    @pytest.mark.parametrize(
        "value", [f"x://u:{SECRET}@h", f"u:{SECRET}@h\n", f"h\n?token={SECRET}"]
    )
    @pytest.mark.parametrize("name", ["download_url", "repository_key"])
    def test_no_password_of_a_url_shows(self, name: str, value: str) -> None:
        assert SECRET not in str(finding(**{name: value}).as_dict())

    def test_a_number_in_place_of_a_cookie(self) -> None:
        assert finding(cookie=1234567890123456).found == "a number that is not shown"


class TestNames:
    @pytest.mark.parametrize(
        ("name", "near"),
        [
            ("emqx_clustername", "emqx_cluster_name"),
            ("emqx_cluster_host", "emqx_cluster_hosts"),
            ("emqx_versoin", "emqx_version"),
            ("emqx_dist_tsl", "emqx_dist_tls"),
            ("emqx_cookies", "emqx_cookie"),
            ("emqx_allow_fullrestart", "emqx_allow_full_restart"),
            ("emqx_firewall_dashboard_network", "emqx_firewall_dashboard_networks"),
            ("emqx_cluster_groups", "emqx_cluster_group"),
        ],
    )
    def test_a_misspelt_name_has_its_neighbour_named(self, name: str, near: str) -> None:
        (found,) = unknown_variables([name], "n1")
        assert (found.severity, found.subject) == ("warning", name)
        assert found.remedy == f"did you mean {near}?"

    def test_no_false_alarms(self) -> None:
        known = [f"emqx_{name}" for name in Settings.__dataclass_fields__]
        own = [
            "emqx_version_note",
            "emqx_group",
            "emqx_users",
            "emqx_my_config",
            "emqx_config_common",
            "emqx_tls_certificate_source",
            "emqx_firewall_listener_networks_extra",
            "emqx_exporter_port",
            "emqx_dashboard_password",
            "emqx_cluster_group",
            "emqx_firewall_rules",
            "emqx_",
            "emqx",
            "cluster_nam",
            "__emqx_cooki",
            "ansible_host",
        ]
        assert unknown_variables(known + own, "n1") == []

    def test_names_in_order_and_once(self) -> None:
        found = unknown_variables(["emqx_versoin", "emqx_cooki", "emqx_versoin"], "n1")
        assert [each.subject for each in found] == ["emqx_cooki", "emqx_versoin"]


def test_what_has_to_be_set() -> None:
    given = {"emqx_dead_host": "n1", "emqx_new_host": ""}
    found = missing(given, ["dead_host", "new_host", "rename_host"], "n1")
    assert [each.subject for each in found] == ["emqx_new_host", "emqx_rename_host"]
