# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What the role certificates does on a host: from its variables to the arguments of its tasks."""

from __future__ import annotations

import datetime as dt
import os.path
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import (
    Finding,
    in_order,
    is_error,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Record
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.reported import reported
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import certificates
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.addresses import is_address
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.authority import About, Authority
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.certificates import (
    Judged,
    Wanted,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.control_files import Reader

Observed = t.Mapping[str, str]
Task = t.Dict[str, t.Any]

_PREFIX = "certificates_"
# A wildcard, a name or an address: what openssl takes as one word.
_NAME = re.compile(r"(\*\.)?[0-9A-Za-z_:][0-9A-Za-z_.:-]*")
_USAGE = {"server": "serverAuth", "client": "clientAuth"}
_MODE = re.compile("[0-7]{4}")
# RFC 5280, appendix A.1: ub-common-name
_COMMON_NAME_MAX = 64


@dataclass(frozen=True)
class CertificateTasks:
    """The arguments of the role's tasks, each list one element a file or a certificate.

    ``sign`` are certificates to be requested and signed; ``given`` and ``trust`` files with their
    content, the former of the user's pairs; ``rights`` files that only need owner, group and mode.
    """

    findings: tuple[Finding, ...]
    ca_missing: bool
    directories: tuple[Task, ...]
    sign: tuple[Task, ...]
    given: tuple[Task, ...]
    trust: tuple[Task, ...]
    rights: tuple[Task, ...]

    def as_dict(self) -> Json:
        return {
            **reported(self.findings),
            "warnings": [each.sentence() for each in self.findings if not is_error(each)],
            "ca_missing": self.ca_missing,
            "directories": list(self.directories),
            "sign": list(self.sign),
            "given": list(self.given),
            "trust": list(self.trust),
            "rights": list(self.rights),
        }


def wanted(option: Record) -> Wanted:
    """Return an element of certificates_wanted as a record."""
    fields = {key: value for key, value in option.items() if key not in ("names", "usage")}
    return Wanted(
        names=tuple(option["names"]),
        usage=tuple(option["usage"]),
        given=bool(option["given_certificate"] or option["given_key"]),
        **fields,
    )


def tasks(
    host: str,
    authority: Authority,
    desired: t.Sequence[Wanted],
    observed: t.Sequence[Observed],
    files: Reader,
    now: dt.datetime,
) -> CertificateTasks:
    """Return what has to be done for a host to have its certificates.

    ``observed`` are the PEM texts that host_info read for each of ``desired``; ``files`` reads
    those of the control node; ``now`` is in UTC without a zone.
    """
    findings: list[Finding] = []
    pairs: list[tuple[Wanted, Judged, Observed]] = []
    for number, (item, found) in enumerate(zip(desired, observed)):
        variable = f"{_PREFIX}wanted[{number}]"
        parts = {"certificate": "given_certificate", "key": "given_key", "ca": "trust"}
        given = {part: f"{variable}.{option}" for part, option in parts.items()}
        about = About(host, _PREFIX, f"{_PREFIX}renew_days", given, "run this role again")
        wrong = list(_option_findings(item, variable, about))
        findings += wrong
        if not wrong:
            judged = certificates.judge(item, authority, found, files, now, about)
            findings += judged.findings
            pairs.append((item, judged, found))
    return CertificateTasks(
        findings=tuple(in_order(findings)),
        ca_missing=any(judged.ca_missing for _item, judged, _found in pairs),
        directories=tuple(_directories(item for item, _judged, _found in pairs)),
        sign=tuple(_request(item) for item, judged, found in pairs if _signs(item, judged, found)),
        given=tuple(task for pair in pairs for task in _given(*pair)),
        trust=tuple(task for pair in pairs for task in _trust(*pair)),
        rights=tuple(task for pair in pairs for task in _rights(*pair)),
    )


def _option_findings(item: Wanted, variable: str, about: About) -> t.Iterator[Finding]:
    if bool(item.certificate) != bool(item.key):
        yield about.finding(
            "wanted",
            variable,
            "both certificate and key, or neither",
            "one of the two",
            "give the path of the other one",
        )
    for path in item.files:
        if not os.path.isabs(path):
            yield about.finding("wanted", variable, "absolute paths", path, "correct it")
    for mode in (item.mode, item.directory_mode):
        if not _MODE.fullmatch(mode):
            expected, remedy = "modes of four octal digits in quotes", "correct it"
            yield about.finding("wanted", variable, expected, repr(mode), remedy)
    if item.certificate and not item.names:
        remedy = "give the names that others reach it by"
        yield about.finding("wanted", variable, "one or more names", "none", remedy)
    for name in item.names:
        if not _NAME.fullmatch(name):
            expected, remedy = "names and addresses of hosts", "correct it"
            yield about.finding("wanted", f"{variable}.names", expected, repr(name), remedy)


def _file(item: Wanted, path: str, **more: t.Any) -> Task:
    return {"path": path, "owner": item.owner, "group": item.group, "mode": item.mode, **more}


def _directories(items: t.Iterable[Wanted]) -> t.Iterator[Task]:
    seen = set()
    for item in items:
        for path in (os.path.dirname(file) for file in item.files):
            if path not in seen:
                seen.add(path)
                yield {**_file(item, path), "mode": item.directory_mode}


def _pair_todo(item: Wanted, judged: Judged, found: Observed) -> bool:
    """Tell whether certificate and key are to be put there, which what is there may forbid."""
    missing = not (found.get("certificate") and found.get("public_key"))
    return bool(item.certificate) and judged.renew and (item.replace or missing)


def _signs(item: Wanted, judged: Judged, found: Observed) -> bool:
    return not item.given and _pair_todo(item, judged, found)


def _request(item: Wanted) -> Task:
    names = [f"DNS:{name}" for name in item.names]
    # Which of the two counts where the name is an address depends on who compares.
    names += [f"IP:{name}" for name in item.names if is_address(name)]
    return {
        **_file(item, item.certificate),
        "key": item.key,
        "common_name": item.names[0][:_COMMON_NAME_MAX],
        "alternative_names": ",".join(names),
        "usage": ",".join(_USAGE[use] for use in item.usage),
    }


def _given(item: Wanted, judged: Judged, found: Observed) -> t.Iterator[Task]:
    if item.given and _pair_todo(item, judged, found):
        yield _file(item, item.certificate, content=judged.certificate)
        yield _file(item, item.key, content=judged.key)


def _trust_todo(item: Wanted, judged: Judged, found: Observed) -> bool:
    present = found.get("ca", "")
    return bool(
        item.ca and judged.trust and present != judged.trust and (item.replace or not present)
    )


def _trust(item: Wanted, judged: Judged, found: Observed) -> t.Iterator[Task]:
    if _trust_todo(item, judged, found):
        yield _file(item, item.ca, content=judged.trust)


def _rights(item: Wanted, judged: Judged, found: Observed) -> t.Iterator[Task]:
    if not _pair_todo(item, judged, found):
        if item.certificate and found.get("certificate"):
            yield _file(item, item.certificate)
        if item.key and found.get("public_key"):
            yield _file(item, item.key)
    if item.ca and found.get("ca") and not _trust_todo(item, judged, found):
        yield _file(item, item.ca)
