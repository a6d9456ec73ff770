# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Licence keys in the vendor's form, which the stand-in accepts and a real node refuses."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os

#: In place of the vendor's private key; the stand-in's emqx_license has the same.
_SIGNED_WITH = b"stand-in"


def key_for(customer: str) -> str:
    """Return the key of a cluster under test: that of EMQX_LICENSE_KEY, else one for the stand-in.

    Raises LookupError where the nodes are the vendor's, who would refuse that one.
    """
    given = os.environ.get("EMQX_LICENSE_KEY", "")
    if not given and os.environ.get("EMQX_ENTERPRISE_PACKAGE"):
        raise LookupError("EMQX_ENTERPRISE_PACKAGE is set: this scenario needs EMQX_LICENSE_KEY")
    return given or license_key(customer)


def license_key(customer: str, license_type: int = 1, sessions: int = 1000) -> str:
    """Return a key that is valid for decades; types are 0 trial, 1 official and 2 community."""
    fields = (
        220111,
        license_type,
        2,
        customer,
        "ops@example.org",
        "lab",
        20250101,
        36500,
        sessions,
    )
    payload = "\n".join(map(str, fields)).encode()
    return _joined(payload, hmac.digest(_SIGNED_WITH, payload, hashlib.sha256))


def forged_license_key(customer: str) -> str:
    """Return a key of the right form whose signature is nobody's."""
    return _joined(base64.b64decode(license_key(customer).partition(".")[0]), b"signature")


def _joined(*parts: bytes) -> str:
    return ".".join(base64.b64encode(part).decode() for part in parts)
