"""One connection, and what a client may do with it: how many there are, how long a head takes, how slow a body comes or goes.

uvicorn has no such limits: whoever opens connections and says nothing, or one byte a minute, or does not read what was asked for,
would hold them for ever.
"""

import asyncio
import json
import resource
import sys
import uuid
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
"""Twenty calls of an orchestrator that fans out to twelve algorithms, which call others again, are some hundreds."""

MAX_FILES = 65536
"""Open files that this process asks for; more only makes programs slow that close all that they could have inherited."""


class Phase(Enum):
    """What a connection waits for from its client, if for anything."""

    HEAD = "head"
    BODY = "body"
    NOTHING = "nothing"


class LimitedProtocol(H11Protocol):
    """uvicorn's HTTP, with limits. A client that exceeds one is told so in JSON, and its connection closed."""

    head_seconds = 10.0
    """From a connection's start, or the first byte of a later request, to the end of the request's headers."""
    body_seconds = 60.0
    body_bytes = 1024
    """A body that does not bring so many bytes in so many seconds, while this server waits for them, has ended."""
    write_seconds = 60.0
    """A client that takes nothing of what waits to be sent for so long has left. Over TLS it has to take whole blocks of a file."""
    max_connections = MAX_CONNECTIONS

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn's own class
        super().connection_made(transport)
        self._received = 0
        self._phase = Phase.NOTHING
        self._timer: asyncio.TimerHandle | None = None
        self._sending: asyncio.TimerHandle | None = None
        self._served = False
        if len(self.connections) > self.max_connections + self.max_connections // 4:
            transport.abort()
        elif len(self.connections) > self.max_connections:
            # Said as the answer to a request: a reply to nothing would be lost where the client is still sending.
            self.app = _busy
        self._watch()

    def eof_received(self) -> None:
        self._note_left()
        super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:  # otherwise this server closed it, or the client did so in the usual way
            self._note_left()
        self._stop_watching()
        if self._sending:
            self._sending.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        # From here on nothing is written until enough has been sent.
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
        """uvicorn's answer to what is no HTTP, from where it catches h11's error."""
        error = sys.exc_info()[1]
        large = isinstance(error, h11.RemoteProtocolError) and error.error_status_hint == 431
        self._refuse(431 if large else 400, "The head of the request is too large" if large else msg)

    def _note_left(self) -> None:
        """For the log of requests, where it would look as if the client had the answer."""
        if self.cycle is not None and not self.cycle.response_complete:
            cast("Scope", self.cycle.scope)["left"] = True

    def _watch(self) -> None:
        """See to it that what is waited for now comes in time."""
        phase = self._awaited()
        if phase is not self._phase:
            self._stop_watching()
            self._phase = phase
            if phase is Phase.HEAD:
                self._timer = self.loop.call_later(self.head_seconds, self._refuse, 408, "The headers took too long")
            elif phase is Phase.BODY:
                self._watch_body()

    def _awaited(self) -> Phase:
        if self.transport.is_closing():
            return Phase.NOTHING
        if self.conn.their_state is h11.SEND_BODY:
            return Phase.BODY
        if self.conn.their_state is h11.IDLE and not (self._served and not self.conn.trailing_data[0]):
            return Phase.HEAD
        return Phase.NOTHING

    def _watch_body(self) -> None:
        self._timer = self.loop.call_later(self.body_seconds, self._measure, self._received, self.flow.read_paused)

    def _measure(self, before: int, paused: bool) -> None:
        """End a body that is too slow, unless it was this server that did not take it."""
        if self._received - before < self.body_bytes and not (paused or self.flow.read_paused):
            self._refuse(408, "The body came too slowly")
        else:
            self._watch_body()

    def _watch_sending(self) -> None:
        """See to it that what waits now becomes less."""
        if self._sending:
            self._sending.cancel()
        if waiting := self.transport.get_write_buffer_size():
            self._sending = self.loop.call_later(self.write_seconds, self._measure_sending, waiting)

    def _measure_sending(self, before: int) -> None:
        if self.transport.get_write_buffer_size() < before:
            self._watch_sending()
        elif self.transport.get_protocol() is self:
            # To close it would be to wait for it again.
            self._note_left()
            self.transport.abort()

    def _stop_watching(self) -> None:
        self._phase = Phase.NOTHING
        if self._timer:
            self._timer.cancel()

    def _refuse(self, status: int, message: str) -> None:
        """Say it where no reply has begun, and hang up."""
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            # Closed already, or a fault has taken the connection over.
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
    """Let this process have as many open files as it may, as each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _busy(scope: Scope, receive: Receive, send: Send) -> None:
    reply = error_reply(ApiError(503, "Too many connections are open"))
    reply.headers.update({"Retry-After": "1", "Connection": "close"})
    await reply(scope, receive, send)


def _raw(status: int, message: str) -> bytes:
    """A whole reply."""
    body = json.dumps({"error": {"id": str(uuid.uuid4()), "message": message}}).encode()
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        f"date: {formatdate(usegmt=True)}",
        "content-type: application/json",
        f"content-length: {len(body)}",
        "connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body
