"""The cluster's own certificate authority, and the certificates that it issues.

The authority is created once and lasts for years. It can certify names of this machine's loopback only, which limits the risk of
trusting it. The server gets a new certificate at every start. Only their owner may read private keys.
"""

import ipaddress
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from algosync.emulator.processes import untrusted_file
from algosync.emulator.server.listening import NAMES

AUTHORITY_DAYS = 3650
SERVER_DAYS = 824
"""825 days with the margin, which is the maximum that clients accept."""

CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
MARGIN = timedelta(days=1)
"""Certificates are valid this much earlier, because clocks differ."""


class TlsError(Exception):
    """A certificate cannot be issued or used. The message says why."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority in a folder. `ca.pem` is its certificate, which clients trust, and `ca.key` its private key."""

    folder: Path

    @property
    def certificate(self) -> Path:
        """The path of its certificate."""
        return self.folder / "ca.pem"

    def issue(self, path: Path, names: Sequence[str] = NAMES, days: float = SERVER_DAYS) -> Path:
        """Write a new key and its certificate for host names and addresses to the file `path`. Returns `path`.

        With negative `days` the certificate has expired already.
        """
        signer, issuer = _read(self.folder)
        key = _new_key()
        wanted = x509.SubjectAlternativeName([_general_name(name) for name in names])
        end = datetime.now(timezone.utc) + timedelta(days=days)
        builder = _builder(names[0], key, end).issuer_name(issuer.subject).add_extension(wanted, critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        identity = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        untrusted_file.write(path, _key_text(key) + _signed(builder.add_extension(identity, critical=False), signer))
        return path

    def bundle(self) -> Path:
        """Write one file with this authority and those that this machine trusts, for clients that read a single file."""
        return bundle(self.folder, self.certificate)


def bundle(folder: Path, certificate: Path) -> Path:
    """Write `bundle.pem` in this folder: the certificates in a file, without keys, and those that this machine trusts."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = CERTIFICATE.findall(certificate.read_bytes() + _trusted())
    # Without duplicates, because the trusted file may be this bundle itself.
    untrusted_file.write(folder / "bundle.pem", b"\n".join(dict.fromkeys(found)) + b"\n")
    return folder / "bundle.pem"


def authority(folder: Path, names: Sequence[str] = NAMES) -> Authority:
    """The authority in a folder, which may certify these names and their subdomains.

    Creates a new one if there is none, if it would expire before the certificates it issues, or if its names are not limited.
    """
    if not (folder / "ca.pem").exists() or not _is_usable(folder):
        _create(folder, names)
    return Authority(folder)


def _is_usable(folder: Path) -> bool:
    _, certificate = _read(folder)
    remaining = certificate.not_valid_after_utc - datetime.now(timezone.utc)
    constrained = any(isinstance(each.value, x509.NameConstraints) for each in certificate.extensions)
    return constrained and remaining > timedelta(days=SERVER_DAYS)


def _create(folder: Path, names: Sequence[str]) -> None:
    """Create an authority. Its certificate is written last, so an authority without a certificate is incomplete."""
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "ca.pem").unlink(missing_ok=True)
    key = _new_key()
    builder = _builder("algosync local cluster", key, datetime.now(timezone.utc) + timedelta(days=AUTHORITY_DAYS))
    builder = builder.issuer_name(_name("algosync local cluster"))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_certificate_signing(), critical=True)
    permitted = [_general_name(name, constraint=True) for name in names]
    builder = builder.add_extension(x509.NameConstraints(permitted, None), critical=True)
    untrusted_file.write(folder / "ca.key", _key_text(key))
    untrusted_file.write(folder / "ca.pem", _signed(builder, key))


def _certificate_signing() -> x509.KeyUsage:
    others = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    denied = dict.fromkeys((*others, "crl_sign", "encipher_only", "decipher_only"), False)
    return x509.KeyUsage(key_cert_sign=True, **denied)


def _read(folder: Path) -> tuple[EllipticCurvePrivateKey, x509.Certificate]:
    try:
        key = load_pem_private_key((folder / "ca.key").read_bytes(), None)
        certificate = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    except (OSError, ValueError) as error:
        raise TlsError(f"The certificate authority in {folder} cannot be read: {error}") from None
    if not isinstance(key, EllipticCurvePrivateKey):
        raise TlsError(f"{folder / 'ca.key'} is not the key of a local cluster's authority")
    return key, certificate


def _new_key() -> EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _builder(name: str, key: EllipticCurvePrivateKey, end: datetime) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(_name(name)).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(min(datetime.now(timezone.utc), end) - MARGIN).not_valid_after(end)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general_name(name: str, *, constraint: bool = False) -> x509.GeneralName:
    """A host name or address of a certificate. In a constraint, a name includes its subdomains, and an address is a network."""
    try:
        return x509.IPAddress(ipaddress.ip_network(name) if constraint else ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _signed(builder: x509.CertificateBuilder, signer: EllipticCurvePrivateKey) -> bytes:
    return builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM)


def _key_text(key: EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _trusted() -> bytes:
    """The certificates of the authorities that clients on this machine trust."""
    named = [os.environ.get(name) for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")]
    return next(Path(name) for name in [*named, DEFAULT_CA_BUNDLE_PATH] if name and Path(name).is_file()).read_bytes()
