"""One cluster, one process, one folder: its lock, its socket, its address, its end."""

import asyncio
import contextlib
import os
import secrets
import socket
import sys
import threading
from collections.abc import Generator
from dataclasses import asdict, dataclass
from pathlib import Path

from algosync.emulator.clock import now_text
from algosync.emulator.http.limited_protocol import raise_file_limit
from algosync.emulator.processes import children, leash
from algosync.emulator.records.rights import ADMINISTERING, EVERYTHING
from algosync.emulator.server import server_lock, start_files
from algosync.emulator.server.cluster import ClusterServer, Place
from algosync.emulator.server.http_server import KEPT, HttpServer, configured
from algosync.emulator.server.listening import last_port, listening
from algosync.emulator.server.start_files import StartError
from algosync.emulator.variants import DEFAULT_VARIANTS, Variants

FORMAT = 1


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
    variants: Variants = DEFAULT_VARIANTS


def serve(options: Options) -> None:
    """Serve until told to stop.

    Raises `StartError` where another server has the folder, the port is taken, or a file cannot be used.
    """
    os.umask(0o077)
    raise_file_limit()
    leash.adopt_orphans()
    faults = start_files.checked(options.faults) if options.faults else None
    root = start_files.prepared(options.root)
    lock = start_files.locked(root)
    children.keep_open(lock)
    start_files.kept_authorities(root)
    watched = start_files.opened(options.until_unlocked) if options.until_unlocked else None
    with _listening(options.port, root) as listener:
        port: int = listener.getsockname()[1]
        database = start_files.opened_database(root / "cluster.sqlite")
        tls = start_files.tls_files(root, options.certificate) if options.tls or options.certificate else None
        bundle = tls.bundle if tls else None
        place = Place(root, options.environments.resolve(), port, secrets.token_urlsafe(24), bundle, faults, options.variants)
        with start_files.usable(root):
            cluster = ClusterServer(place, database)
            key = start_files.main_key(database, root, options.user, "key", EVERYTHING)
            admin_key = start_files.main_key(database, root, options.user, "admin_key", ADMINISTERING)
        address = {
            "format_version": FORMAT,
            "address": place.address,
            "user": options.user,
            "key": key,
            "admin_key": admin_key,
            "pid": os.getpid(),
            "token": place.token,
            "started_at": now_text(),
            "ca_cert": str(tls.ca_cert) if tls and tls.ca_cert else None,
            "ca_bundle": str(tls.bundle) if tls else None,
            "faults": str(faults) if faults else None,
            "stances": asdict(options.variants),
            "told": cluster.told,
        }
        server = HttpServer(configured(cluster.app(), tls.certificate if tls else None), lambda: _announce(root, address))
        if watched is not None:
            threading.Thread(target=server.watch, args=(watched, root / KEPT), daemon=True).start()
        asyncio.run(server.serve([listener]))
    server_lock.leave(lock)


@contextlib.contextmanager
def _listening(port: int, root: Path) -> Generator[socket.socket, None, None]:
    with contextlib.ExitStack() as stack:
        try:
            listener = stack.enter_context(listening(port, last_port(root / start_files.ADDRESS)))
        except OSError as error:
            raise StartError(f"Cannot listen on port {port}: {error.strerror}") from None
        yield listener


def _announce(root: Path, address: dict[str, object]) -> None:
    with start_files.usable(root):
        start_files.write_address(root, address)
    sys.stdout.write(f"Serving {address['address']}\n")
    sys.stdout.flush()
