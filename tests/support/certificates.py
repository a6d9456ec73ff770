# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
"""Certificates for nodes, good ones and such that no peer takes."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Files:
    """One certificate on disk, with what belongs to it."""

    cert: Path
    key: Path
    ca: Path


class Authority:
    """A CA of its own in `folder`."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, common_name(name)
        self.key = ec.generate_private_key(ec.SECP256R1())
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        self.cert = self._signed(self.name, self.key, 365, constraints)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(self.cert.public_bytes(serialization.Encoding.PEM))

    @classmethod
    def existing(cls, folder: Path, file: Path, key: Path, passphrase: bytes) -> Authority:
        """Return the CA of these files; what it issues goes to `folder`."""
        found = cls(folder, "unused")
        found.file, found.cert = file, x509.load_pem_x509_certificate(file.read_bytes())
        loaded = serialization.load_pem_private_key(key.read_bytes(), passphrase)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey)
        found.key, found.name = loaded, found.cert.subject
        return found

    def authority(self, name: str) -> Authority:
        """A CA that this one vouches for."""
        found = Authority(self.folder, name)
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        found.cert = self._signed(found.name, found.key, 365, constraints)
        found.file.write_bytes(found.cert.public_bytes(serialization.Encoding.PEM))
        return found

    def issue(
        self,
        label: str,
        *names: x509.GeneralName,
        days: int = 1,
        usage: Iterable[x509.ObjectIdentifier] = (
            ExtendedKeyUsageOID.SERVER_AUTH,
            ExtendedKeyUsageOID.CLIENT_AUTH,
        ),
    ) -> Files:
        """A certificate for client and server; `days` below 0 is one that has expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        cert = self._signed(
            common_name(label),
            key,
            days,
            x509.SubjectAlternativeName(names),
            x509.ExtendedKeyUsage(usage),
        )
        files = Files(self.folder / f"{label}.pem", self.folder / f"{label}.key", self.file)
        files.cert.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
        files.key.write_bytes(_plain(key))
        return files

    def keep_key(self) -> None:
        """Put the CA's own key, without a passphrase, where the roles keep it."""
        (self.folder / "ca-key.pem").write_bytes(_plain(self.key))

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        days: int,
        *extensions: x509.ExtensionType,
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.timezone.utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 30 * DAY)
            .not_valid_after(now + days * DAY)
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(self.key, hashes.SHA256())


def common_name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def ip(address: str) -> x509.IPAddress:
    return x509.IPAddress(ipaddress.ip_address(address))


def _plain(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The key as PEM, without a passphrase."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
