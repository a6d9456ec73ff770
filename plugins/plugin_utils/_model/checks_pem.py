# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Check PEM texts that are given to nodes: certificates, and a key with its certificate.

No text of a finding quotes any of them.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding

try:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
except ImportError:  # ansible-core depends on it, but only on the control node
    pass


def certificates(variable: str, pem: str) -> t.Iterator[Finding]:
    """Yield what keeps a text from being one or more certificates."""
    try:
        x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        yield Finding(
            "bad_certificate",
            "one or more certificates in PEM, each from BEGIN CERTIFICATE to END CERTIFICATE",
            "a text that is cut off or something else" if "-----" in pem else "something else",
            "give the whole file (openssl x509 -noout -text -in FILE shows it where it is one)",
            subject=variable,
        )


def private_key(variable: str, pem: str, certificate: str = "") -> t.Iterator[Finding]:
    """Yield what keeps a text from being the private key of a certificate, "" for any."""
    try:
        key = serialization.load_pem_private_key(pem.encode(), None)
    except TypeError:
        yield Finding(
            "encrypted_key",
            "a private key without a passphrase, as nodes read it unattended",
            "one that is encrypted",
            "decrypt it (openssl pkey -in FILE -out PLAIN) and keep that in a vault",
            subject=variable,
        )
        return
    except (ValueError, UnsupportedAlgorithm):
        yield Finding(
            "bad_key",
            "a private key in PEM, from BEGIN to END PRIVATE KEY",
            "a text that is cut off or something else" if "-----" in pem else "something else",
            "give the whole file (openssl pkey -noout -in FILE says nothing where it is one)",
            subject=variable,
        )
        return
    holder = _holder(certificate)
    if holder and _public(key) != holder:
        yield Finding(
            "other_key",
            "the private key of the certificate",
            "that of another one",
            "give the pair that was made together",
            subject=variable,
        )


def _public(key: t.Any) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return bytes(key.public_key().public_bytes(serialization.Encoding.DER, form))


def _holder(pem: str) -> bytes:
    """Return the public key of the first certificate of a text, "" where it has none."""
    try:
        return _public(x509.load_pem_x509_certificates(pem.encode())[0])
    except (ValueError, UnsupportedAlgorithm):
        return b""
