# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Compare a certificate that a host is to have with what it has, before anything is changed.

A certificate is given by the user, or signed by a CA of the control node (see authority.py).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import (
    WARNING,
    Finding,
    is_error,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import x509
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.authority import (
    About,
    Authority,
    authority_state,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.certificate_health import PARTS
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.control_files import (
    PEM_BEGIN,
    Reader,
)

Texts = t.Tuple[str, ...]
Findings = t.List[Finding]

_PLAIN_KEY = "give the key without a passphrase, as it is read without one"


@dataclass(frozen=True)
class Wanted:
    """A certificate as a host is to have it: the options of certificates_wanted.

    ``certificate``, ``key`` and ``ca`` are paths on the host, "" for what is not put there.
    ``given`` tells that the pair is not signed here: its PEM texts or files of the control node
    are ``given_certificate`` and ``given_key``. ``trust`` is the same for ``ca``, "" for the CA
    that signs. With ``replace`` false only what is missing is put there.
    """

    certificate: str = ""
    key: str = ""
    ca: str = ""
    names: Texts = ()
    usage: Texts = x509.BOTH
    owner: str = ""
    group: str = ""
    mode: str = "0640"
    directory_mode: str = "0750"
    given_certificate: str = ""
    given_key: str = field(repr=False, default="")
    trust: str = ""
    replace: bool = True
    given: bool = False

    @property
    def files(self) -> Texts:
        return tuple(path for path in (self.certificate, self.key, self.ca) if path)

    def as_option(self) -> Json:
        """Return it as an element of certificates_wanted."""
        option = dataclasses.asdict(self)
        del option["given"]
        return {**option, "names": list(self.names), "usage": list(self.usage)}


@dataclass(frozen=True)
class Judged:
    """What is wrong, and what has to be done for a host to have what is wanted.

    ``trust`` is the content of the file of CAs, "" while the CA is yet to be made (``ca_missing``);
    ``certificate`` and ``key`` are the given pair as PEM.
    """

    findings: tuple[Finding, ...]
    renew: bool
    trust: str
    ca_missing: bool = False
    certificate: str = ""
    key: str = field(repr=False, default="")

    @property
    def sound(self) -> bool:
        return not any(is_error(finding) for finding in self.findings)


def judge(
    wanted: Wanted,
    authority: Authority,
    found: t.Mapping[str, str],
    files: Reader,
    now: dt.datetime,
    about: About,
) -> Judged:
    """Compare what is wanted with ``found``, the PEM texts that host_info read on the host.

    ``files`` reads those of the control node; ``now`` is in UTC without a zone.
    """
    if not wanted.certificate and wanted.trust:
        findings: Findings = []
        trust = _read(files, wanted.trust, about, about.given["ca"], findings) or b""
        return Judged(tuple(findings), False, _text(trust))
    return (_given if wanted.given else _signed)(wanted, authority, found, files, now, about)


def _given(
    wanted: Wanted,
    authority: Authority,
    found: t.Mapping[str, str],
    files: Reader,
    now: dt.datetime,
    about: About,
) -> Judged:
    sources = {
        "certificate": wanted.given_certificate,
        "key": wanted.given_key,
        "ca": wanted.trust,
    }
    findings: Findings = []
    texts = {
        part: _read(files, source, about, about.given[part], findings)
        for part, source in sources.items()
    }
    certificate, key, ca = (texts[part] or b"" for part in sources)
    public, problem = x509.public_key(key, None)
    if not findings and problem:
        about_key = about.finding(
            "key", about.given["key"], "a private key in PEM", problem, _PLAIN_KEY
        )
        findings.append(about_key)
    elif not findings:
        source = wanted.given_certificate
        where = "" if PEM_BEGIN in source else f" ({source})"
        for item in x509.problems(certificate, public, ca, wanted.names, now, wanted.usage):
            words = (item.expected, item.found + where, item.remedy)
            findings.append(about.finding(item.code, about.given["certificate"], *words))
    if not findings and x509.ends_within(certificate, authority.renew_days, now):
        findings.append(
            about.finding(
                "ends",
                about.given["certificate"],
                f"a certificate for more than {authority.renew_days} days",
                f"one that ends on {x509.ends(certificate)}",
                f"give a new one, and {about.renewal}",
                WARNING,
            )
        )
    renew = (
        found.get("certificate", "").encode() != certificate
        or found.get("public_key", "").encode() != public
    )
    return Judged(tuple(findings), renew, _text(ca), certificate=_text(certificate), key=_text(key))


def _text(pem: bytes) -> str:
    return pem.decode("utf-8", "replace")


def _read(
    files: Reader, source: str, about: About, variable: str, findings: Findings
) -> bytes | None:
    """Return what a variable stands for, and add a finding where that is nothing."""
    expected = "a PEM file on the control node, or its text"
    remedy = "set it to a file that is there"
    # A key without its first line must not be shown as the path that it would be.
    shown = source if "\n" not in source and len(source) < 256 else ""
    reason = f"no file {shown}" if source else "none"
    try:
        content = files.read(source)
    except (OSError, ValueError) as error:
        content = None
        why = getattr(error, "strerror", None) or "no path"
        reason = f"{shown}, which cannot be read ({why})" if shown else "what is neither"
    if content is None:
        findings.append(about.finding("file", variable, expected, reason, remedy))
    return content


def _signed(
    wanted: Wanted,
    authority: Authority,
    found: t.Mapping[str, str],
    files: Reader,
    now: dt.datetime,
    about: About,
) -> Judged:
    ca, findings = authority_state(authority, files, now, about)
    pems = {part: found.get(part, "").encode() for part in PARTS}
    renew = bool(wanted.certificate) and (
        ca is None
        or bool(
            x509.problems(
                pems["certificate"], pems["public_key"], ca, wanted.names, now, wanted.usage
            )
        )
        or x509.ends_within(pems["certificate"], authority.renew_days, now)
    )
    trust = ca or b""
    if wanted.trust:
        trust = _read(files, wanted.trust, about, about.given["ca"], findings) or b""
    return Judged(tuple(findings), renew, _text(trust), ca_missing=ca is None)
