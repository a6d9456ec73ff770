# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

# Private to this collection: it may change in any release.

"""Judge the certificates that nodes talk TLS with, before a node is started on them.

EMQX itself does not: with a certificate that its peers refuse a node boots, is not reachable
by its own command line and logs no word about TLS (seen with 5.8.9). Runs on the control node,
where ansible-core brings the library cryptography.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import typing as t

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
except ImportError:  # ansible-core depends on it, but only on the control node
    pass

# code, what was expected, what was found, what to do
Problem = t.Tuple[str, str, str, str]

_USES = {"1.3.6.1.5.5.7.3.1": "serverAuth", "1.3.6.1.5.5.7.3.2": "clientAuth"}

# An own certificate is made anew when it ends sooner than this.
_RENEW_BEFORE = dt.timedelta(days=30)

Reader = t.Callable[[str], t.Optional[bytes]]


def plan(
    wish: t.Mapping[str, t.Any], answer: t.Mapping[str, str], read: Reader, now: dt.datetime
) -> dict[str, t.Any]:
    """Return what has to be done on a host for its node to talk TLS.

    ``wish`` has ``enabled``, ``own_ca`` (whether a CA of the cluster's own signs), ``host`` (host
    part of the node's name), the paths ``certificate``, ``key``, ``ca`` and ``ca_key`` on the
    control node, and ``passphrase`` (of ca_key). ``answer`` is what host_info found: PEM texts
    under ``certificate``, ``public_key`` and ``ca``. ``read`` returns a file of the control
    node, None where there is none. The result has ``pending`` and ``ca_missing`` (bool) and
    ``errors``: tuples of code, variable, expected, found, remedy.
    """
    if not wish["enabled"]:
        return {"pending": False, "ca_missing": False, "errors": []}
    return (_own if wish["own_ca"] else _given)(wish, answer, read, now)


def _given(
    wish: t.Mapping[str, t.Any], answer: t.Mapping[str, str], read: Reader, now: dt.datetime
) -> dict[str, t.Any]:
    texts = {name: read(wish[name]) for name in ("certificate", "key", "ca")}
    errors = [
        (
            "tls_file",
            f"emqx_tls_{name}",
            "a PEM file on the control node",
            f"no file {wish[name]}" if wish[name] else "none",
            "set it to a file that is there",
        )
        for name, text in texts.items()
        if text is None
    ]
    found = {"certificate": texts["certificate"] or b"", "ca": texts["ca"] or b""}
    found["public_key"], problem = _public_key(texts["key"] or b"", None)
    if not errors and problem:
        errors.append(("tls_key", "emqx_tls_key", "a private key in PEM", problem, _PLAIN_KEY))
    elif not errors:
        where = f" ({wish['certificate']})"
        for code, expected, seen, remedy in problems(
            found["certificate"], found["public_key"], found["ca"], wish["host"], now
        ):
            errors.append((f"tls_{code}", "emqx_tls_certificate", expected, seen + where, remedy))
    pending = any(answer.get(name, "").encode() != text for name, text in found.items())
    return {"pending": pending, "ca_missing": False, "errors": errors}


_PLAIN_KEY = "give the key without a passphrase, as EMQX reads it"


def _own(
    wish: t.Mapping[str, t.Any], answer: t.Mapping[str, str], read: Reader, now: dt.datetime
) -> dict[str, t.Any]:
    ca, key = read(wish["ca"]), read(wish["ca_key"])
    errors: list[tuple[str, ...]] = []
    if not wish["passphrase"]:
        errors.append(
            (
                "tls_passphrase",
                "emqx_tls_ca_passphrase",
                "the passphrase that encrypts the CA's key",
                "none",
                "set it, from a vault or any other lookup, or give certificates of your own CA",
            )
        )
    elif key is not None:
        public, problem = _public_key(key, wish["passphrase"].encode())
        errors += _ca_errors(wish, ca, public, problem, now)
    elif ca is not None:
        errors.append(_without_key(wish))
    pending = (
        ca is None
        or answer.get("ca", "").encode() != ca
        or bool(
            problems(
                answer.get("certificate", "").encode(),
                answer.get("public_key", "").encode(),
                ca,
                wish["host"],
                now + _RENEW_BEFORE,
            )
        )
    )
    return {"pending": pending, "ca_missing": ca is None, "errors": errors}


def _without_key(wish: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    return (
        "tls_ca_key",
        "emqx_tls_ca_dir",
        "the CA's certificate and its key",
        f"{wish['ca']} without {wish['ca_key']}",
        "bring the key back, or remove the certificate to have a new CA made for all nodes",
    )


def _ca_errors(
    wish: t.Mapping[str, t.Any], ca: bytes | None, public: bytes, problem: str, now: dt.datetime
) -> t.Iterator[tuple[str, ...]]:
    if problem:
        yield (
            "tls_passphrase",
            "emqx_tls_ca_passphrase",
            f"the passphrase of {wish['ca_key']}",
            problem,
            "set it to the one that the CA was made with",
        )
    elif ca is not None:
        try:
            cert = x509.load_pem_x509_certificate(ca)
            key = serialization.load_pem_public_key(public)
        except ValueError as error:
            yield (
                "tls_ca",
                "emqx_tls_ca_dir",
                f"a certificate in {wish['ca']}",
                str(error),
                "bring the file back",
            )
            return
        for found in (_key_problem(cert, key), _time_problem("the CA", cert, now)):
            if found:
                yield (f"tls_{found[0]}", "emqx_tls_ca_dir", *found[1:])


def _public_key(key: bytes, passphrase: bytes | None) -> tuple[bytes, str]:
    """Return the public key of a private one as PEM, and why there is none."""
    try:
        private = serialization.load_pem_private_key(key, passphrase)
    except TypeError:
        return b"", "a key with a passphrase" if passphrase is None else "a key without passphrase"
    except (ValueError, UnsupportedAlgorithm):
        return b"", "what is no key" if passphrase is None else "another passphrase, or no key"
    return private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ), ""


def problems(
    certificate: bytes, public_key: bytes, ca: bytes, host: str, now: dt.datetime
) -> list[Problem]:
    """Return what keeps the node named ``...@host`` from talking TLS to its peers.

    ``certificate`` and ``ca`` are PEM (the first certificate of each counts), ``public_key`` is
    the PEM of the one that belongs to the node's private key, ``now`` is a time in UTC without a
    zone. What cannot be read is a problem, too; nothing is raised.
    """
    try:
        cert, authority = (x509.load_pem_x509_certificate(pem) for pem in (certificate, ca))
        key = serialization.load_pem_public_key(public_key)
    except ValueError as error:
        return [
            (
                "unreadable",
                "certificate, key and CA as PEM",
                f"what is none ({error})",
                "convert them with openssl",
            )
        ]
    found = (
        _key_problem(cert, key),
        _issuer_problem(cert, authority),
        _time_problem("the certificate", cert, now),
        _time_problem("the CA", authority, now),
        _name_problem(cert, host),
        _use_problem(cert),
    )
    return [problem for problem in found if problem]


def review(
    pems: t.Sequence[t.Mapping[str, t.Any]], host: str, now: dt.datetime
) -> dict[str, t.Any]:
    """Judge what node_evidence found of the certificates of the node named ``...@host``.

    The result has ``problems``, those that are there now, and ``ending``, those that time brings
    soon, as dictionaries with ``use``, ``path``, ``code``, ``expected``, ``found`` and ``remedy``;
    and ``ca``, a fingerprint of what the node trusts.
    """
    result: dict[str, t.Any] = {"problems": [], "ending": [], "ca": ""}
    for pem in pems:
        cert, key, ca = (str(pem[name]).encode() for name in ("certificate", "public_key", "ca"))
        current = problems(cert, key, ca, host, now)
        soon = [] if current else problems(cert, key, ca, host, now + _ENDS_SOON)
        for kind, found in (("problems", current), ("ending", soon)):
            result[kind] += [
                {"use": pem["use"], "path": pem["paths"]["certificate"], **_named(problem)}
                for problem in found
            ]
        result["ca"] = result["ca"] or _trust(ca)
    return result


# An own certificate is renewed before that by every run of the playbook site.
_ENDS_SOON = dt.timedelta(days=14)


def _named(problem: Problem) -> dict[str, str]:
    return dict(zip(("code", "expected", "found", "remedy"), problem))


def _trust(ca: bytes) -> str:
    """Return a fingerprint of a CA's name and key; a renewed certificate has the same."""
    try:
        cert = x509.load_pem_x509_certificate(ca)
    except ValueError:
        return ""
    return hashlib.sha256(cert.subject.public_bytes() + _spki(cert.public_key())).hexdigest()[:12]


def _key_problem(cert: x509.Certificate, key: t.Any) -> Problem | None:
    if _spki(cert.public_key()) == _spki(key):
        return None
    return (
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


def _issuer_problem(cert: x509.Certificate, authority: x509.Certificate) -> Problem | None:
    if _signed(cert, authority):
        return None
    return (
        "other_ca",
        f"a certificate signed by {authority.subject.rfc4514_string()}",
        f"one signed by {cert.issuer.rfc4514_string()}, or by another CA of that name",
        "give all nodes certificates of one CA, and that CA's certificate",
    )


def _signed(cert: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        cert.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _time_problem(what: str, cert: x509.Certificate, now: dt.datetime) -> Problem | None:
    begin, end = (
        moment.replace(tzinfo=None)
        for moment in (cert.not_valid_before_utc, cert.not_valid_after_utc)
    )
    if begin <= now <= end:
        return None
    return (
        "expired" if now > end else "not_yet_valid",
        f"{what} to be valid at {now:%Y-%m-%d %H:%M} UTC",
        f"valid from {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}",
        "renew it, or set the clock right",
    )


def _name_problem(cert: x509.Certificate, host: str) -> Problem | None:
    try:
        names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        names = x509.SubjectAlternativeName([])
    listed = names.get_values_for_type(x509.DNSName)
    # OTP asks for the host part of the name as a DNS name, also where it is an IP address.
    if any(_matches(name.lower(), host.lower()) for name in listed):
        return None
    shown = ", ".join(
        [*(f"DNS:{name}" for name in listed)]
        + [f"IP:{address}" for address in names.get_values_for_type(x509.IPAddress)]
    )
    return (
        "san",
        f"DNS:{host} among its alternative names (an IP address, too, as a DNS entry)",
        shown or "none",
        "request it with the host part of the node's name",
    )


def _matches(pattern: str, host: str) -> bool:
    if pattern.startswith("*."):
        return host.partition(".")[2] == pattern[2:]
    return pattern == host


def _use_problem(cert: x509.Certificate) -> Problem | None:
    try:
        extension = cert.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
        allowed = {use.dotted_string for use in extension.value}
    except x509.ExtensionNotFound:
        # Without the extension all uses are allowed.
        return None
    missing = [name for use, name in _USES.items() if use not in allowed]
    if not missing:
        return None
    return (
        "usage",
        "the extended key usages serverAuth and clientAuth, as nodes are both",
        f"a certificate without {' and '.join(missing)}",
        "request it with both",
    )
