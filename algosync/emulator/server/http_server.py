"""The HTTP server of a cluster: uvicorn, with its settings and ways to stop it."""

import asyncio
import contextlib
import fcntl
import signal
import socket
from collections.abc import Callable, Generator
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from algosync.emulator.http.raw_connection import RawAccessProtocol
from algosync.emulator.http.request_limits import MAX_HEAD

KEPT = "kept.json"
"""If this file is in the folder, the server keeps running when no command uses it any more."""

GRACE_SECONDS = 2
"""Time that running requests have after the signal to stop."""

HANDSHAKE_SECONDS = 10.0
"""Time limit of a TLS handshake, the same as for the head of a first request. A connection is counted after its handshake."""


class HttpServer(uvicorn.Server):
    """uvicorn that calls `ready` when it listens, and exits with 0 after a signal."""

    handshake_seconds = HANDSHAKE_SECONDS

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # uvicorn sets no time limit for handshakes, and asyncio's default is a minute.
        await super().startup([])
        limit = self.handshake_seconds if self.config.ssl else None
        for each in sockets or []:
            listening = await asyncio.get_running_loop().create_server(
                self._protocol, sock=each, ssl=self.config.ssl, backlog=self.config.backlog, ssl_handshake_timeout=limit
            )
            self.servers.append(listening)
        try:
            self._ready()
        except BaseException:
            # The application has started already, so it has to shut down too.
            await self.lifespan.shutdown()
            raise

    def _protocol(self) -> RawAccessProtocol:
        return RawAccessProtocol(self.config, self.server_state, self.lifespan.state)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self.config.is_ssl:
            for connection in list(self.server_state.connections):
                _hang_up(connection)
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        # uvicorn would raise the signals again at the end, and the process would exit with a failure.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())
        yield

    def stop(self) -> None:
        """Begin to stop. Usable from every thread."""
        self.should_exit = True

    def watch(self, file: int, kept: Path) -> None:
        """Wait for an exclusive lock on `file`, which all commands that use the cluster share, then stop the server.

        If the file `kept` exists by then, the server keeps running, and the lock is released. A command creates `kept` while it
        shares the lock.
        """
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:
            # Locks do not work on this file system. Stop, because nothing else would stop this server.
            self.stop()
            return
        if kept.exists():
            fcntl.flock(file, fcntl.LOCK_UN)
        else:
            self.stop()


def configured(app: ASGIApp, certificate: Path | None) -> uvicorn.Config:
    """uvicorn's settings for a cluster. With a `certificate` it serves TLS."""
    return uvicorn.Config(
        app,
        # Errors of clients are answered, and do not belong in the log of the server.
        log_level="error",
        access_log=False,
        server_header=False,
        # The gate adds a more exact one.
        date_header=False,
        lifespan="on",
        http=RawAccessProtocol,
        ws="none",
        # There is no trusted proxy in front of it.
        proxy_headers=False,
        h11_max_incomplete_event_size=MAX_HEAD,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ssl_certfile=certificate,
    )


def _hang_up(connection: object) -> None:
    """Close an idle TLS connection at once. A regular close would wait for an answer, and idle clients do not answer."""
    if not isinstance(connection, H11Protocol) or (connection.cycle and not connection.cycle.response_complete):
        return
    if not connection.transport.get_write_buffer_size():
        connection.transport.abort()
