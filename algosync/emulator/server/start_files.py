"""Files that a start uses or writes: the lock, the database, TLS files, and the address file with the main keys.

All functions raise `StartError` if a file cannot be used.
"""

import contextlib
import json
import os
import sqlite3
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from algosync.emulator.faults.rules import FaultFile
from algosync.emulator.faults.setting_checks import FaultError
from algosync.emulator.processes import ca_files, untrusted_file
from algosync.emulator.records.accounts import AccountError, Accounts
from algosync.emulator.records.database import Database
from algosync.emulator.records.keys import KEY_LENGTH, new_key
from algosync.emulator.records.rights import Rights
from algosync.emulator.server import server_lock
from algosync.emulator.server.last_start import ADDRESS


class StartError(Exception):
    """The server cannot start. The message says why."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Paths: the server's certificate with its key, the authority's certificate if known, and the bundle that clients trust.

    The bundle has the authorities of this machine too.
    """

    certificate: Path
    ca_cert: Path | None
    bundle: Path


def tls_files(root: Path, given: Path | None) -> TlsFiles:
    """The files for the given certificate, or for a new one of the cluster's own authority."""
    try:
        from algosync.emulator.server.tls import TlsError, authority, bundle
    except ImportError:
        raise StartError("TLS needs the package cryptography: pip install 'algosync[local]'") from None
    try:
        if given:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(given)
            return TlsFiles(given, None, bundle(root / "tls", given))
        own = authority(root / "tls")
        return TlsFiles(own.issue(root / "tls" / "server.pem"), own.certificate, own.bundle())
    except (TlsError, OSError) as error:
        raise StartError(f"Cannot serve TLS: {error}") from None


def keep_authorities(root: Path) -> None:
    """Copy CA files that are in the folder of another local cluster, so that the trust outlives that folder."""
    try:
        ca_files.keep(root)
    except OSError as error:
        raise StartError(f"Cannot keep the authorities of another local cluster in {root}: {error.strerror}") from None


def checked_faults(path: Path) -> Path:
    """The absolute path of a file of faults, which is valid at present."""
    try:
        FaultFile(path).rules()
    except FaultError as error:
        raise StartError(f"Cannot use the faults of {error}") from None
    return path.resolve()


def open_lock_file(path: Path) -> int:
    """Open a lock file. Keep the descriptor open: its lock must last until the process has ended."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StartError(f"Cannot open {path}: {error.strerror}") from None


def prepared_folder(root: Path) -> Path:
    """Create the cluster's folder, accessible to its owner only. Returns its absolute path."""
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        root.chmod(0o700)
    except OSError as error:
        raise StartError(f"Cannot use the folder {root}: {error.strerror}") from None
    for path in (root / ADDRESS, root / f"{ADDRESS}.new"):
        # Check now, because a start writes these files at its very end.
        if path.is_dir():
            raise StartError(f"Cannot use {path}: Is a directory")
    return root.resolve()


@contextmanager
def as_start_errors(root: Path) -> Iterator[None]:
    """Raise `StartError` for errors of the body, which opens or creates other files in the folder."""
    try:
        yield
    except sqlite3.Error as error:
        raise StartError(f"Cannot use the database in {root}: {error}") from None
    except OSError as error:
        raise StartError(f"Cannot use {error.filename or root}: {error.strerror}") from None


def lock_folder(root: Path) -> int:
    """Take the lock that permits one server for a folder. Returns its descriptor."""
    try:
        return server_lock.take(root)
    except BlockingIOError:
        raise StartError(f"Another server is using {root}") from None
    except OSError as error:
        raise StartError(f"Cannot lock the folder {root}: {error.strerror}") from None


def open_database(path: Path) -> Database:
    """Open the cluster's database, or create it."""
    try:
        return Database(path)
    except (ValueError, OSError, sqlite3.Error) as error:
        raise StartError(f"Cannot use the database {path}: {error}") from None


def main_key(database: Database, root: Path, user: str, name: str, rights: Rights) -> str:
    """The user's key of the last start if it is still valid, or a new one. Only the address file stores keys in plain text."""
    accounts = Accounts(database)
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        last = json.loads((root / ADDRESS).read_text())[name]
        caller = accounts.caller(last)
        if len(last) == KEY_LENGTH and caller and caller.user == user and caller.rights == rights:
            return str(last)
    key = new_key()
    try:
        accounts.set_key(user, key, rights)
    except AccountError as error:
        raise StartError(str(error)) from None
    return key


def write_address(root: Path, address: dict[str, object]) -> None:
    """Write the address file atomically. Only its owner may read it."""
    untrusted_file.write(root / ADDRESS, json.dumps(address).encode())
