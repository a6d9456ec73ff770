# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What a host gets to be a member of an etcd, and what keeps it from being one."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding, in_order
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Record
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    Directory,
    FileState,
    HostState,
    ManagedFile,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import certificates, x509
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.authority import About, Authority
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.certificates import (
    Wanted,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.control_files import Reader

UNIT = "etcd.service"
PACKAGE = "etcd-server"
PORTS = (2379, 2380)
OWN_UNIT = f"/etc/systemd/system/{UNIT}"
SETTINGS_FILE = "/etc/default/etcd"
# There once this role has begun on the host.
DIRECTORY = "/etc/mqttops-emqx/etcd"
PATHS = {
    "certificate": f"{DIRECTORY}/cert.pem",
    "key": f"{DIRECTORY}/key.pem",
    "ca": f"{DIRECTORY}/ca.pem",
}
_RELEASES = "/opt/mqttops-etcd"
_CLIENT_NAME = "emqx"
_RENEW_DAYS = 30
# What goes into the files of systemd as it is, and is no directory of the system, as the whole
# directory becomes etcd's.
_DATA_DIR = re.compile(
    r"(?!/(etc|usr|bin|sbin|lib\w*|boot|dev|proc|sys|run)/)(?!/(var|home)/[^/]+$)"
    r"(/(?!\.\.?(/|$))[0-9A-Za-z._-]+){2,}"
)
_ADDRESS = re.compile(r"[0-9A-Za-z][0-9A-Za-z.-]*")
_MANAGED = "#\n# Managed by Ansible (mqttops.emqx): changes made here are lost.\n#\n"


@dataclass(frozen=True)
class EtcdSettings:
    """The variables of the role without their prefix; ``addresses`` are those of all members."""

    addresses: t.Mapping[str, str]
    archive: str
    archive_sha256: str
    data_dir: str
    ca_dir: str
    ca_days: int
    days: int

    @property
    def release(self) -> str:
        """One folder for each archive, so that an unpacked release never changes under a member."""
        return f"{_RELEASES}/{self.archive_sha256[:12]}"

    @property
    def ctl(self) -> str:
        return f"{self.release}/etcdctl" if self.archive else "/usr/bin/etcdctl"

    @property
    def paths(self) -> list[str]:
        """The paths on the host that the plan has to know about."""
        data = [self.data_dir, f"{self.data_dir}/member"]
        return [self.ctl, OWN_UNIT, SETTINGS_FILE, DIRECTORY, *PATHS.values(), *data]


def plan(
    host: str,
    settings: EtcdSettings,
    state: HostState,
    listening: t.Sequence[Record],
    files: Reader,
    now: dt.datetime,
) -> Json:
    """Return what the role does on a member, and the findings about it.

    ``listening`` are sockets with the ``name`` of their program and their ``port``; ``files`` reads
    those of the control node; ``now`` is in UTC without a zone.
    """
    address = settings.addresses[host]
    about = About(host, "etcd_", "", {}, "run the playbook etcd again")
    authority, member, client = _authority(settings), _member(address), _client(settings)
    judged = certificates.judge(member, authority, state.certificates, files, now, about)
    observed = _observed(files, client)
    of_client = certificates.judge(client, authority, observed, files, now, about)
    findings = [*_findings(host, settings, state, listening), *judged.findings]
    other_trust = not judged.trust or state.certificates.get("ca") != judged.trust
    unit_left = not settings.archive and state.file(OWN_UNIT).exists
    pending = [file for file in _files(host, settings) if _file_differs(file, state)]
    missing = [each for each in _directories(settings) if _directory_differs(each, state)]
    todo = bool(pending or missing or other_trust or unit_left)
    return {
        "findings": in_order([*findings, *of_client.findings]),
        "address": address,
        "ctl": settings.ctl,
        "release": settings.release,
        "pems": PATHS,
        "foreign": not state.file(DIRECTORY).exists,
        "install": _install(settings, state),
        "client_todo": of_client.renew,
        "member_todo": judged.renew or other_trust or not _guarded(member, state),
        "client": _role_vars(authority, client, observed),
        "member": _role_vars(authority, member, state.certificates),
        "directories": [dataclasses.asdict(each) for each in missing],
        "files": [dataclasses.asdict(each) for each in pending],
        "unit_left": unit_left,
        "reload": unit_left or any(file.path == OWN_UNIT for file in pending),
        # etcd reads certificates anew for each connection, the CAs that it trusts when it starts.
        "restarts": bool(pending or other_trust or unit_left),
        "runs": state.service.active and state.service.enabled and not todo,
    }


def _authority(settings: EtcdSettings) -> Authority:
    return Authority(
        directory=settings.ca_dir,
        name="etcd of EMQX",
        days=settings.ca_days,
        certificate_days=settings.days,
        renew_days=_RENEW_DAYS,
        may_encrypt=False,
    )


def _member(address: str) -> Wanted:
    return Wanted(
        certificate=PATHS["certificate"],
        key=PATHS["key"],
        ca=PATHS["ca"],
        names=(address,),
        owner="root",
        group="etcd",
    )


def _client(settings: EtcdSettings) -> Wanted:
    """Return the pair of EMQX, which stays on the control node."""
    return Wanted(
        certificate=f"{settings.ca_dir}/client.pem",
        key=f"{settings.ca_dir}/client-key.pem",
        names=(_CLIENT_NAME,),
        mode="0600",
        directory_mode="0700",
    )


def _install(settings: EtcdSettings, state: HostState) -> str:
    """Return what etcd is installed from, "" where it is there."""
    there = state.file(settings.ctl).exists
    if settings.archive:
        return "" if there else "archive"
    return "" if there and state.package_name else "apt"


def _observed(files: Reader, client: Wanted) -> dict[str, str]:
    """Return what the control node has of the client's pair; what cannot be read is missing."""
    pems = []
    for path in (client.certificate, client.key):
        try:
            pems.append(files.read(path) or b"")
        except (OSError, ValueError):
            pems.append(b"")
    public, _problem = x509.public_key(pems[1], None)
    return {"certificate": pems[0].decode("utf-8", "replace"), "public_key": public.decode()}


def _role_vars(authority: Authority, wanted: Wanted, observed: t.Mapping[str, str]) -> Json:
    """Return the variables of the role certificates."""
    return {
        "certificates_ca_dir": authority.directory,
        "certificates_ca_name": authority.name,
        "certificates_ca_days": authority.days,
        "certificates_days": authority.certificate_days,
        "certificates_renew_days": authority.renew_days,
        "certificates_wanted": [wanted.as_option()],
        "certificates_found": [dict(observed)],
    }


def _guarded(member: Wanted, state: HostState) -> bool:
    found = [state.file(path) for path in member.files]
    return all(each.mode == member.mode and each.group == member.group for each in found)


def _directories(settings: EtcdSettings) -> list[Directory]:
    return [
        Directory(DIRECTORY, "root", "etcd", "0750"),
        Directory(settings.data_dir, "etcd", "etcd", "0700"),
    ]


def _files(host: str, settings: EtcdSettings) -> list[ManagedFile]:
    found = [ManagedFile(SETTINGS_FILE, _environment(host, settings), "root", "etcd", "0640")]
    if settings.archive:
        found.append(ManagedFile(OWN_UNIT, _unit(settings)))
    return found


def _directory_differs(directory: Directory, state: HostState) -> bool:
    found = state.file(directory.path)
    return _rights(directory) != (found.owner, found.group, found.mode)


def _file_differs(file: ManagedFile, state: HostState) -> bool:
    found: FileState = state.file(file.path)
    checksum = hashlib.sha256(file.content.encode()).hexdigest()
    return checksum != found.sha256 or _rights(file) != (found.owner, found.group, found.mode)


def _rights(item: ManagedFile | Directory) -> tuple[str, str, str]:
    return item.owner, item.group, item.mode


def _environment(host: str, settings: EtcdSettings) -> str:
    """Return the settings of a member, by the variables of etcd 3.4 to 3.6."""
    address = settings.addresses[host]
    members = ",".join(f"{name}=https://{at}:2380" for name, at in settings.addresses.items())
    values = {
        "NAME": host,
        "DATA_DIR": settings.data_dir,
        "LISTEN_PEER_URLS": "https://0.0.0.0:2380",
        "LISTEN_CLIENT_URLS": "https://0.0.0.0:2379",
        "INITIAL_ADVERTISE_PEER_URLS": f"https://{address}:2380",
        "ADVERTISE_CLIENT_URLS": f"https://{address}:2379",
        "INITIAL_CLUSTER": members,
        "INITIAL_CLUSTER_STATE": "new",
        "INITIAL_CLUSTER_TOKEN": "mqttops-emqx",
    }
    for use in ("", "PEER_"):
        values[f"{use}CERT_FILE"] = PATHS["certificate"]
        values[f"{use}KEY_FILE"] = PATHS["key"]
        values[f"{use}TRUSTED_CA_FILE"] = PATHS["ca"]
        values[f"{use}CLIENT_CERT_AUTH"] = "true"
    return _MANAGED + "".join(f'ETCD_{name}="{value}"\n' for name, value in values.items())


def _unit(settings: EtcdSettings) -> str:
    return f"""{_MANAGED}[Unit]
Description=etcd
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
User=etcd
Group=etcd
EnvironmentFile={SETTINGS_FILE}
ExecStart={settings.release}/etcd
Restart=on-abnormal
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
"""


def _findings(
    host: str,
    settings: EtcdSettings,
    state: HostState,
    listening: t.Sequence[Record],
) -> t.Iterator[Finding]:
    def finding(code: str, subject: str, expected: str, found: str, remedy: str) -> Finding:
        return Finding(f"etcd_{code}", expected, found, remedy, hosts=(host,), subject=subject)

    number = len(settings.addresses)
    if number not in (1, 3):
        remedy = "give the group of etcd as many"
        yield finding("hosts", "etcd_hosts", "one host or three", str(number), remedy)
    if not _DATA_DIR.fullmatch(settings.data_dir):
        expected = "a directory of its own, of plain letters, such as /var/lib/etcd/mq"
        yield finding("data_dir", "etcd_data_dir", expected, repr(settings.data_dir), "correct it")
    if not _ADDRESS.fullmatch(settings.addresses[host]):
        found, remedy = repr(settings.addresses[host]), "set it for this host"
        yield finding("address", "etcd_address", "an IPv4 address or a name", found, remedy)
    if not settings.archive and state.platform.get("format") != "deb":
        name = str(state.platform.get("name", "another system"))
        remedy = "set etcd_archive to a release of etcd, or take another host"
        yield finding("platform", "etcd_archive", "Debian or Ubuntu, or an archive", name, remedy)
    if settings.archive and not re.fullmatch("[0-9a-f]{64}", settings.archive_sha256):
        found = settings.archive_sha256 or "none"
        yield finding(
            "checksum", "etcd_archive_sha256", "the SHA-256 of etcd_archive", found, "set it"
        )
    if not state.file(DIRECTORY).exists:
        yield from _foreign(finding, settings, state)
    taken = [each for each in listening if each.get("port") in PORTS]
    if taken and not state.service.active:
        names = ", ".join(sorted({str(each.get("name")) for each in taken}))
        ports = ", ".join(sorted({str(each["port"]) for each in taken}))
        yield finding(
            "ports",
            "",
            "nobody on the ports 2379 and 2380 of etcd",
            f"{names} on {ports}",
            "take another host, or stop it",
        )


def _foreign(
    finding: t.Callable[[str, str, str, str, str], Finding],
    settings: EtcdSettings,
    state: HostState,
) -> t.Iterator[Finding]:
    """Yield what a host has of an etcd that is somebody else's."""
    if state.service.active or state.service.enabled:
        yield finding(
            "foreign",
            UNIT,
            "none",
            "an etcd that this role did not set up",
            "take another host, or leave the group out and use that etcd by emqx_etcd_servers; "
            "where nobody needs it, systemctl disable --now etcd",
        )
    if state.file(f"{settings.data_dir}/member").exists:
        found = f"in {settings.data_dir} those of an etcd that this role did not set up"
        yield finding("data", "etcd_data_dir", "no data", found, "set another etcd_data_dir")
