"""One cluster, one process, one folder: its lock, its socket, its address file, its end."""

import asyncio
import contextlib
import fcntl
import json
import os
import secrets
import signal
import socket
import sqlite3
import ssl
import sys
import threading
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass
from pathlib import Path

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from algosync.emulator import leash, processes, server_lock
from algosync.emulator.accounts import AccountError, Accounts
from algosync.emulator.clock import now_text
from algosync.emulator.cluster import Cluster, Place
from algosync.emulator.database import Database
from algosync.emulator.direct import DirectProtocol
from algosync.emulator.fault_file import FaultFile
from algosync.emulator.fault_values import FaultError
from algosync.emulator.keys import KEY_LENGTH, new_key
from algosync.emulator.limited_protocol import raise_file_limit
from algosync.emulator.listening import last_port, listening
from algosync.emulator.request_limits import MAX_HEAD
from algosync.emulator.rights import ADMINISTERING, EVERYTHING, Rights
from algosync.emulator.stances import USUAL, Stances

FORMAT = 1
KEPT = "kept.json"
"""With this file in the folder the server stays when nobody uses it any more, until it is told to stop."""

GRACE_SECONDS = 2
"""How long running requests may go on after the signal to stop."""


class StartError(Exception):
    """The server cannot start, and why."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to serve: see `__main__`."""

    root: Path
    port: int
    user: str
    until_unlocked: Path | None
    environments: Path
    tls: bool = False
    certificate: Path | None = None
    faults: Path | None = None
    stances: Stances = USUAL


def serve(options: Options) -> None:
    """Serve until told to stop.

    Raises `StartError` where another server has the folder, the port is taken, or a file cannot be used.
    """
    os.umask(0o077)
    raise_file_limit()
    leash.adopt_orphans()
    faults = _checked(options.faults) if options.faults else None
    root = _prepared(options.root)
    lock = _lock(root)
    processes.keep_open(lock)
    watched = _opened(options.until_unlocked) if options.until_unlocked else None
    with _listening(options.port, root) as listener:
        port: int = listener.getsockname()[1]
        database = _database(root / "cluster.sqlite")
        tls = _tls(options, root) if options.tls or options.certificate else None
        bundle = tls.bundle if tls else None
        place = Place(root, options.environments.resolve(), port, secrets.token_urlsafe(24), bundle, faults, options.stances)
        cluster = Cluster(place, database)
        address = {
            "format_version": FORMAT,
            "address": place.address,
            "user": options.user,
            "key": _key(database, root, options.user, "key", EVERYTHING),
            "admin_key": _key(database, root, options.user, "admin_key", ADMINISTERING),
            "pid": os.getpid(),
            "token": place.token,
            "started_at": now_text(),
            "ca_cert": str(tls.ca_cert) if tls and tls.ca_cert else None,
            "ca_bundle": str(tls.bundle) if tls else None,
            "faults": str(faults) if faults else None,
            "stances": asdict(options.stances),
            "told": cluster.told,
        }
        server = _Server(_config(cluster, tls.certificate if tls else None), lambda: _announce(root, address))
        if watched is not None:
            threading.Thread(target=_watch, args=(watched, root / KEPT, server), daemon=True).start()
        asyncio.run(server.serve([listener]))
    server_lock.leave(lock)


@dataclass(frozen=True, slots=True)
class _Tls:
    """Files: the server's certificate with its key, that of its authority where it is known, the machine's authorities with it."""

    certificate: Path
    ca_cert: Path | None
    bundle: Path


def _tls(options: Options, root: Path) -> _Tls:
    try:
        from algosync.emulator.tls import TlsError, authority, bundle
    except ImportError:
        raise StartError("TLS needs the package cryptography: pip install 'algosync[local]'") from None
    try:
        if options.certificate:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(options.certificate)
            # Who has signed it, only who has given it knows.
            return _Tls(options.certificate, None, bundle(root / "tls", options.certificate))
        trust = authority(root / "tls")
        return _Tls(trust.issue(root / "tls" / "server.pem"), trust.certificate, trust.bundle())
    except (TlsError, OSError) as error:
        raise StartError(f"Cannot serve TLS: {error}") from None


def _config(cluster: Cluster, certificate: Path | None) -> uvicorn.Config:
    return uvicorn.Config(
        cluster.app(),
        # What clients do wrong is answered, and no matter of this process.
        log_level="error",
        access_log=False,
        server_header=False,
        # The gate's is exact.
        date_header=False,
        lifespan="on",
        http=DirectProtocol,
        ws="none",
        # Nothing stands before it whose word on who asks, and how, would count.
        proxy_headers=False,
        h11_max_incomplete_event_size=MAX_HEAD,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ssl_certfile=certificate,
    )


class _Server(uvicorn.Server):
    """uvicorn, that says when it is ready and ends with 0 after a signal."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self.config.is_ssl:
            for connection in list(self.server_state.connections):
                _hang_up(connection)
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        # uvicorn raises the signals again afterwards; being told to stop is no failure here.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())
        yield

    def stop(self) -> None:
        """Begin to stop; from any thread."""
        self.should_exit = True


def _checked(faults: Path) -> Path:
    """A file of faults that can be used as it is now."""
    try:
        FaultFile(faults).rules()
    except FaultError as error:
        raise StartError(f"Cannot use the faults of {error}") from None
    return faults.resolve()


def _hang_up(connection: object) -> None:
    """End an idle connection at once: TLS would wait for an answer to its goodbye, and idle clients do not answer."""
    if not isinstance(connection, H11Protocol) or (connection.cycle and not connection.cycle.response_complete):
        return
    if not connection.transport.get_write_buffer_size():
        connection.transport.abort()


def _opened(path: Path) -> int:
    """A lock file. Never closed by hand: its lock is free when the process has ended, and not earlier."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StartError(f"Cannot open {path}: {error.strerror}") from None


def _prepared(root: Path) -> Path:
    """The cluster's folder, for its owner only."""
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        root.chmod(0o700)
    except OSError as error:
        raise StartError(f"Cannot use the folder {root}: {error.strerror}") from None
    return root.resolve()


def _lock(root: Path) -> int:
    try:
        return server_lock.take(root)
    except BlockingIOError:
        raise StartError(f"Another server is using {root}") from None
    except OSError as error:
        raise StartError(f"Cannot lock the folder {root}: {error.strerror}") from None


def _database(path: Path) -> Database:
    try:
        return Database(path)
    except (ValueError, OSError, sqlite3.Error) as error:
        raise StartError(f"Cannot use the database {path}: {error}") from None


@contextlib.contextmanager
def _listening(port: int, root: Path) -> Generator[socket.socket, None, None]:
    with contextlib.ExitStack() as stack:
        try:
            listener = stack.enter_context(listening(port, last_port(root / "cluster.json")))
        except OSError as error:
            raise StartError(f"Cannot listen on port {port}: {error.strerror}") from None
        yield listener


def _key(database: Database, root: Path, user: str, name: str, rights: Rights) -> str:
    """A key of the user's: that of the last start, or a new one. Only the address file has it; the database has a digest."""
    accounts = Accounts(database)
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        known = json.loads((root / "cluster.json").read_text())[name]
        caller = accounts.caller(known)
        if len(known) == KEY_LENGTH and caller and caller.user == user and caller.rights == rights:
            return str(known)
    key = new_key()
    try:
        accounts.set_key(user, key, rights)
    except AccountError as error:
        raise StartError(str(error)) from None
    return key


def _announce(root: Path, address: dict[str, object]) -> None:
    """Tell where the cluster answers: whole or not at all, and for the owner's eyes only."""
    temporary = root / "cluster.json.new"
    with temporary.open("w") as file:
        json.dump(address, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(root / "cluster.json")
    sys.stdout.write(f"Serving {address['address']}\n")
    sys.stdout.flush()


def _watch(file: int, kept: Path, server: _Server) -> None:
    """Stop the server when nobody shares the lock on `file` any more, and keep it from then on.

    Unless it is to stay: who wants that holds the lock while they leave the mark. Then it watches no longer.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError:
        # Locks do not work here: a server that nobody can stop is worse than one that stops.
        server.stop()
        return
    if kept.exists():
        fcntl.flock(file, fcntl.LOCK_UN)
    else:
        server.stop()
