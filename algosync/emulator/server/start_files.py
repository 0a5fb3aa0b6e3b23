"""Files that a start needs or leaves: the lock, the database, those of TLS, and the address file with its keys.

Everything here raises `StartError` for what cannot be used.
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
from algosync.emulator.processes import ca_files
from algosync.emulator.records.accounts import AccountError, Accounts
from algosync.emulator.records.database import Database
from algosync.emulator.records.keys import KEY_LENGTH, new_key
from algosync.emulator.records.rights import Rights
from algosync.emulator.server import server_lock

ADDRESS = "cluster.json"


class StartError(Exception):
    """The server cannot start, and why."""


@dataclass(frozen=True, slots=True)
class Tls:
    """Files: the server's certificate with its key, that of its authority where it is known, the machine's authorities with it."""

    certificate: Path
    ca_cert: Path | None
    bundle: Path


def tls_files(root: Path, given: Path | None) -> Tls:
    """The given certificate's, or those of a new one."""
    try:
        from algosync.emulator.server.tls import TlsError, authority, bundle
    except ImportError:
        raise StartError("TLS needs the package cryptography: pip install 'algosync[local]'") from None
    try:
        if given:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(given)
            # Who has signed it, only who has given it knows.
            return Tls(given, None, bundle(root / "tls", given))
        trust = authority(root / "tls")
        return Tls(trust.issue(root / "tls" / "server.pem"), trust.certificate, trust.bundle())
    except (TlsError, OSError) as error:
        raise StartError(f"Cannot serve TLS: {error}") from None


def kept_authorities(root: Path) -> None:
    """Let nothing that is trusted here depend on the folder of another local cluster."""
    try:
        ca_files.keep(root)
    except OSError as error:
        raise StartError(f"Cannot keep the authorities of another local cluster in {root}: {error.strerror}") from None


def checked(faults: Path) -> Path:
    """A file of faults that can be used as it is now."""
    try:
        FaultFile(faults).rules()
    except FaultError as error:
        raise StartError(f"Cannot use the faults of {error}") from None
    return faults.resolve()


def opened(path: Path) -> int:
    """A lock file. Never closed by hand: its lock is free when the process has ended, and not earlier."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StartError(f"Cannot open {path}: {error.strerror}") from None


def prepared(root: Path) -> Path:
    """The cluster's folder, for its owner only."""
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        root.chmod(0o700)
    except OSError as error:
        raise StartError(f"Cannot use the folder {root}: {error.strerror}") from None
    for path in (root / ADDRESS, _unfinished(root)):
        # It is replaced at the end of a start, when it is too late for an error.
        if path.is_dir():
            raise StartError(f"Cannot use {path}: Is a directory")
    return root.resolve()


@contextmanager
def usable(root: Path) -> Iterator[None]:
    """For whatever else in the folder is opened or made: it may be of another sort than it was, or there may be no room."""
    try:
        yield
    except sqlite3.Error as error:
        raise StartError(f"Cannot use the database in {root}: {error}") from None
    except OSError as error:
        raise StartError(f"Cannot use {error.filename or root}: {error.strerror}") from None


def locked(root: Path) -> int:
    """The lock of the folder's only server."""
    try:
        return server_lock.take(root)
    except BlockingIOError:
        raise StartError(f"Another server is using {root}") from None
    except OSError as error:
        raise StartError(f"Cannot lock the folder {root}: {error.strerror}") from None


def opened_database(path: Path) -> Database:
    """The cluster's metadata."""
    try:
        return Database(path)
    except (ValueError, OSError, sqlite3.Error) as error:
        raise StartError(f"Cannot use the database {path}: {error}") from None


def main_key(database: Database, root: Path, user: str, name: str, rights: Rights) -> str:
    """A key of the user's: that of the last start, or a new one. Only the address file has it; the database has a digest."""
    accounts = Accounts(database)
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        known = json.loads((root / ADDRESS).read_text())[name]
        caller = accounts.caller(known)
        if len(known) == KEY_LENGTH and caller and caller.user == user and caller.rights == rights:
            return str(known)
    made = new_key()
    try:
        accounts.set_key(user, made, rights)
    except AccountError as error:
        raise StartError(str(error)) from None
    return made


def write_address(root: Path, address: dict[str, object]) -> None:
    """Tell where the cluster answers: whole or not at all, and for the owner's eyes only."""
    temporary = _unfinished(root)
    with temporary.open("w") as file:
        json.dump(address, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(root / ADDRESS)


def _unfinished(root: Path) -> Path:
    """The next address file, while it is written."""
    return root / f"{ADDRESS}.new"
