# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Judge a CA that is kept on the control node, as ca.pem and ca-key.pem in one directory."""

from __future__ import annotations

import datetime as dt
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import (
    ERROR,
    WARNING,
    Finding,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import x509
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.control_files import Reader

Findings = t.List[Finding]

# openssl asks for four characters or more; its functions take 1023 bytes at the most.
_PASSPHRASE_MIN, _PASSPHRASE_MAX = 4, 1023


@dataclass(frozen=True)
class Authority:
    """A CA of the control node; times are in days, ``passphrase`` "" leaves its key plain, which
    those have that ``may_encrypt`` is false for."""

    directory: str = ""
    name: str = ""
    passphrase: str = field(repr=False, default="")
    days: int = 3650
    certificate_days: int = 825
    renew_days: int = 30
    needs_passphrase: bool = False
    may_encrypt: bool = True

    @property
    def certificate(self) -> str:
        return f"{self.directory}/ca.pem"

    @property
    def key(self) -> str:
        return f"{self.directory}/ca-key.pem"


@dataclass(frozen=True)
class About:
    """How findings name the host and the variables that they are about.

    ``prefix`` is that of ca_dir, ca_passphrase, ca_days and days; ``renew_days`` its variable, ""
    where it is fixed; ``given`` the variables of certificate, key and ca; ``renewal`` says how one
    has a certificate replaced.
    """

    host: str
    prefix: str
    renew_days: str
    given: t.Mapping[str, str]
    renewal: str

    def finding(
        self,
        code: str,
        subject: str,
        expected: str,
        found: str,
        remedy: str,
        severity: str = ERROR,
    ) -> Finding:
        return Finding(
            f"tls_{code}",
            expected,
            found,
            remedy,
            hosts=(self.host,),
            subject=subject,
            severity=severity,
        )

    def of_authority(self, code: str, option: str, *words: str, severity: str = ERROR) -> Finding:
        expected, found, remedy = words
        return self.finding(code, self.prefix + option, expected, found, remedy, severity)


def authority_state(
    authority: Authority, files: Reader, now: dt.datetime, about: About
) -> tuple[bytes | None, Findings]:
    """Return the certificate of a CA as PEM, None where it is to be made, and what is wrong."""
    findings = _setting_findings(authority, now, about)
    pems: dict[str, bytes | None] = {}
    for path in (authority.certificate, authority.key):
        try:
            pems[path] = files.read(path)
        except (OSError, ValueError) as error:
            reason = f"{path}, which cannot be read ({getattr(error, 'strerror', error)})"
            words = ("the CA's certificate and its key", reason, "let the user of this run read it")
            findings.append(about.of_authority("file", "ca_dir", *words))
    if len(pems) < 2:
        return None, findings
    ca, key = pems[authority.certificate], pems[authority.key]
    if key is not None and (authority.passphrase or not authority.needs_passphrase):
        findings += _key_findings(authority, ca, key, now, about)
    elif key is None and ca is not None:
        findings.append(
            about.of_authority(
                "ca_key",
                "ca_dir",
                "the CA's certificate and its key",
                f"{authority.certificate} without {authority.key}",
                "bring the key back, or remove the certificate to have a new CA made for all",
            )
        )
    if ca is None:
        reason = files.unwritable(authority.directory)
        if reason:
            expected = "a directory that can be made and written to, for a new CA"
            remedy = "set it to one, or let the user of this run write there"
            findings.append(about.of_authority("ca_dir", "ca_dir", expected, reason, remedy))
    elif not findings and x509.ends_within(ca, authority.renew_days, now):
        findings.append(
            about.of_authority(
                "ca_ends",
                "ca_dir",
                f"a CA for more than {authority.renew_days} days",
                f"one that ends on {x509.ends(ca)}",
                f"set {about.prefix}ca_dir to a new directory to have a new CA made, and "
                f"{about.renewal}",
                severity=WARNING,
            )
        )
    return ca, findings


def _setting_findings(authority: Authority, now: dt.datetime, about: About) -> Findings:
    findings: Findings = []
    length = len(authority.passphrase.encode())
    if not authority.passphrase and authority.needs_passphrase:
        findings.append(
            about.of_authority(
                "passphrase",
                "ca_passphrase",
                "the passphrase that encrypts the CA's key",
                "none",
                "set it, from a vault or any other lookup, or give certificates of your own CA",
            )
        )
    elif authority.passphrase and not _PASSPHRASE_MIN <= length <= _PASSPHRASE_MAX:
        words = (
            f"{_PASSPHRASE_MIN} to {_PASSPHRASE_MAX} bytes, as openssl takes them",
            f"{length} bytes",
            "set a longer one" if length < _PASSPHRASE_MIN else "set a shorter one",
        )
        findings.append(about.of_authority("passphrase", "ca_passphrase", *words))
    most = (x509.LAST_DAY - now).days
    for option, days in (("ca_days", authority.days), ("days", authority.certificate_days)):
        if not 1 <= days <= most:
            words = (f"a number of days from 1 to {most}", str(days), "correct it")
            findings.append(about.of_authority(option, option, *words))
    return findings + _renewal_findings(authority, about)


def _renewal_findings(authority: Authority, about: About) -> Findings:
    days, renew_days = authority.certificate_days, authority.renew_days
    if 0 <= renew_days < days:
        return []
    if not about.renew_days:
        expected = f"more than {renew_days}, as certificates are made anew {renew_days} days before"
        words = (f"{expected} their end", str(days), "raise it")
        return [about.of_authority("renew_days", "days", *words)]
    return [
        about.finding(
            "renew_days",
            about.renew_days,
            f"less than the {days} days of {about.prefix}days, and not less than 0",
            str(renew_days),
            "correct it, as a new certificate would have to be renewed at once, or none ever",
        )
    ]


def _key_findings(
    authority: Authority, ca: bytes | None, key: bytes, now: dt.datetime, about: About
) -> t.Iterator[Finding]:
    public, problem = x509.public_key(key, authority.passphrase.encode())
    if problem and not authority.may_encrypt:
        words = (f"a key without a passphrase in {authority.key}", problem, "bring the file back")
        yield about.of_authority("ca_key", "ca_dir", *words)
    elif problem:
        yield about.of_authority(
            "passphrase",
            "ca_passphrase",
            f"the passphrase of {authority.key}",
            problem,
            "set it to the one that the CA was made with",
        )
    elif ca is not None:
        try:
            problems = x509.authority_problems(ca, public, now)
        except x509.UNREADABLE as error:
            expected = f"a certificate in {authority.certificate}"
            yield about.of_authority("ca", "ca_dir", expected, str(error), "bring the file back")
            return
        for item in problems:
            yield about.of_authority(item.code, "ca_dir", item.expected, item.found, item.remedy)
