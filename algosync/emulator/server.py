"""One cluster, one process, one folder: its lock, its socket, its address file, its end."""

import asyncio
import contextlib
import fcntl
import json
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from algosync.emulator.accounts import KEY_LENGTH, Accounts, new_key
from algosync.emulator.cluster import Cluster, Place
from algosync.emulator.database import Database

FORMAT = 1
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


def serve(options: Options) -> None:
    """Serve until told to stop. Raises `StartError` where another server has the folder, or the port is taken."""
    os.umask(0o077)
    options.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    options.root.chmod(0o700)
    root = options.root.resolve()
    with _locked(root / "server.lock"), _listening(options.port) as listener:
        port = listener.getsockname()[1]
        database = Database(root / "cluster.sqlite")
        address = {
            "format_version": FORMAT,
            "address": f"http://127.0.0.1:{port}",
            "user": options.user,
            "key": _key(database, root, options.user),
            "pid": os.getpid(),
            "token": secrets.token_urlsafe(24),
        }
        place = Place(root, options.environments.resolve(), port, str(address["token"]))
        config = uvicorn.Config(
            Cluster(place, database).app(),
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=False,
            lifespan="on",
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        server = _Server(config, lambda: _announce(root, address))
        if options.until_unlocked:
            threading.Thread(target=_watch, args=(options.until_unlocked, server), daemon=True).start()
        asyncio.run(server.serve([listener]))


class _Server(uvicorn.Server):
    """uvicorn, that says when it is ready and ends with 0 after a signal."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        # uvicorn raises the signals again afterwards; being told to stop is no failure here.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())
        yield

    def stop(self) -> None:
        """Begin to stop; from any thread."""
        self.should_exit = True


@contextlib.contextmanager
def _locked(path: Path) -> Generator[None, None, None]:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StartError(f"Another server is using {path.parent}") from None
    # Never closed by hand: the lock is free when the process has ended, and not earlier.
    yield


@contextlib.contextmanager
def _listening(port: int) -> Generator[socket.socket, None, None]:
    # With its protocol named, as asyncio switches off Nagle's delay only then.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            raise StartError(f"Cannot listen on port {port}: {error.strerror}") from None
        yield listener


def _key(database: Database, root: Path, user: str) -> str:
    """The user's key: that of the last start, or a new one. Only the address file has it; the database has a digest."""
    accounts = Accounts(database)
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        known = json.loads((root / "cluster.json").read_text())["key"]
        caller = accounts.caller(known)
        if len(known) == KEY_LENGTH and caller and caller.user == user:
            return str(known)
    key = new_key()
    accounts.set_key(user, key)
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


def _watch(path: Path, server: _Server) -> None:
    """Stop the server when nobody shares the lock on `path` any more, and keep it from then on."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(file, fcntl.LOCK_EX)
    server.stop()
