"""Access to a request's connection below HTTP, for faults that send raw bytes or break the connection.

It depends on uvicorn's h11 protocol class, which is the only place where a request and its connection meet.
"""

import asyncio
import socket
import struct
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.flow_control import FlowControl

from algosync.emulator.http.limited_protocol import LimitedProtocol

LINGER_SECONDS = 5
"""How long a client may take to close the connection after the server has."""


class Left(Exception):
    """The client has closed the connection, or the server is stopping."""


class RawConnection:
    """The connection of a request. Its methods raise `Left` when the connection ends, unless they end it themselves."""

    def __init__(self, transport: asyncio.Transport, flow: FlowControl) -> None:
        self._transport = transport
        self._flow = flow
        self._lost = asyncio.Event()
        self._abort_on_stop = False
        self.stopping = False
        """Whether the server is stopping. Long replies should end then."""

    @contextmanager
    def abort_on_stop(self) -> Iterator[None]:
        """Let a stopping server abort the connection while the body runs, instead of waiting for it."""
        self._abort_on_stop = True
        try:
            yield
        finally:
            self._abort_on_stop = False

    def stop(self) -> None:
        """Note that the server is stopping, and abort a held connection."""
        self.stopping = True
        if self._abort_on_stop:
            self._transport.abort()

    def mark_lost(self) -> None:
        """Note that the connection has ended."""
        self._lost.set()

    async def write(self, data: bytes) -> None:
        """Send raw bytes. Returns when the kernel has them all, so that a following `reset` or `finish` cuts exactly here."""
        self._check()
        self._transport.set_write_buffer_limits(0)
        self._transport.write(data)
        await self._flow.drain()
        self._check()

    async def pause(self, seconds: float) -> None:
        """Sleep."""
        try:
            await asyncio.wait_for(self._lost.wait(), seconds)
        except asyncio.TimeoutError:
            return
        raise Left

    async def wait(self, work: Coroutine[object, object, None]) -> None:
        """Wait for `work`, which is cancelled if the connection ends."""
        waiting = [asyncio.ensure_future(work), asyncio.ensure_future(self._lost.wait())]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()
        self._check()

    async def let_others_run(self) -> None:
        """Let other tasks run."""
        await asyncio.sleep(0)
        self._check()

    async def reset(self) -> None:
        """End the connection with a TCP RST."""
        linger: socket.socket = self._transport.get_extra_info("socket")
        linger.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()
        await self._lost.wait()

    async def finish(self) -> None:
        """End the connection with a TCP FIN, over TLS after its closing alert."""
        self._check()
        try:
            if self._transport.can_write_eof():
                # Only the write side: closing a socket with unread bytes would send a RST.
                self._transport.write_eof()
            else:
                self._transport.close()
            await asyncio.wait_for(self.hold_open(), LINGER_SECONDS)
        except (OSError, RuntimeError, asyncio.TimeoutError):
            # The client has reset the connection, or takes too long to close it.
            pass
        finally:
            self._transport.abort()
        await self._lost.wait()

    async def hold_open(self) -> None:
        """Keep the connection open and silent until the client closes it."""
        self._transport.set_protocol(_Discarding(self._transport.get_protocol()))
        self._flow.resume_reading()
        await self._lost.wait()

    def _check(self) -> None:
        if self._lost.is_set():
            raise Left


class _Discarding(asyncio.Protocol):
    """Discards what the client still sends, to see its end of file. uvicorn would reply to it in the middle of an answer."""

    def __init__(self, before: asyncio.BaseProtocol) -> None:
        self._before = before

    def connection_lost(self, exc: Exception | None) -> None:
        self._before.connection_lost(exc)


class RawAccessProtocol(LimitedProtocol):
    """HTTP protocol that puts a request's connection into `scope["raw_connection"]`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn's own class
        super().connection_made(transport)
        self._raw = RawConnection(transport, self.flow)
        self.app = _with_connection(self.app, self._raw)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._raw.mark_lost()

    def shutdown(self) -> None:
        """uvicorn calls this when the server begins to stop."""
        super().shutdown()
        self._raw.stop()


def _with_connection(app: ASGIApp, connection: RawConnection) -> ASGIApp:
    async def connected(scope: Scope, receive: Receive, send: Send) -> None:
        scope["raw_connection"] = connection
        await app(scope, receive, send)

    return connected
