"""TLS: a certificate authority of the cluster's own, and what it certifies.

The authority is made once, for years, and can certify names of this machine's loopback alone: who trusts it takes no risk beyond
that. The server's certificate is new at every start. Private keys are for their owner's eyes only.
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

from algosync.emulator.server.listening import NAMES

AUTHORITY_DAYS = 3650
SERVER_DAYS = 824
"""With the margin 825, the most that clients accept."""

CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
MARGIN = timedelta(days=1)
"""Certificates begin to be valid that much earlier: clocks differ."""


class TlsError(Exception):
    """A certificate that cannot be made or used, and why."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority in a folder: `ca.pem` is its certificate, which clients have to trust; `ca.key` signs."""

    folder: Path

    @property
    def certificate(self) -> Path:
        """Its certificate."""
        return self.folder / "ca.pem"

    def issue(self, path: Path, names: Sequence[str] = NAMES, days: float = SERVER_DAYS) -> Path:
        """Write a new key and its certificate for these host names and addresses into one file, which is returned.

        With negative `days` it has expired that long ago.
        """
        signer, issuer = _read(self.folder)
        key = _new_key()
        wanted = x509.SubjectAlternativeName([_general_name(name) for name in names])
        end = datetime.now(timezone.utc) + timedelta(days=days)
        builder = _builder(names[0], key, end).issuer_name(issuer.subject).add_extension(wanted, critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        identity = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        _write(path, _key_text(key) + _text(_signed(builder.add_extension(identity, critical=False), signer)))
        return path

    def bundle(self) -> Path:
        """One file with this authority and those that this machine trusts: for clients that take a single one."""
        return bundle(self.folder, self.certificate)


def bundle(folder: Path, certificate: Path) -> Path:
    """`bundle.pem` in this folder: the certificates of a file, without their keys, and those that this machine trusts."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = CERTIFICATE.findall(certificate.read_bytes() + _trusted())
    # Each once: what this machine trusts may name this very bundle.
    _write(folder / "bundle.pem", b"\n".join(dict.fromkeys(found)) + b"\n")
    return folder / "bundle.pem"


def authority(folder: Path, names: Sequence[str] = NAMES) -> Authority:
    """The authority of a folder for these names and those below them.

    Made where there is none, or none that will outlive the certificates it issues now, or one that could certify any name.
    """
    if not (folder / "ca.pem").exists() or not _lasting(folder):
        _make(folder, names)
    return Authority(folder)


def _lasting(folder: Path) -> bool:
    _, certificate = _read(folder)
    left = certificate.not_valid_after_utc - datetime.now(timezone.utc)
    constrained = any(isinstance(each.value, x509.NameConstraints) for each in certificate.extensions)
    return constrained and left > timedelta(days=SERVER_DAYS)


def _make(folder: Path, names: Sequence[str]) -> None:
    """Its certificate last: an authority without it was never finished."""
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "ca.pem").unlink(missing_ok=True)
    key = _new_key()
    builder = _builder("algosync local cluster", key, datetime.now(timezone.utc) + timedelta(days=AUTHORITY_DAYS))
    builder = builder.issuer_name(_name("algosync local cluster"))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_signs_certificates(), critical=True)
    builder = builder.add_extension(x509.NameConstraints([_permitted(name) for name in names], None), critical=True)
    _write(folder / "ca.key", _key_text(key))
    _write(folder / "ca.pem", _text(_signed(builder, key)))


def _signs_certificates() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


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


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _permitted(name: str) -> x509.GeneralName:
    """A name with all below it, or one address."""
    try:
        return x509.IPAddress(ipaddress.ip_network(name))
    except ValueError:
        return x509.DNSName(name)


def _signed(builder: x509.CertificateBuilder, signer: EllipticCurvePrivateKey) -> x509.Certificate:
    return builder.sign(signer, hashes.SHA256())


def _text(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def _key_text(key: EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _trusted() -> bytes:
    """The authorities that clients on this machine would trust without this cluster."""
    named = [os.environ.get(name) for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")]
    return next(Path(name) for name in [*named, DEFAULT_CA_BUNDLE_PATH] if name and Path(name).is_file()).read_bytes()


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, for the owner's eyes only, whatever the umask."""
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
