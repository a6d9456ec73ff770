# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What speaks against a deployment on one host, found before anything is changed there.

A finding has the same keys as those of the topology: code, host, variable, expected, found,
remedy and message.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.changes import environment_key
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon import expand, flatten
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.platforms import (
    SUPPORTED,
    package_format,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.versions import (
    cookie_problem,
    edition_of,
    feature,
    hurdles,
    parse,
    unknown_keys,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.module_utils._host import container
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.release import (
    describe_file,
    release,
)

Finding = t.Dict[str, t.Any]
Findings = t.Dict[str, t.List[Finding]]

# Keys of emqx.conf that follow from the topology, and the variable that decides each.
_OWNED_KEYS = {
    "node.name": "emqx_node_name",
    "node.cookie": "emqx_cookie",
    "node.role": "emqx_node_role",
    "node.db_role": "emqx_node_role",
    "node.data_dir": "emqx_data_dir",
    "cluster.name": "emqx_cluster_name",
    "cluster.discovery_strategy": "emqx_discovery_strategy",
    "cluster.static.seeds": "emqx_cluster_hosts",
    "cluster.dns.name": "emqx_dns_name",
    "cluster.dns.record_type": "emqx_dns_record_type",
    "cluster.etcd.server": "emqx_etcd_servers",
    "cluster.etcd.prefix": "emqx_etcd_prefix",
    "cluster.k8s.apiserver": "emqx_k8s_apiserver",
    "cluster.k8s.service_name": "emqx_k8s_service_name",
    "cluster.k8s.namespace": "emqx_k8s_namespace",
    "cluster.k8s.address_type": "emqx_k8s_address_type",
    "cluster.k8s.suffix": "emqx_k8s_suffix",
    "license.key": "emqx_license",
    "cluster.proto_dist": "emqx_proto_dist",
    "rpc.port_discovery": "emqx_rpc_port_discovery",
    "rpc.server_port": "emqx_rpc_server_port",
    "rpc.tcp_server_port": "emqx_rpc_server_port",
    "rpc.ssl_server_port": "emqx_rpc_server_port",
    "rpc.protocol": "emqx_rpc_tls",
    "rpc.driver": "emqx_rpc_tls",
    "rpc.certfile": "emqx_tls_certificate",
    "rpc.keyfile": "emqx_tls_key",
    "rpc.cacertfile": "emqx_tls_ca",
    "rpc.listen_address": "emqx_proto_dist",
    "rpc.ipv6_only": "emqx_proto_dist",
}

_MIB = 1 << 20


def check_host(answer: t.Mapping[str, t.Any], wish: t.Mapping[str, t.Any]) -> Findings:
    """Return the ``errors`` and ``warnings`` of one host.

    ``answer`` is what host_info returned, or ``{"unreachable": reason}``. ``wish`` holds the
    role's variables without their prefix, and ``host`` (inventory name), ``node_name``,
    ``data_dir``, ``renames`` (whether the node is about to get this name), ``package_stat``
    ({exists, sha256, sidecar} of the package where it is a file, else {}), ``container`` (see
    container.problems), ``tls`` (see _certificates.plan), ``missing_files``
    (files of the control node that are not there, by variable), ``package_node`` (the database of
    a node in the package's own directories that no member stands for). It may hold the cookie: no
    finding quotes it.
    """
    errors: list[Finding] = []
    warnings: list[Finding] = []
    report = _Report(wish["host"], errors, warnings)
    _check_cookie(report, wish)
    _check_config(report, wish)
    _check_environment(report, wish)
    _check_files(report, wish)
    if "unreachable" in answer:
        report.error(
            "unreachable",
            "ansible_host",
            "an answer over the connection",
            answer["unreachable"],
            "make the host reachable, leave it out of this run (--limit), or have the playbook "
            "replace_node or remove_node take its node out, and it out of emqx_cluster_hosts",
        )
        return {"errors": errors, "warnings": warnings}
    _check_package(report, answer, wish)
    if wish["deployment"] == "container":
        for found in container.problems(answer["container"], wish["container"]):
            report.error(*found)
    _check_disk(report, answer, wish)
    _check_data(report, answer, wish)
    _check_package_node(report, wish)
    for found in wish["tls"]["errors"]:
        report.error(*found)
    for found in wish["tls"]["warnings"]:
        report.warning(*found)
    return {"errors": errors, "warnings": warnings}


class _Report:
    """Collects the findings of one host."""

    def __init__(self, host: str, errors: list[Finding], warnings: list[Finding]) -> None:
        self._host = host
        self._errors = errors
        self._warnings = warnings

    def error(self, code: str, variable: str, expected: str, found: str, remedy: str) -> None:
        self._errors.append(self._finding(code, variable, expected, found, remedy))

    def warning(self, code: str, variable: str, expected: str, found: str, remedy: str) -> None:
        self._warnings.append(self._finding(code, variable, expected, found, remedy))

    def _finding(self, code: str, variable: str, expected: str, found: str, remedy: str) -> Finding:
        end = "" if remedy.endswith("?") else "."
        return {
            "code": code,
            "host": self._host,
            "variable": variable,
            "expected": expected,
            "found": found,
            "remedy": remedy,
            "message": f"Host {self._host}: expected {expected}, found {found}: {remedy}{end}",
        }


def _check_cookie(report: _Report, wish: t.Mapping[str, t.Any]) -> None:
    problem = cookie_problem(wish["cookie"])
    if problem:
        report.error(
            "cookie",
            "emqx_cookie",
            "a cookie of this cluster's own",
            f"one that cannot be used: {problem}",
            "leave emqx_cookie unset to have one generated, or set it to 16 to 64 letters, "
            "digits, '_' and '-'",
        )


def _check_config(report: _Report, wish: t.Mapping[str, t.Any]) -> None:
    version, edition = wish["version"], release(wish, {})["edition"]
    for name, given in (
        ("emqx_config", wish["config"]),
        ("emqx_base_config", wish["base_config"]),
    ):
        try:
            tree = expand(given)
        except InputError as error:
            report.error("config", name, "keys that can be rendered", str(error), "mend that key")
            continue
        _check_owned(report, "owned_key", name, {key: key for key in flatten(tree)})
        _check_autoclean(report, name, flatten(tree), version)
        for found in unknown_keys(tree, version, edition):
            add = report.error if found["severity"] == "error" else report.warning
            key, seen = found["key"], found["found"]
            where = seen if seen == key else f"{key} for {seen}"
            add(found["code"], name, found["expected"], where, found["remedy"])
    if wish["base_config"] and not feature("base_hocon", version, edition):
        report.error(
            "base_hocon",
            "emqx_base_config",
            "a version with etc/base.hocon (5.8.4 or newer)",
            f"emqx_version {version}",
            "move these keys to emqx_config",
        )


def _check_autoclean(
    report: _Report, variable: str, keys: t.Mapping[str, t.Any], version: str
) -> None:
    after = keys.get("cluster.autoclean")
    if re.fullmatch(r"0+\s*[a-z]*", str(after)):
        report.error(
            "autoclean",
            variable,
            "a time in cluster.autoclean that no restart takes, such as 24h",
            str(after),
            "set it to the longest time that a core may be down: after that the others remove it, "
            "and it comes back empty",
        )
    elif after is not None and not feature("autoclean", version):
        report.warning(
            "autoclean",
            variable,
            "EMQX 5.1.0 or newer for cluster.autoclean",
            f"emqx_version {version}, which ignores it",
            f"remove it from {variable}",
        )


def _check_environment(report: _Report, wish: t.Mapping[str, t.Any]) -> None:
    keys = {name: environment_key(name) for name in wish["environment"]}
    _check_owned(report, "owned_environment", "emqx_environment", keys)


def _check_files(report: _Report, wish: t.Mapping[str, t.Any]) -> None:
    for variable, path in wish["missing_files"].items():
        report.error(
            "missing_file",
            variable,
            f"a PEM file on the control node, or its text, as {variable}",
            # A text that is cut short may be a key.
            f"no file {path}" if "\n" not in path else "a text that is no PEM",
            "correct the path, or put the file there",
        )


def _check_owned(report: _Report, code: str, variable: str, keys: t.Mapping[str, str]) -> None:
    """``keys`` maps what the user wrote to the key of EMQX that it sets."""
    for written, key in keys.items():
        owner = _OWNED_KEYS.get(key)
        if owner:
            report.error(
                code,
                variable,
                f"{key} to be left to {owner}",
                f"{written} in {variable}",
                f"remove it from {variable} and set {owner}",
            )


def _check_package(
    report: _Report, answer: t.Mapping[str, t.Any], wish: t.Mapping[str, t.Any]
) -> None:
    platform = answer["platform"]
    plan = release(wish, answer)
    if not wish["package"] and wish["package_source"] in ("controller", "host"):
        report.error(
            "package_unset",
            "emqx_package",
            f"a path, as emqx_package_source is {wish['package_source']}",
            "none",
            "set emqx_package to the package's path",
        )
    # What was asked for is wrong also where nothing is left to be installed.
    if wish["package"] and wish["package_source"] != "repository":
        _check_file(report, platform, plan, wish)
    if plan["type"] == "container":
        _check_running(report, answer, plan)
        return
    _check_container_away(report, answer, plan)
    if not plan["needed"]:
        return
    system = f"{platform['name']} {platform['version']} on {platform['machine']}"
    if not platform["supported"] and (plan["type"] == "package" or not wish["package"]):
        report.error(
            "platform",
            "emqx_package_type",
            f"one of {SUPPORTED}, on amd64 or arm64",
            system,
            "give a vendor tar.gz that runs there as emqx_package",
        )
    _check_installed(report, answer, plan)


def _check_installed(
    report: _Report, answer: t.Mapping[str, t.Any], plan: t.Mapping[str, t.Any]
) -> None:
    version, found, name = plan["version"], plan["installed"], plan["installed_package"]
    release_found, package_found = answer["release"], answer["package"]["version"]
    if found and found != version:
        report.error(
            "other_version",
            "emqx_version",
            f"EMQX {version} or an empty host",
            f"EMQX {found} installed",
            f"set emqx_version to {found}, or upgrade the node first as the EMQX upgrade "
            "notes say: this playbook does not change the version of a node",
        )
        _check_path(report, found, version)
    elif found:
        report.error(
            "other_edition",
            "emqx_edition",
            f"the package {plan['package']} or an empty host",
            f"the package {name} {found} installed",
            f"set emqx_edition to {edition_of(name, version)}, or change the edition of the node "
            "first: this playbook does not",
        )
    elif release_found if plan["type"] == "package" else package_found:
        kept = "package" if plan["type"] == "tarball" else "tarball"
        what = f"package {answer['package']['name']}" if package_found else "release of a tar.gz"
        report.error(
            "other_kind",
            "emqx_package_type",
            f"EMQX {version} from a {plan['type']}, or an empty host",
            f"the {what} {package_found or release_found} installed",
            f"set emqx_package_type to {kept} (or give such a file as emqx_package), or remove it "
            "first: a second installation would start beside it without its data",
        )


def _check_path(report: _Report, found: str, version: str) -> None:
    for hurdle in hurdles(found, version):
        (report.error if hurdle.refused else report.warning)(
            "upgrade_path",
            "emqx_version",
            "a version that a cluster can be upgraded to node by node"
            + ("" if hurdle.refused else " without loss"),
            f"{found} to {version}",
            hurdle.text,
        )


def _check_running(
    report: _Report, answer: t.Mapping[str, t.Any], plan: t.Mapping[str, t.Any]
) -> None:
    version, found, package = plan["version"], plan["installed"], answer["package"]
    if found and parse(found) > parse(version):
        report.error(
            "downgrade",
            "emqx_version",
            f"EMQX {found} or newer, which the data was written by",
            version,
            f"set emqx_version to {found} or newer, as EMQX does not read the data of a newer one",
        )
    elif found:
        _check_path(report, found, version)
    if package["version"]:
        report.error(
            "other_kind",
            "emqx_deployment",
            f"a host without EMQX for a container with EMQX {version}",
            f"the package {package['name']} {package['version']} installed",
            "set emqx_deployment to package, or remove the package first: both would use the same "
            "ports and directories",
        )


def _check_container_away(
    report: _Report, answer: t.Mapping[str, t.Any], plan: t.Mapping[str, t.Any]
) -> None:
    found = answer["container"]["version"]
    if found:
        report.error(
            "other_kind",
            "emqx_deployment",
            f"EMQX {plan['version']} from a {plan['type']}, or an empty host",
            f"EMQX {found} in a container",
            "set emqx_deployment to container, or stop and remove the unit of the container first",
        )


def _check_file(
    report: _Report,
    platform: t.Mapping[str, t.Any],
    plan: t.Mapping[str, t.Any],
    wish: t.Mapping[str, t.Any],
) -> None:
    where = {"controller": "the control node", "host": "the host"}.get(wish["package_source"], "")
    if plan["type"] == "container":
        if package_format(plan["file"]) in ("deb", "rpm"):
            report.error(
                "package_format",
                "emqx_package",
                "the archive of an image, as emqx_deployment is container",
                plan["file"],
                "give an archive that podman save or docker save wrote, or leave it empty to have "
                "the image pulled",
            )
    elif not plan["format"]:
        report.error(
            "package_format",
            "emqx_package",
            "a file name that ends in .deb, .rpm or .tar.gz",
            plan["file"],
            "give the vendor's file under its own name",
        )
    elif plan["type"] == "package" and plan["format"] != platform["format"]:
        report.error(
            "package_format",
            "emqx_package",
            f"a .{platform['format']} for {platform['name']} {platform['version']}",
            plan["file"],
            "give the package of the host's own system, per host where they differ",
        )
    named = describe_file(plan["file"])
    if named and named["version"] != plan["version"]:
        report.error(
            "package_version",
            "emqx_version",
            f"a package of version {plan['version']}",
            plan["file"],
            f"set emqx_version to {named['version']} or give the other package",
        )
    elif named and named["package"] != plan["package"]:
        report.error(
            "package_edition",
            "emqx_edition",
            f"the package {plan['package']}, as emqx_edition is {plan['edition']}",
            plan["file"],
            "set emqx_edition to the one of the package or give the other package",
        )
    if named and platform["arch"] and named["arch"] != platform["arch"]:
        report.error(
            "package_arch",
            "emqx_package",
            f"a package for {platform['arch']}",
            plan["file"],
            "give the package of the host's own architecture",
        )
    if where:
        _check_file_content(report, where, wish)


def _check_file_content(report: _Report, where: str, wish: t.Mapping[str, t.Any]) -> None:
    seen = wish["package_stat"]
    expected = wish["package_sha256"].lower() or seen.get("sidecar", "")
    if not seen.get("exists"):
        report.error(
            "package_missing",
            "emqx_package",
            f"the package on {where}",
            f"no file {wish['package']}",
            "correct the path or put the file there",
        )
    elif not expected:
        report.error(
            "package_sha256",
            "emqx_package_sha256",
            "a SHA-256 to compare the package with",
            f"neither emqx_package_sha256 nor {wish['package']}.sha256",
            "set emqx_package_sha256 or put the vendor's .sha256 beside the package",
        )
    elif seen["sha256"] != expected:
        report.error(
            "package_sha256",
            "emqx_package_sha256",
            f"SHA-256 {expected}",
            f"{seen['sha256']} of {wish['package']} on {where}",
            "get the package again, or correct emqx_package_sha256",
        )


def _check_disk(
    report: _Report, answer: t.Mapping[str, t.Any], wish: t.Mapping[str, t.Any]
) -> None:
    for path, free in answer["disks"].items():
        if free < wish["min_free_mb"] * _MIB:
            report.error(
                "disk",
                "emqx_min_free_mb",
                f"at least {wish['min_free_mb']} MB free for {path}",
                f"{free // _MIB} MB",
                "make room, or lower emqx_min_free_mb if that is enough for this node",
            )


def _check_data(
    report: _Report, answer: t.Mapping[str, t.Any], wish: t.Mapping[str, t.Any]
) -> None:
    names = [] if wish.get("renames") else answer["data_nodes"]
    # Without a name there is a finding of the topology.
    if names and wish["node_name"] and wish["node_name"] not in names:
        report.error(
            "data_of_other_node",
            "emqx_node_name",
            f"a data directory {wish['data_dir']} that is empty or holds {wish['node_name']}",
            f"the data of {', '.join(names)}",
            f"keep the name (emqx_node_name: {names[0]}), or have the playbook rename_node -e "
            f"emqx_rename_host={wish['host']} take the node out of its cluster under its old name "
            "and in again under the new one, as a node under a new name starts empty",
        )


def _check_package_node(report: _Report, wish: t.Mapping[str, t.Any]) -> None:
    if wish["package_node"]:
        report.warning(
            "package_node",
            "emqx_instance",
            "only instances on this server, as its hosts all have an emqx_instance",
            f"the database {wish['package_node']} of the package's own node",
            "its unit emqx.service is left as it is; give it a host of its own with "
            "emqx_instance: 0, or take it out with the playbook remove_node as long as it has one",
        )
