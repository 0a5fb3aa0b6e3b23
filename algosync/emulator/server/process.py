"""The server process of a cluster: it locks the folder, opens the socket, writes the address file and serves."""

import asyncio
import os
import secrets
import socket
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

from algosync.emulator.clock import now_text
from algosync.emulator.http.limited_protocol import raise_file_limit
from algosync.emulator.processes import children, leash
from algosync.emulator.records.rights import ADMINISTERING, EVERYTHING
from algosync.emulator.server import server_lock, start_files
from algosync.emulator.server.cluster import ClusterServer, ServerSettings
from algosync.emulator.server.http_server import KEPT, HttpServer, configured
from algosync.emulator.server.identity import identity_for_start
from algosync.emulator.server.last_start import last_start
from algosync.emulator.server.listening import listening
from algosync.emulator.server.start_files import StartError
from algosync.emulator.variants import DEFAULT_VARIANTS, Variants

FORMAT = 1


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """The options of a start, which `__main__` describes."""

    root: Path
    port: int
    user: str
    until_unlocked: Path | None
    environments: Path
    tls: bool = False
    certificate: Path | None = None
    faults: Path | None = None
    variants: Variants = DEFAULT_VARIANTS


def serve(options: ServeOptions) -> None:
    """Serve until a signal, or until nobody locks `options.until_unlocked`.

    Raises `StartError` if another server uses the folder, the port is taken, or a file cannot be used.
    """
    os.umask(0o077)
    raise_file_limit()
    leash.adopt_orphans()
    faults = start_files.checked_faults(options.faults) if options.faults else None
    root = start_files.prepared_folder(options.root)
    lock = start_files.lock_folder(root)
    children.keep_open(lock)
    start_files.keep_authorities(root)
    watched = start_files.open_lock_file(options.until_unlocked) if options.until_unlocked else None
    with _listening(options.port, root) as listener:
        port: int = listener.getsockname()[1]
        database = start_files.open_database(root / "cluster.sqlite")
        tls = start_files.tls_files(root, options.certificate) if options.tls or options.certificate else None
        with start_files.as_start_errors(root):
            identity = identity_for_start(root)
        settings = ServerSettings(
            root=root,
            environments=options.environments.resolve(),
            port=port,
            token=secrets.token_urlsafe(24),
            ca_bundle=tls.bundle if tls else None,
            faults=faults,
            variants=options.variants,
            identity=identity,
        )
        with start_files.as_start_errors(root):
            cluster = ClusterServer(settings, database)
            key = start_files.main_key(database, root, options.user, "key", EVERYTHING)
            admin_key = start_files.main_key(database, root, options.user, "admin_key", ADMINISTERING)
        address = {
            "format_version": FORMAT,
            "address": settings.address,
            "user": options.user,
            "key": key,
            "admin_key": admin_key,
            "pid": os.getpid(),
            "token": settings.token,
            "started_at": now_text(),
            "ca_cert": str(tls.ca_cert) if tls and tls.ca_cert else None,
            "ca_bundle": str(tls.bundle) if tls else None,
            "faults": str(faults) if faults else None,
            "stances": asdict(options.variants),
            "told": cluster.notice,
            "identity": identity,
        }
        server = HttpServer(configured(cluster.app(), tls.certificate if tls else None), lambda: _announce(root, address))
        if watched is not None:
            threading.Thread(target=server.watch, args=(watched, root / KEPT), daemon=True).start()
        asyncio.run(server.serve([listener]))
    server_lock.leave(lock)


def _listening(port: int, root: Path) -> socket.socket:
    try:
        return listening(port, last_start(root).port)
    except OSError as error:
        raise StartError(f"Cannot listen on port {port}: {error.strerror}") from None


def _announce(root: Path, address: dict[str, object]) -> None:
    with start_files.as_start_errors(root):
        start_files.write_address(root, address)
    sys.stdout.write(f"Serving {address['address']}\n")
    sys.stdout.flush()
