# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import dataclasses
import hashlib
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.module_utils._host import sysctl_changes, sysctls
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    FileState,
    HostState,
    ManagedFile,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import tuning

RESERVED = tuning.RESERVED_PORTS
RANGE = "net.ipv4.ip_local_port_range"
SOMAXCONN = "net.core.somaxconn"
Values = t.Mapping[str, t.Any]


def plan(live: Values, wanted: Values, ports: t.Iterable[int] = ()) -> tuning.TuningPlan:
    return tuning.plan(Settings(tuning_sysctl=wanted), ports, HostState(sysctls=live), "emqx")


def findings(live: Values, wanted: Values, **settings: t.Any) -> list[Finding]:
    known = Settings(**{"tuning_sysctl": wanted, **settings})
    return tuning.findings(known, HostState(sysctls=live), "n1")


def read_only(value: str, reason: str = sysctls.READ_ONLY) -> dict[str, t.Any]:
    """Return what host_info says of a value that cannot be set."""
    return {"value": value, "writable": False, "reason": reason, "asked": "", "kept": ""}


def settable(value: str, asked: str = "", kept: str = "") -> dict[str, t.Any]:
    return {"value": value, "writable": True, "reason": "", "asked": asked, "kept": kept}


def state_of(file: ManagedFile) -> FileState:
    checksum = hashlib.sha256(file.content.encode()).hexdigest()
    return FileState(True, "0644", "root", "root", "0", "0", checksum)


class TestPlan:
    @pytest.mark.parametrize(
        ("key", "live", "wanted", "value", "pending"),
        [
            (SOMAXCONN, "4096", 32768, "32768", True),
            (SOMAXCONN, "32768", 32768, "32768", False),
            (SOMAXCONN, "65535", 32768, "32768", True),
            (RANGE, "32768\t60999", "1024 65535", "1024 65535", True),
            (RANGE, "1024\t65535", "1024   65535", "1024 65535", False),
            ("net.ipv4.tcp_rmem", "1024\t4096\t16777216", "1024 4096 16777216", None, False),
            ("net.ipv4.tcp_tw_reuse", "2", True, "1", True),
            ("net.ipv4.tcp_congestion_control", "cubic", "bbr", "bbr", True),
            # Limits of the whole machine are kept where they are higher.
            ("fs.file-max", "9223372036854775807", 2097152, "9223372036854775807", False),
            ("fs.file-max", "100000", 2097152, "2097152", True),
            ("fs.nr_open", "1048576", "2097152", "2097152", True),
            ("fs.nr_open", "2097152", "2097152", "2097152", False),
            ("net.netfilter.nf_conntrack_max", "2000000", 1000000, "2000000", False),
            ("net.core.rmem_max", "212992", 16777216, "16777216", True),
        ],
    )
    @pytest.mark.parametrize("shape", ["plain", "record"])
    def test_one_key(
        self, key: str, live: str, wanted: t.Any, value: str | None, pending: bool, shape: str
    ) -> None:
        text = value if value is not None else wanted
        found = plan({key: live if shape == "plain" else settable(live)}, {key: wanted})
        assert found.values == {key: text}
        assert found.pending == ({key: text} if pending else {})
        assert found.skipped == {}

    def test_unknown_keys_are_skipped_and_named(self) -> None:
        live = {"net.b": None, SOMAXCONN: "1", "net.a": None}
        found = plan(live, {"net.b": 1, SOMAXCONN: 1, "net.a": 1, "net.not-read": 1})
        assert found.skipped == dict.fromkeys(["net.a", "net.b", "net.not-read"], sysctls.UNKNOWN)
        assert found.values == {SOMAXCONN: "1"}

    def test_values_are_sorted(self) -> None:
        found = plan({"net.b": "1", "net.a": "1"}, {"net.b": 2, "net.a": 2})
        assert list(found.values) == list(found.pending) == ["net.a", "net.b"]

    @pytest.mark.parametrize(
        ("live", "wanted", "ports", "value", "pending"),
        [
            ("", {}, [5370, 4370], "4370,5370", True),
            ("4370,5370", {}, [4370, 5370], "4370,5370", False),
            ("4300-4400,8080", {}, [4370, 5370], "4300-4400,5370,8080", True),
            ("9000", {RESERVED: "8000-8002, 8003"}, [8004], "8000-8004,9000", True),
            ("9000", {RESERVED: 8000}, [], "8000,9000", True),
            ("", {}, [], "", False),
        ],
    )
    def test_reserved_ports_are_added_to_what_is_there(
        self, live: str, wanted: Values, ports: list[int], value: str, pending: bool
    ) -> None:
        found = plan({RESERVED: live}, wanted, ports)
        assert found.values == {RESERVED: value}
        assert list(found.pending) == ([RESERVED] if pending else [])

    def test_a_kernel_without_reserved_ports(self) -> None:
        assert plan({RESERVED: None}, {}, [4370]).values == {}
        found = plan({RESERVED: None}, {RESERVED: "8000"}, [4370])
        assert list(found.skipped) == [RESERVED]

    def test_the_input_stays_as_it_was(self) -> None:
        wanted = {RESERVED: "8000"}
        plan({RESERVED: ""}, wanted, [4370])
        assert wanted == {RESERVED: "8000"}

    def test_nothing_where_it_is_switched_off(self) -> None:
        settings = Settings(tuning_enabled=False, tuning_sysctl={"kernel.x": None})
        host = HostState(sysctls={SOMAXCONN: "1"})
        assert tuning.plan(settings, [4370], host, "emqx") == tuning.TuningPlan()
        assert tuning.keys(settings) == ()
        assert tuning.findings(settings, host, "n1") == []

    def test_what_has_to_be_read(self) -> None:
        assert tuning.keys(Settings(tuning_sysctl={SOMAXCONN: 1})) == (SOMAXCONN, RESERVED)


class TestFiles:
    def test_their_content(self) -> None:
        kernel, limits = plan({"net.b": "1", SOMAXCONN: "1"}, {"net.b": 2, SOMAXCONN: 3}).files
        header = "#\n# Managed by Ansible (mqttops.emqx): changes made here are lost.\n#\n"
        assert kernel == ManagedFile(
            "/etc/sysctl.d/90-mqttops-emqx.conf", f"{header}net.b = 2\n{SOMAXCONN} = 3\n"
        )
        assert limits == ManagedFile(
            "/etc/security/limits.d/90-mqttops-emqx.conf",
            f"{header}emqx soft nofile 2097152\nemqx hard nofile 2097152\n",
        )

    def test_a_container_has_its_limits_from_its_unit(self) -> None:
        settings = Settings(deployment="container")
        (kernel,) = tuning.plan(settings, [], HostState(), "1000").files
        assert kernel.path == sysctls.FILE

    def test_a_second_run_has_nothing_to_do(self) -> None:
        settings = Settings(tuning_sysctl={SOMAXCONN: 32768})
        first = tuning.plan(settings, [], HostState(sysctls={SOMAXCONN: "4096"}), "emqx")
        assert first.todo
        files = {file.path: state_of(file) for file in first.files}
        after = HostState(sysctls={SOMAXCONN: settable("32768", "32768")}, files=files)
        assert not tuning.plan(settings, [], after, "emqx").todo
        lost = dataclasses.replace(after, files={})
        assert tuning.plan(settings, [], lost, "emqx").todo

    def test_the_steps(self) -> None:
        host = HostState(sysctls={SOMAXCONN: "4096", "net.a": "1"})
        settings = Settings(tuning_sysctl={SOMAXCONN: 32768, "net.a": 1})
        planned = tuning.plan(settings, [], host, "emqx")
        assert [(step.text, step.reason) for step in tuning.steps(planned, host, "n1")] == [
            (f"write {sysctls.FILE}", "it differs"),
            (f"write {tuning.LIMITS_FILE}", "it differs"),
            (f"set {SOMAXCONN} = 32768", "it is 4096"),
        ]


class TestValuesThatAreNotKept:
    """A kernel that caps what it is asked for, and the note of it in our own file."""

    WANTED: t.ClassVar[Values] = {SOMAXCONN: 32768}

    def second_run(self, live: str, kept: str, wanted: int = 32768) -> tuning.TuningPlan:
        """Return the plan after a run that asked for 32768, where ``kept`` was noted."""
        first = plan({SOMAXCONN: "4096"}, self.WANTED)
        text = sysctl_changes.noted(first.files[0].content, {SOMAXCONN: kept})
        files = {file.path: state_of(file) for file in first.files}
        files[sysctls.FILE] = dataclasses.replace(
            files[sysctls.FILE], sha256=hashlib.sha256(text.encode()).hexdigest()
        )
        host = HostState(sysctls={SOMAXCONN: settable(live, "32768", kept)}, files=files)
        return tuning.plan(Settings(tuning_sysctl={SOMAXCONN: wanted}), [], host, "emqx")

    def test_a_second_run_does_not_ask_again(self) -> None:
        found = self.second_run("16384", "16384")
        assert (found.pending, found.todo) == ({}, False)
        assert f"# Kept by the kernel: {SOMAXCONN} = 16384\n" in found.files[0].content

    def test_what_somebody_changed_since_is_set_again(self) -> None:
        found = self.second_run("128", "16384")
        assert list(found.pending) == [SOMAXCONN]
        assert "Kept" not in found.files[0].content

    def test_another_value_is_asked_for(self) -> None:
        found = self.second_run("16384", "16384", wanted=8192)
        assert found.pending == {SOMAXCONN: "8192"}

    def test_a_run_that_was_cut_short_is_finished(self) -> None:
        first = plan({SOMAXCONN: "4096"}, self.WANTED)
        files = {file.path: state_of(file) for file in first.files}
        host = HostState(sysctls={SOMAXCONN: settable("4096", "32768")}, files=files)
        found = tuning.plan(Settings(tuning_sysctl=self.WANTED), [], host, "emqx")
        assert found.pending == {SOMAXCONN: "32768"}


class TestWhatCannotBeSet:
    LIVE: t.ClassVar[Values] = {
        "fs.file-max": read_only("1000"),
        "fs.nr_open": read_only("4000000"),
        "net.core.rmem_default": read_only("212992", sysctls.USER_NAMESPACE),
        SOMAXCONN: settable("4096"),
        "net.netfilter.nf_conntrack_max": None,
        RESERVED: read_only("4370"),
    }
    WANTED: t.ClassVar[Values] = {
        "fs.file-max": 2097152,
        "fs.nr_open": 2097152,
        "net.core.rmem_default": 262144,
        SOMAXCONN: 32768,
        "net.netfilter.nf_conntrack_max": 1000000,
    }

    def test_it_is_skipped_with_its_reason(self) -> None:
        found = plan(self.LIVE, self.WANTED, [4370])
        assert found.values == found.pending == {SOMAXCONN: "32768"}
        assert found.skipped == {
            "fs.file-max": sysctls.READ_ONLY,
            "net.core.rmem_default": sysctls.USER_NAMESPACE,
            "net.netfilter.nf_conntrack_max": sysctls.UNKNOWN,
        }

    def test_it_is_named_once_before_the_first_change(self) -> None:
        (finding,) = findings(self.LIVE, self.WANTED)
        assert (finding.code, finding.severity) == ("kernel_value_skipped", "warning")
        assert finding.found == (
            "fs.file-max, net.core.rmem_default cannot: /proc/sys is mounted read-only here and it "
            "belongs to the host of this container"
        )
        assert finding.evidence == ("fs.file-max is 1000", "net.core.rmem_default is 212992")
        assert finding.subject == "emqx_tuning_sysctl"

    def test_ports_that_cannot_be_reserved(self) -> None:
        known = Settings(tuning_sysctl={})
        host = HostState(sysctls={RESERVED: read_only("")})
        (finding,) = tuning.findings(known, host, "n1", [4370])
        assert finding.found.startswith(RESERVED)

    def test_a_host_that_knows_not_all_of_them_is_well(self) -> None:
        assert findings({SOMAXCONN: "1", "net.a": None}, {SOMAXCONN: 2, "net.a": 1}) == []

    def test_fewer_open_files_than_are_asked_for(self) -> None:
        live = {"fs.nr_open": read_only("20000")}
        (finding,) = findings(live, {}, tuning_nofile=2097152)
        assert (finding.code, finding.subject) == ("nofile_limit", "emqx_tuning_nofile")
        assert finding.found == "fs.nr_open = 20000"
        assert findings({"fs.nr_open": "20000"}, {"fs.nr_open": 2097152}) == []


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("net.core.x = 1\nkernel.y", 1, "keys below net, fs and vm"),
        ("net.core=x", 1, "keys below net, fs and vm"),
        ("net/../../etc/x", 1, "keys below net, fs and vm"),
        ("kernel.core_pattern", "|/bin/x", "keys below net, fs and vm"),
        ("somaxconn", 1, "keys below net, fs and vm"),
        ("", 1, "keys below net, fs and vm"),
        (1, 1, "keys below net, fs and vm"),
        (SOMAXCONN, "many", "a whole number for net.core.somaxconn"),
        (SOMAXCONN, None, "a whole number"),
        (SOMAXCONN, {}, "a whole number"),
        (SOMAXCONN, [1], "a whole number"),
        (SOMAXCONN, 1.5, "a whole number"),
        (SOMAXCONN, "", "a whole number"),
        (SOMAXCONN, "1\nkernel.x = 2", "a whole number"),
        (SOMAXCONN, "1 # x", "a whole number"),
        ("fs.file-max", "2M", "a whole number for fs.file-max"),
        ("net.core.default_qdisc", "fq;id", "a number or a word"),
        ("net.core.default_qdisc", None, "a number or a word"),
        (RESERVED, "[8000]", "ports such as 8000,9000-9010"),
        (RESERVED, "8000-x", "ports such as 8000,9000-9010"),
        (RESERVED, "99999", "ports such as 8000,9000-9010"),
        (RESERVED, ["8000"], "ports such as 8000,9000-9010"),
    ],
)
def test_what_cannot_be_used_is_named_and_left_out(key: t.Any, value: t.Any, expected: str) -> None:
    live = {SOMAXCONN: "1", "fs.file-max": "1", "net.core.default_qdisc": "fq", RESERVED: ""}
    (finding,) = findings(live, {key: value})
    assert (finding.code, finding.subject) == ("kernel_value", "emqx_tuning_sysctl")
    assert finding.severity == "error"
    assert expected in finding.sentence()
    planned = plan(live, {key: value})
    assert set(planned.pending) <= {SOMAXCONN}
    assert "\nkernel" not in planned.files[0].content


@given(st.sets(st.integers(1, 65535), max_size=30))
def test_a_joined_list_holds_the_same_ports(ports: set[int]) -> None:
    text = tuning.join_ports(str(port) for port in ports)
    found: set[int] = set()
    for item in filter(None, text.split(",")):
        first, _dash, last = item.partition("-")
        assert not found or int(first) > max(found) + 1
        found.update(range(int(first), int(last or first) + 1))
    assert found == ports
    assert tuning.join_ports([text]) == text


ANY = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
ANYTHING = ANY | st.lists(ANY, max_size=2) | st.dictionaries(st.text(max_size=3), ANY, max_size=2)


@given(st.dictionaries(st.sampled_from([SOMAXCONN, RESERVED, "fs.x", "x"]) | ANY, ANYTHING))
def test_no_value_breaks_the_plan_or_the_file(wanted: dict[t.Any, t.Any]) -> None:
    live = {SOMAXCONN: settable("4096"), RESERVED: "8000", "fs.x": "word"}
    content = plan(live, wanted).files[0].content
    lines = [line for line in content.splitlines() if not line.startswith("#")]
    assert all(line.split(" = ")[0] in live for line in lines)
    assert all(isinstance(finding, Finding) for finding in findings(live, wanted))
