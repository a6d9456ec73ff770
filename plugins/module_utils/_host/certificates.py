# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The certificates that a node talks TLS with."""

from __future__ import annotations

import re
import ssl
import time
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._host.files import read_text
from ansible_collections.mqttops.emqx.plugins.module_utils._host.run import Runner

_CERTIFICATE = re.compile(
    r"-----BEGIN (?P<kind>(?:TRUSTED )?CERTIFICATE)-----.*?-----END (?P=kind)-----", re.S
)


def certificates(run: Runner, files: t.Mapping[str, str]) -> dict[str, str]:
    """Return the PEM texts ``certificate``, ``ca`` and ``public_key`` (of the private key).

    ``files`` has the paths ``certificate``, ``ca`` and ``key``. What is not there is "".
    ``ends`` is when the certificate does, as 2029-02-27T12:00:00Z.
    """
    if not files:
        return {}

    def ask(command: str, path: str, *options: str) -> str:
        # openssl would wait for the writer of a pipe.
        if not read_text(path):
            return ""
        try:
            rc, stdout, _stderr = run(["openssl", command, "-in", path, *options])
        except OSError:
            return ""
        return stdout if rc == 0 else ""

    end = ask("x509", files["certificate"], "-noout", "-enddate").strip()
    return {
        "certificate": _certificates_in(read_text(files["certificate"]) or ""),
        "ca": _certificates_in(read_text(files["ca"]) or ""),
        "public_key": ask("pkey", files["key"], "-pubout"),
        "ends": _utc(end.partition("=")[2]) if end.startswith("notAfter=") else "",
    }


def _certificates_in(text: str) -> str:
    """Return the certificates of a file: a key that stands beside them stays on the host."""
    return "".join(f"{pem.group()}\n" for pem in _CERTIFICATE.finditer(text))


def _utc(moment: str) -> str:
    """Return a time as openssl prints it in the form of ISO 8601.

    >>> _utc("Feb 27 12:00:00 2029 GMT")
    '2029-02-27T12:00:00Z'
    """
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ssl.cert_time_to_seconds(moment)))
