"""Certificates made for one test run: a CA, and whatever it is asked to sign."""

from __future__ import annotations

import datetime
import ipaddress
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sipua.net.tls_settings import TlsSettings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

DAY = datetime.timedelta(days=1)


class Authority:
    """A CA whose files stand in ``folder``."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self._folder = folder
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} of a test")])
        self._key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(self._name, self._key.public_key(), self._name, 1)
        builder = builder.add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(
            builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        )

    @staticmethod
    def _builder(
        subject: x509.Name, key: ec.EllipticCurvePublicKey, issuer: x509.Name, days_left: int
    ) -> x509.CertificateBuilder:
        end = datetime.datetime.now(datetime.UTC) + days_left * DAY
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(end - 30 * DAY)
            .not_valid_after(end)
        )

    def issue(
        self,
        names: Sequence[str],
        *,
        days_left: int = 1,
        common_name: str = "a SIP server",
        self_signed: bool = False,
        client_only: bool = False,
    ) -> TlsSettings:
        """Issue a certificate for domain names, numeric addresses and ``sip:`` URIs."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        issuer = subject if self_signed else self._name
        builder = self._builder(subject, key.public_key(), issuer, days_left)
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_general_name(each) for each in names]),
                critical=False,
            )
        if client_only:
            builder = builder.add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
            )
        signed = builder.sign(key if self_signed else self._key, hashes.SHA256())
        stem = f"{signed.serial_number:x}"
        certificate = self._folder / f"{stem}.pem"
        certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        key_file = self._folder / f"{stem}.key"
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return TlsSettings(str(self.file), str(certificate), str(key_file))


def _general_name(text: str) -> x509.GeneralName:
    if text.startswith("sip"):
        return x509.UniformResourceIdentifier(text)
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
