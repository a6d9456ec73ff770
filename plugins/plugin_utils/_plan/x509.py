# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Judge X.509 certificates: who signed them, and for which names, uses and time.

Runs on the control node, where ansible-core brings the library cryptography.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import typing as t
from dataclasses import dataclass

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    # What the library raises for what is damaged, or made by other rules.
    UNREADABLE: tuple[type[Exception], ...] = (
        ValueError,
        TypeError,
        UnsupportedAlgorithm,
        x509.InvalidVersion,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
    )
except ImportError:  # ansible-core depends on it, but only on the control node
    pass

# RFC 5280, section 4.2.1.12
_USAGES = {
    "server": ("1.3.6.1.5.5.7.3.1", "serverAuth"),
    "client": ("1.3.6.1.5.5.7.3.2", "clientAuth"),
}
BOTH = ("server", "client")
# The last moment that a certificate can name (RFC 5280, section 4.1.2.5).
LAST_DAY = dt.datetime(9999, 12, 31)


@dataclass(frozen=True)
class Problem:
    """What is wrong with a certificate; the fields are those of a finding."""

    code: str
    expected: str
    found: str
    remedy: str


def problems(
    certificate: bytes,
    public_key: bytes,
    ca: bytes,
    names: t.Sequence[str],
    now: dt.datetime,
    usage: t.Sequence[str] = BOTH,
) -> list[Problem]:
    """Return what keeps others from accepting the certificate of who has ``names``.

    ``certificate`` is PEM, with the certificates between it and the CA behind it; ``ca`` is the
    PEM of one or more CAs; ``public_key`` the PEM of the one that belongs to the private key;
    ``now`` a time in UTC without a zone; ``usage`` has server, client or both. What cannot be read
    is a problem, too; nothing is raised.
    """
    try:
        return _problems(certificate, public_key, ca, names, now, usage)
    except UNREADABLE as error:
        return [
            Problem(
                "unreadable",
                "certificate, key and CA as PEM",
                f"what is none ({error})",
                "convert them with openssl",
            )
        ]


def _problems(
    certificate: bytes,
    public_key: bytes,
    ca: bytes,
    names: t.Sequence[str],
    now: dt.datetime,
    usage: t.Sequence[str],
) -> list[Problem]:
    chain, trusted = (x509.load_pem_x509_certificates(pem) for pem in (certificate, ca))
    key = serialization.load_pem_public_key(public_key)
    cert, authority = chain[0], issuer(chain, trusted)
    found = (
        key_problem(cert, key),
        _issuer_problem(chain, trusted) if authority is None else None,
        time_problem("the certificate", cert, now),
        None if authority is None else time_problem("the CA", authority, now),
        _name_problem(cert, names),
        _usage_problem(cert, usage),
    )
    return [problem for problem in found if problem]


def authorities(pem: str | bytes) -> dict[bytes, str]:
    """Return the certificates of a PEM text by their DER, which is what they are compared by."""
    encoding = serialization.Encoding
    try:
        found = x509.load_pem_x509_certificates(pem if isinstance(pem, bytes) else pem.encode())
        return {c.public_bytes(encoding.DER): c.public_bytes(encoding.PEM).decode() for c in found}
    except UNREADABLE:
        return {}


def fingerprints(pem: bytes) -> str:
    """Return fingerprints of the CAs' names and keys; a renewed certificate has the same."""
    try:
        found = x509.load_pem_x509_certificates(pem)
        known = {cert.subject.public_bytes() + _spki(cert.public_key()) for cert in found}
    except UNREADABLE:
        return ""
    return " ".join(sorted(hashlib.sha256(each).hexdigest()[:12] for each in known))


def subjects(pem: bytes) -> str:
    """Name the CAs of a bundle so that two of the same name differ."""
    try:
        found = x509.load_pem_x509_certificates(pem)
        names = [f"{ca.subject.rfc4514_string()} ({ca.serial_number % 16**6:06x})" for ca in found]
    except UNREADABLE:
        return ""
    return " and ".join(names)


def ends(certificate: str | bytes) -> str:
    """Return the day on which a PEM certificate ends, "" where it is none."""
    pem = certificate if isinstance(certificate, bytes) else certificate.encode()
    try:
        return f"{x509.load_pem_x509_certificate(pem).not_valid_after_utc:%Y-%m-%d}"
    except UNREADABLE:
        return ""


def ends_within(pem: bytes, days: int, now: dt.datetime) -> bool:
    """Tell whether a certificate ends within so many days; what is none does not."""
    try:
        end = x509.load_pem_x509_certificate(pem).not_valid_after_utc.replace(tzinfo=None)
    except UNREADABLE:
        return False
    return days > (LAST_DAY - now).days or end < now + dt.timedelta(days=days)


def issuer(
    chain: t.Sequence[x509.Certificate], trusted: t.Iterable[x509.Certificate]
) -> x509.Certificate | None:
    """Return the trusted CA that a certificate, the first of ``chain``, goes back to."""
    cert, between, known = chain[0], list(chain[1:]), list(trusted)
    while True:
        found = next((authority for authority in known if _signed(cert, authority)), None)
        following = next((other for other in between if _signed(cert, other)), None)
        if found is not None or following is None:
            return found
        between.remove(following)
        cert = following


def authority_of(certificate: str, known: t.Mapping[bytes, str]) -> bytes | None:
    """Return the DER of that one of the ``known`` CAs that a PEM certificate goes back to."""
    chain = x509.load_pem_x509_certificates(certificate.encode())
    cas = {der: x509.load_pem_x509_certificate(pem.encode()) for der, pem in known.items()}
    found = issuer(chain, cas.values())
    return next((der for der, ca in cas.items() if ca == found), None)


def public_key(key: bytes, passphrase: bytes | None) -> tuple[bytes, str]:
    """Return the public key of a private one as PEM, and why there is none."""
    try:
        private = serialization.load_pem_private_key(key, passphrase or None)
    except TypeError:
        return b"", "a key without passphrase" if passphrase else "a key with a passphrase"
    except (ValueError, UnsupportedAlgorithm):
        return b"", "another passphrase, or no key" if passphrase else "what is no key"
    return private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ), ""


def authority_problems(ca: bytes, public: bytes, now: dt.datetime) -> list[Problem]:
    """Return what keeps a CA from signing with the key that ``public`` (PEM) belongs to.

    Raises one of UNREADABLE where one of the two is no PEM.
    """
    cert = x509.load_pem_x509_certificate(ca)
    key = serialization.load_pem_public_key(public)
    found = (key_problem(cert, key), time_problem("the CA", cert, now))
    return [problem for problem in found if problem]


def key_problem(cert: x509.Certificate, key: t.Any) -> Problem | None:
    if _spki(cert.public_key()) == _spki(key):
        return None
    return Problem(
        "other_key",
        "the private key of the certificate",
        "another key",
        "give the key that the certificate was requested with",
    )


def _spki(key: t.Any) -> bytes:
    return bytes(
        key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )


def _issuer_problem(
    chain: t.Sequence[x509.Certificate], trusted: t.Sequence[x509.Certificate]
) -> Problem:
    names = " or ".join(authority.subject.rfc4514_string() for authority in trusted)
    return Problem(
        "other_ca",
        f"a certificate signed by {names}",
        f"one signed by {chain[0].issuer.rfc4514_string()}, or by another CA of that name",
        "give all of them certificates of one CA, and that CA's certificate",
    )


def _signed(cert: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        cert.verify_directly_issued_by(authority)
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature):
        return False
    return True


def time_problem(what: str, cert: x509.Certificate, now: dt.datetime) -> Problem | None:
    begin, end = (
        moment.replace(tzinfo=None)
        for moment in (cert.not_valid_before_utc, cert.not_valid_after_utc)
    )
    if begin <= now <= end:
        return None
    return Problem(
        "expired" if now > end else "not_yet_valid",
        f"{what} to be valid at {now:%Y-%m-%d %H:%M} UTC",
        f"valid from {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}",
        "renew it, or set the clock right",
    )


def _name_problem(cert: x509.Certificate, wanted: t.Sequence[str]) -> Problem | None:
    try:
        names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        names = x509.SubjectAlternativeName([])
    listed = names.get_values_for_type(x509.DNSName)
    # OTP asks for the host part of the name as a DNS name, also where it is an IP address.
    absent = [
        host for host in wanted if not any(_matches(name.lower(), host.lower()) for name in listed)
    ]
    if not absent:
        return None
    shown = ", ".join(
        [*(f"DNS:{name}" for name in listed)]
        + [f"IP:{address}" for address in names.get_values_for_type(x509.IPAddress)]
    )
    return Problem(
        "san",
        f"{' and '.join(f'DNS:{host}' for host in absent)} among its alternative names "
        "(an IP address, too, as a DNS entry)",
        shown or "none",
        "request it with the name that others reach it by, for a node the host part of its name",
    )


def _matches(pattern: str, host: str) -> bool:
    if pattern.startswith("*."):
        return host.partition(".")[2] == pattern[2:]
    return pattern == host


def _usage_problem(cert: x509.Certificate, usage: t.Sequence[str]) -> Problem | None:
    try:
        extension = cert.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
        allowed = {use.dotted_string for use in extension.value}
    except x509.ExtensionNotFound:
        # Without the extension all usages are allowed.
        return None
    wanted = [_USAGES[use] for use in usage]
    missing = [name for oid, name in wanted if oid not in allowed]
    if not missing:
        return None
    names = " and ".join(name for _oid, name in wanted)
    return Problem(
        "usage",
        f"the extended key usage {names}" + (", as nodes are both" if len(wanted) > 1 else ""),
        f"a certificate without {' and '.join(missing)}",
        f"request it with {names}",
    )
