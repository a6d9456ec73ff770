# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

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
# code, variable, and the same
Finding = t.Tuple[str, str, str, str, str]

_USES = {"1.3.6.1.5.5.7.3.1": "serverAuth", "1.3.6.1.5.5.7.3.2": "clientAuth"}

# What a node talks TLS with, as host_info returns it.
_PARTS = ("certificate", "public_key", "ca")

_PLAYBOOK = "run the playbook rotate_certs"

Reader = t.Callable[[str], t.Optional[bytes]]

_NOTHING: dict[str, t.Any] = {
    "pending": False,
    "complete": True,
    "renew": False,
    "ca_missing": False,
    "ca": "",
    "errors": [],
    "warnings": [],
}


def plan(
    wish: t.Mapping[str, t.Any], answer: t.Mapping[str, str], read: Reader, now: dt.datetime
) -> dict[str, t.Any]:
    """Return what has to be done on a host for its node to talk TLS.

    ``wish`` has ``enabled``, ``own_ca`` (whether a CA of the cluster's own signs), ``host`` (host
    part of the node's name), ``certificate``, ``key``, ``ca`` and ``ca_key`` for ``read``, the
    ``passphrase`` of ca_key, ``days`` and ``renew_days``, ``active`` (whether the node runs) and
    ``rotates`` (whether certificates of running nodes are about to be replaced). ``answer`` is
    what host_info found: PEM texts under ``certificate``, ``public_key`` and ``ca``. ``read``
    returns what a path of the control node, or a PEM text, stands for, None where there is no
    such file.

    The result has ``pending`` (whether the phase tls has to write), ``complete`` (whether the
    host has all it needs), ``renew`` (whether its certificate is not the wished one),
    ``ca_missing``, ``ca`` (the wished CA as PEM), ``errors`` and ``warnings``, which are tuples
    of code, variable, expected, found, remedy.
    """
    if not wish["enabled"]:
        return _NOTHING
    ca, renew, errors, warnings = (_own if wish["own_ca"] else _given)(wish, answer, read, now)
    complete = all(answer.get(part) for part in _PARTS)
    changes = renew or authorities(answer.get("ca", "")) != authorities(ca or b"")
    if complete and changes and wish["active"] and not wish["rotates"] and not errors:
        present = list(_left_to_rotation(wish, answer, ca or b"", now))
        errors += [finding for severe, finding in present if severe]
        warnings += [finding for severe, finding in present if not severe]
    return {
        "pending": not complete or (changes and not wish["active"]),
        "complete": complete,
        "renew": renew or not complete,
        "ca_missing": ca is None,
        "ca": (ca or b"").decode(),
        "errors": errors,
        "warnings": warnings,
    }


def authorities(pem: str | bytes) -> dict[bytes, str]:
    """Return the certificates of a PEM text by their DER, which is what they are compared by."""
    try:
        found = x509.load_pem_x509_certificates(pem if isinstance(pem, bytes) else pem.encode())
    except ValueError:
        return {}
    encoding = serialization.Encoding
    return {c.public_bytes(encoding.DER): c.public_bytes(encoding.PEM).decode() for c in found}


def _left_to_rotation(
    wish: t.Mapping[str, t.Any], answer: t.Mapping[str, str], ca: bytes, now: dt.datetime
) -> t.Iterator[tuple[bool, Finding]]:
    """Yield what a running node shall get another way, and whether nothing else may be done."""
    if authorities(answer["ca"]) != authorities(ca):
        yield (
            True,
            (
                "tls_ca_change",
                "emqx_tls_ca_dir" if wish["own_ca"] else "emqx_tls_ca",
                f"nodes that trust {_subjects(ca) or 'a new CA'}, and no other CA",
                f"a running one that trusts {_subjects(answer['ca'].encode())}",
                f"{_PLAYBOOK}, which replaces the CA without cutting nodes off from one another",
            ),
        )
        return
    present = judge(answer, wish["host"], now)
    for code, expected, found, _remedy in present:
        yield True, (f"tls_{code}", "emqx_tls_certificate", expected, found, _PLAYBOOK)
    if not present:
        yield (
            False,
            (
                "tls_renew",
                "emqx_tls_renew_days" if wish["own_ca"] else "emqx_tls_certificate",
                "the node to run with the certificate that it shall have",
                f"another one, which ends on {ends(answer['certificate'])}",
                _PLAYBOOK,
            ),
        )


def _subjects(pem: bytes) -> str:
    """Name the CAs of a bundle so that two of the same name differ."""
    try:
        found = x509.load_pem_x509_certificates(pem)
    except ValueError:
        return ""
    names = (f"{ca.subject.rfc4514_string()} ({ca.serial_number % 16**6:06x})" for ca in found)
    return " and ".join(names)


def ends(certificate: str | bytes) -> str:
    """Return the day on which a PEM certificate ends, "" where it is none."""
    pem = certificate if isinstance(certificate, bytes) else certificate.encode()
    try:
        return f"{x509.load_pem_x509_certificate(pem).not_valid_after_utc:%Y-%m-%d}"
    except ValueError:
        return ""


def _ends_within(pem: bytes, days: int, now: dt.datetime) -> bool:
    try:
        end = x509.load_pem_x509_certificate(pem).not_valid_after_utc.replace(tzinfo=None)
    except ValueError:
        return False
    return end < now + dt.timedelta(days=days)


Judgement = t.Tuple[t.Optional[bytes], bool, t.List[Finding], t.List[Finding]]


def _given(
    wish: t.Mapping[str, t.Any], answer: t.Mapping[str, str], read: Reader, now: dt.datetime
) -> Judgement:
    texts = {name: read(wish[name]) for name in ("certificate", "key", "ca")}
    errors: list[Finding] = [
        (
            "tls_file",
            f"emqx_tls_{name}",
            "a PEM file on the control node, or its text",
            f"no file {wish[name]}" if wish[name] else "none",
            "set it to a file that is there",
        )
        for name, text in texts.items()
        if text is None
    ]
    certificate, ca = texts["certificate"] or b"", texts["ca"] or b""
    public, problem = _public_key(texts["key"] or b"", None)
    if not errors and problem:
        errors.append(("tls_key", "emqx_tls_key", "a private key in PEM", problem, _PLAIN_KEY))
    elif not errors:
        where = "" if "-----BEGIN" in wish["certificate"] else f" ({wish['certificate']})"
        for code, expected, seen, remedy in problems(certificate, public, ca, wish["host"], now):
            errors.append((f"tls_{code}", "emqx_tls_certificate", expected, seen + where, remedy))
    renew = (
        answer.get("certificate", "").encode() != certificate
        or answer.get("public_key", "").encode() != public
    )
    warnings: list[Finding] = []
    if not errors and _ends_within(certificate, wish["renew_days"], now):
        warnings.append(
            (
                "tls_ends",
                "emqx_tls_certificate",
                f"a certificate for more than {wish['renew_days']} days",
                f"one that ends on {ends(certificate)}",
                f"give a new one, and {_PLAYBOOK}",
            )
        )
    return texts["ca"], renew, errors, warnings


_PLAIN_KEY = "give the key without a passphrase, as EMQX reads it"


def _own(
    wish: t.Mapping[str, t.Any], answer: t.Mapping[str, str], read: Reader, now: dt.datetime
) -> Judgement:
    ca, key = read(wish["ca"]), read(wish["ca_key"])
    errors: list[Finding] = []
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
    if wish["renew_days"] >= wish["days"]:
        errors.append(
            (
                "tls_renew_days",
                "emqx_tls_renew_days",
                f"less than the {wish['days']} days of emqx_tls_days",
                str(wish["renew_days"]),
                "lower it, as a new certificate would have to be renewed at once",
            )
        )
    found = {part: answer.get(part, "").encode() for part in _PARTS}
    renew = ca is None or bool(
        problems(found["certificate"], found["public_key"], ca, wish["host"], now)
    )
    renew = renew or _ends_within(found["certificate"], wish["renew_days"], now)
    warnings: list[Finding] = []
    if ca is not None and not errors and _ends_within(ca, wish["renew_days"], now):
        warnings.append(
            (
                "tls_ca_ends",
                "emqx_tls_ca_dir",
                f"a CA for more than {wish['renew_days']} days",
                f"one that ends on {ends(ca)}",
                f"set emqx_tls_ca_dir to a new folder to have a new CA made, and {_PLAYBOOK}",
            )
        )
    return ca, renew, errors, warnings


def _without_key(wish: t.Mapping[str, t.Any]) -> Finding:
    return (
        "tls_ca_key",
        "emqx_tls_ca_dir",
        "the CA's certificate and its key",
        f"{wish['ca']} without {wish['ca_key']}",
        "bring the key back, or remove the certificate to have a new CA made for all nodes",
    )


def _ca_errors(
    wish: t.Mapping[str, t.Any], ca: bytes | None, public: bytes, problem: str, now: dt.datetime
) -> t.Iterator[Finding]:
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


def health(
    found: t.Mapping[str, t.Mapping[str, str]],
    addresses: t.Mapping[str, str],
    now: dt.datetime,
    renew_days: int = 0,
    wanted: t.Collection[bytes] = (),
) -> dict[str, dict[str, str]]:
    """Return by host on which day its certificate ``ends``, and the ``problem`` with it in words.

    ``found`` has of each host what host_info or cluster_info read there, ``addresses`` the host
    part of its node's name. A CA counts that most of the hosts trust, as it is the peers who
    let a node in or do not, and where as many trust another one, that is ``wanted`` (DER). Hosts
    without certificates are left out.
    """
    given = {host: files for host, files in found.items() if any(files.get(p) for p in _PARTS)}
    trusts = [frozenset(authorities(files.get("ca", "")).items()) for files in given.values()]
    most = max(
        trusts,
        key=lambda trust: (trusts.count(trust), any(der in wanted for der, _pem in trust)),
        default=frozenset(),
    )
    common = "".join(sorted(pem for _der, pem in most))
    result = {}
    for host, files in given.items():
        certificate = files.get("certificate", "")
        judged = judge({**files, "ca": common}, addresses[host], now)
        problem = "; ".join(f"expected {item[1]}, found {item[2]}" for item in judged)
        if not problem and _ends_within(certificate.encode(), renew_days, now):
            problem = f"it ends on {ends(certificate)}"
        result[host] = {"ends": ends(certificate), "problem": problem}
    return result


def judge(found: t.Mapping[str, str], host: str, now: dt.datetime) -> list[Problem]:
    """Return ``problems`` of what host_info or cluster_info found on a host."""
    certificate, public_key, ca = (found.get(part, "").encode() for part in _PARTS)
    return problems(certificate, public_key, ca, host, now)


def authority_of(certificate: str, known: t.Mapping[bytes, str]) -> bytes | None:
    """Return the DER of that one of the ``known`` CAs that a PEM certificate goes back to."""
    chain = x509.load_pem_x509_certificates(certificate.encode())
    cas = {der: x509.load_pem_x509_certificate(pem.encode()) for der, pem in known.items()}
    found = issuer(chain, cas.values())
    return next((der for der, ca in cas.items() if ca == found), None)


def problems(
    certificate: bytes, public_key: bytes, ca: bytes, host: str, now: dt.datetime
) -> list[Problem]:
    """Return what keeps the node named ``...@host`` from talking TLS to its peers.

    ``certificate`` is PEM, with the certificates between it and the CA behind it; ``ca`` is the
    PEM of one or more CAs; ``public_key`` the PEM of the one that belongs to the node's private
    key; ``now`` a time in UTC without a zone. What cannot be read is a problem, too; nothing is
    raised.
    """
    try:
        chain, trusted = (x509.load_pem_x509_certificates(pem) for pem in (certificate, ca))
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
    cert, authority = chain[0], issuer(chain, trusted)
    found = (
        _key_problem(cert, key),
        _issuer_problem(chain, trusted) if authority is None else None,
        _time_problem("the certificate", cert, now),
        None if authority is None else _time_problem("the CA", authority, now),
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
    and ``ca``, fingerprints of the CAs that the node trusts.
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


# The warnings of emqx_tls_renew_days come before that.
_ENDS_SOON = dt.timedelta(days=14)


def _named(problem: Problem) -> dict[str, str]:
    return dict(zip(("code", "expected", "found", "remedy"), problem))


def _trust(ca: bytes) -> str:
    """Return fingerprints of the CAs' names and keys; a renewed certificate has the same."""
    try:
        found = x509.load_pem_x509_certificates(ca)
    except ValueError:
        return ""
    known = {cert.subject.public_bytes() + _spki(cert.public_key()) for cert in found}
    return " ".join(sorted(hashlib.sha256(each).hexdigest()[:12] for each in known))


def issuer(
    chain: t.Sequence[x509.Certificate], trusted: t.Iterable[x509.Certificate]
) -> x509.Certificate | None:
    """Return the trusted CA that a certificate, the first of ``chain``, goes back to."""
    cert, between = chain[0], list(chain[1:])
    while True:
        found = next((authority for authority in trusted if _signed(cert, authority)), None)
        following = next((other for other in between if _signed(cert, other)), None)
        if found is not None or following is None:
            return found
        between.remove(following)
        cert = following


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


def _issuer_problem(
    chain: t.Sequence[x509.Certificate], trusted: t.Sequence[x509.Certificate]
) -> Problem:
    names = " or ".join(authority.subject.rfc4514_string() for authority in trusted)
    return (
        "other_ca",
        f"a certificate signed by {names}",
        f"one signed by {chain[0].issuer.rfc4514_string()}, or by another CA of that name",
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
