# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Discovery by the keys that nodes keep alive in etcd."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx import versions
from ansible_collections.mqttops.emqx.plugins.module_utils._findings import WARNING, Finding
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Tree
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model import checks_pem
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    Layout,
    ManagedFile,
    Node,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.strategies.base import (
    Findings,
    Strategy,
    Texts,
)

# EMQX takes host and port apart at the only colon (ekka 0.13 to 0.23): no port, a path or an IPv6
# address keep it from booting.
_URL = re.compile(r"https?://[0-9A-Za-z._-]+:[0-9]{1,5}")
_PREFIX = re.compile(r"[!-~]+")
_FILES = {
    "cacertfile": "emqx_etcd_ca",
    "certfile": "emqx_etcd_certificate",
    "keyfile": "emqx_etcd_key",
}


def _config(settings: Settings, _seeds: t.Sequence[str], layout: Layout | None) -> Tree:
    etcd = {"server": ",".join(settings.etcd_servers), "prefix": settings.etcd_prefix}
    return {"etcd": {**etcd, **_tls(settings, layout)}}


def _given(settings: Settings) -> dict[str, str]:
    """Return the file options of EMQX that are set, with their variables' values."""
    values = (settings.etcd_ca, settings.etcd_certificate, settings.etcd_key)
    return {option: value for option, value in zip(_FILES, values) if value}


def _talks_tls(settings: Settings) -> bool:
    return any(server.startswith("https:") for server in settings.etcd_servers)


def _tls(settings: Settings, layout: Layout | None) -> Tree:
    """EMQX strips the scheme: whether it talks TLS is decided by these options alone."""
    if not _talks_tls(settings):
        return {}
    version = settings.version
    known = not version or versions.feature("etcd_ssl_options", version)
    given = _given(settings)
    files = {option: layout.etcd[option] for option in given} if layout else given
    verify = "verify_peer" if "cacertfile" in given else "verify_none"
    return {"ssl_options" if known else "ssl": {"enable": True, "verify": verify, **files}}


def _check(_nodes: t.Sequence[Node], settings: Settings) -> Findings:
    yield from _server_findings(settings)
    yield from _prefix_findings(settings)
    yield from _tls_findings(settings)


def _server_findings(settings: Settings) -> Findings:
    subject = "emqx_etcd_servers"
    if not settings.etcd_servers:
        yield Finding(
            "no_etcd_servers",
            "at least one URL such as https://etcd1.example.org:2379",
            "none",
            "list the client URLs of the etcd members",
            subject=subject,
        )
    for server in settings.etcd_servers:
        if not _URL.fullmatch(server):
            yield Finding(
                "bad_etcd_server",
                "URLs of the form http://HOST:PORT or https://HOST:PORT, no IPv6 address",
                server or "an empty one",
                "write the client URL of an etcd member",
                subject=subject,
            )


def _prefix_findings(settings: Settings) -> Findings:
    if not settings.etcd_prefix:
        yield Finding(
            "no_etcd_prefix",
            "a prefix that no other cluster has, as nodes with the same one become one cluster",
            "none",
            "set emqx_cluster_name to a name of the cluster's own, which the prefix follows, or "
            "emqx_etcd_prefix (emqxcl is EMQX's own default)",
            subject="emqx_etcd_prefix",
        )
    elif not _PREFIX.fullmatch(settings.etcd_prefix):
        yield Finding(
            "bad_etcd_prefix",
            "visible ASCII characters only",
            repr(settings.etcd_prefix),
            "choose another, such as the cluster's name",
            subject="emqx_etcd_prefix",
        )
    version = settings.version
    if version and not versions.feature("etcd_prefix_safe", version):
        yield Finding(
            "etcd_prefix_unsafe",
            "EMQX 5.8.9, 5.10.1 or newer where an etcd is shared",
            version,
            "use an etcd that holds nothing else, as this version also reads all keys that sort "
            "after its own prefix",
            subject="emqx_version",
            severity=WARNING,
        )


def _tls_findings(settings: Settings) -> Findings:
    servers = [server for server in settings.etcd_servers if _URL.fullmatch(server)]
    schemes = sorted({server.partition(":")[0] for server in servers})
    given = _given(settings)
    if len(schemes) > 1:
        yield Finding(
            "mixed_etcd_schemes",
            "http or https for all servers",
            " and ".join(schemes),
            "write them all with the same scheme, EMQX talks TLS to all or to none",
            subject="emqx_etcd_servers",
        )
    elif given and schemes == ["http"]:
        yield Finding(
            "etcd_tls_without_https",
            "URLs with https where emqx_etcd_ca or emqx_etcd_certificate is set",
            "http",
            "write https, or remove the certificates",
            subject="emqx_etcd_servers",
        )
    if ("certfile" in given) != ("keyfile" in given):
        yield Finding(
            "half_etcd_certificate",
            "emqx_etcd_certificate and emqx_etcd_key, or neither",
            f"only {_FILES['certfile' if 'certfile' in given else 'keyfile']}",
            "set both",
            subject="emqx_etcd_certificate",
        )
    if _talks_tls(settings) and "cacertfile" not in given:
        yield Finding(
            "etcd_not_verified",
            "the CA certificate that signed those of etcd",
            "none",
            "set it, else whoever answers in place of etcd can name the members",
            subject="emqx_etcd_ca",
            severity=WARNING,
        )


def _check_texts(_settings: Settings, texts: Texts) -> Findings:
    ca, certificate, key = (texts.get(variable, "") for variable in _FILES.values())
    if ca:
        yield from checks_pem.certificates("emqx_etcd_ca", ca)
    if certificate:
        yield from checks_pem.certificates("emqx_etcd_certificate", certificate)
    if key:
        yield from checks_pem.private_key("emqx_etcd_key", key, certificate)


def _files(settings: Settings, layout: Layout, texts: Texts) -> t.Iterator[ManagedFile]:
    given = _given(settings)
    for option, variable in _FILES.items():
        # A certificate is of no use without its key.
        if option in given and (option != "certfile" or "keyfile" in given):
            yield ManagedFile(
                layout.etcd[option],
                f"{texts.get(variable, '').strip()}\n",
                group=layout.user,
                mode="0640",
                secret=option == "keyfile",
            )


STRATEGY = Strategy(
    "etcd",
    variables={
        "cluster.etcd.server": "emqx_etcd_servers",
        "cluster.etcd.prefix": "emqx_etcd_prefix",
    },
    asks_service=True,
    asks_before_start=True,
    leaves_keys=True,
    config=_config,
    check=_check,
    check_texts=_check_texts,
    files=_files,
    harmless=frozenset({"etcd_locked"}),
    foreign=frozenset({"key_of_nobody"}),
    brought=frozenset({"etcd_file", "etcd_no_certificate", "no_key"}),
    asked_by_files=frozenset({"etcd_other_ca", "etcd_certificate_refused"}),
    to_come=frozenset({"stale_key"}),
)
