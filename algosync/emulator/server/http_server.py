"""The HTTP server of a cluster: uvicorn, and what ends it."""

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

from algosync.emulator.http.direct import DirectProtocol
from algosync.emulator.http.request_limits import MAX_HEAD

KEPT = "kept.json"
"""With this file in the folder the server stays when nobody uses it any more, until it is told to stop."""

GRACE_SECONDS = 2
"""How long running requests may go on after the signal to stop."""

HANDSHAKE_SECONDS = 10.0
"""As long as the head of a first request may take. A connection counts as one when its handshake is over."""


class HttpServer(uvicorn.Server):
    """uvicorn, that says when it is ready and ends with 0 after a signal."""

    handshake_seconds = HANDSHAKE_SECONDS

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # uvicorn would listen without a limit for handshakes; asyncio's own is a minute.
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
            # The application runs already, and has to end as ever.
            await self.lifespan.shutdown()
            raise

    def _protocol(self) -> DirectProtocol:
        return DirectProtocol(self.config, self.server_state, self.lifespan.state)

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

    def watch(self, file: int, kept: Path) -> None:
        """Stop when nobody shares the lock on `file` any more, and keep it from then on.

        Unless it is to stay: who wants that holds the lock while they leave the mark. Then this watches no longer.
        """
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:
            # Locks do not work here: a server that nobody can stop is worse than one that stops.
            self.stop()
            return
        if kept.exists():
            fcntl.flock(file, fcntl.LOCK_UN)
        else:
            self.stop()


def configured(app: ASGIApp, certificate: Path | None) -> uvicorn.Config:
    """uvicorn's settings for a cluster, over TLS where there is a certificate."""
    return uvicorn.Config(
        app,
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


def _hang_up(connection: object) -> None:
    """End an idle connection at once: TLS would wait for an answer to its goodbye, and idle clients do not answer."""
    if not isinstance(connection, H11Protocol) or (connection.cycle and not connection.cycle.response_complete):
        return
    if not connection.transport.get_write_buffer_size():
        connection.transport.abort()
