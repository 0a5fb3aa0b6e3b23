"""Limits on connections: their number, the time for a request's head, the minimum speed of bodies in both directions.

uvicorn has no such limits. A client that sends nothing, sends too slowly or does not read its reply would hold a connection for
ever.
"""

import asyncio
import resource
import sys
from email.utils import formatdate
from enum import Enum
from http import HTTPStatus
from typing import cast

import h11
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from algosync.emulator.errors import ApiError
from algosync.emulator.http.replies import error_reply

MAX_CONNECTIONS = 2048
"""Enough for nested calls: 20 calls of an algorithm that calls 12 others need some hundreds of connections."""

MAX_FILES = 65536
"""Limit of open files. With a higher one, child programs that close all possible descriptors at their start would be slow."""


class Phase(Enum):
    """A part of a request that the server waits for."""

    HEAD = "head"
    BODY = "body"


class LimitedProtocol(H11Protocol):
    """uvicorn's HTTP protocol with limits. A client that exceeds one gets a JSON error, and its connection is closed."""

    head_seconds = 10.0
    """Time for the head of a request, from the start of the connection or the first byte of a later request."""
    body_seconds = 60.0
    body_bytes = 1024
    """Minimum speed of a request's body: so many bytes in `body_seconds`, while the server waits for it."""
    write_seconds = 60.0
    """Time in which a client must read something of a reply. Over TLS, it must read whole blocks of a file."""
    max_connections = MAX_CONNECTIONS

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn's own class
        super().connection_made(transport)
        self._received = 0
        self._phase: Phase | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._sending: asyncio.TimerHandle | None = None
        self._served = False
        if len(self.connections) > self.max_connections + self.max_connections // 4:
            transport.abort()
        elif len(self.connections) > self.max_connections:
            # Refused when a request comes: a reply before that could be lost while the client is still sending.
            self.app = _busy
        self._watch()

    def eof_received(self) -> None:
        self._note_left()
        super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:  # otherwise this server closed the connection, or the client did so after its end of file
            self._note_left()
        self._stop_watching()
        if self._sending:
            self._sending.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        # uvicorn writes nothing more until the buffer has drained.
        super().pause_writing()
        self._watch_sending()

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        self._served = True
        super().on_response_complete()
        self._watch()
        self._watch_sending()

    def send_400_response(self, msg: str) -> None:
        """uvicorn calls this for invalid HTTP, while it handles h11's error."""
        error = sys.exc_info()[1]
        large = isinstance(error, h11.RemoteProtocolError) and error.error_status_hint == 431
        self._refuse(431 if large else 400, "The head of the request is too large" if large else msg)

    def _note_left(self) -> None:
        """Mark an unanswered request for the request log, which would else show it as answered."""
        if self.cycle is not None and not self.cycle.response_complete:
            cast("Scope", self.cycle.scope)["left"] = True

    def _watch(self) -> None:
        """Start the timer of the part that the server waits for."""
        phase = self._awaited()
        if phase is not self._phase:
            self._stop_watching()
            self._phase = phase
            if phase is Phase.HEAD:
                self._timer = self.loop.call_later(self.head_seconds, self._refuse, 408, "The headers took too long")
            elif phase is Phase.BODY:
                self._watch_body()

    def _awaited(self) -> Phase | None:
        if self.transport.is_closing():
            return None
        if self.conn.their_state is h11.SEND_BODY:
            return Phase.BODY
        if self.conn.their_state is h11.IDLE and not (self._served and not self.conn.trailing_data[0]):
            return Phase.HEAD
        return None

    def _watch_body(self) -> None:
        self._timer = self.loop.call_later(self.body_seconds, self._measure, self._received, self.flow.read_paused)

    def _measure(self, before: int, paused: bool) -> None:
        """Refuse a body that came too slowly, unless this server has paused reading."""
        if self._received - before < self.body_bytes and not (paused or self.flow.read_paused):
            self._refuse(408, "The body came too slowly")
        else:
            self._watch_body()

    def _watch_sending(self) -> None:
        """Start the timer of a reply that waits to be sent."""
        if self._sending:
            self._sending.cancel()
        if waiting := self.transport.get_write_buffer_size():
            self._sending = self.loop.call_later(self.write_seconds, self._measure_sending, waiting)

    def _measure_sending(self, before: int) -> None:
        if self.transport.get_write_buffer_size() < before:
            self._watch_sending()
        elif self.transport.get_protocol() is self:
            # `close` would wait for the unsent data.
            self._note_left()
            self.transport.abort()

    def _stop_watching(self) -> None:
        self._phase = None
        if self._timer:
            self._timer.cancel()

    def _refuse(self, status: int, message: str) -> None:
        """Reply with an error unless a reply has begun, and close the connection."""
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            # The connection is closed already, or a fault controls it.
            return
        running = self.cycle is not None and not self.cycle.response_complete
        if running:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if not (running and self.cycle.response_started) and self.conn.our_state is not h11.DONE:
            self.transport.write(_raw(status, message))
        self.transport.close()
        self._watch_sending()


def raise_file_limit() -> None:
    """Raise this process's limit of open files, as each connection needs one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _busy(scope: Scope, receive: Receive, send: Send) -> None:
    reply = error_reply(ApiError(503, "Too many connections are open"))
    reply.headers.update({"Retry-After": "1", "Connection": "close"})
    await reply(scope, receive, send)


def _raw(status: int, message: str) -> bytes:
    """The bytes of a whole error reply."""
    reply = error_reply(ApiError(status, message))
    reply.headers.update({"Date": formatdate(usegmt=True), "Connection": "close"})
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {value}" for name, value in reply.headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + bytes(reply.body)
