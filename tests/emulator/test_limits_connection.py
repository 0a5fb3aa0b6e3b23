"""Limits of one connection, tested on a server with the protocol of the cluster and a clock that the tests control."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import pytest
from emulated import until
from serving import Loop, readable, served
from starlette.types import Message, Receive, Scope, Send

from algosync.emulator.http.limited_protocol import LimitedProtocol
from algosync.emulator.http.raw_connection import RawAccessProtocol

SECONDS = 60.0
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Short(LimitedProtocol):
    head_seconds = body_seconds = SECONDS
    body_bytes = 1000
    max_connections = 4
    latest: ClassVar[Short]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in the class below
        Short.latest = self
        super().connection_made(transport)


@dataclass
class Server:
    """An application that replies with the size of the body, once `let` is set."""

    port: int = 0
    let: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)
    loop: Loop = field(default_factory=Loop)
    seen: list[str | int] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.begun.set()
        while not self.let.is_set():
            await asyncio.sleep(0.01)
        size, message = 0, await receive()
        while message.get("more_body", False):
            size += len(message["body"])
            message = await receive()
        size += len(message.get("body", b""))
        self.seen.append(size if message["type"] == "http.request" else "left")
        for part in _reply(str(size).encode()):
            await send(part)

    def connect(self, sent: bytes = b"") -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        connection.sendall(sent)
        return connection

    def ask(self, sent: bytes) -> tuple[int, str]:
        """Status and message of a refusal. The server closes the connection."""
        with self.connect(sent) as connection:
            return self.refused(connection)

    def refused(self, connection: socket.socket) -> tuple[int, str]:
        """The same, however much time has to pass until then."""
        self.loop.advance_until_readable(connection, SECONDS)
        return refusal(everything(connection))


def _reply(body: bytes) -> list[Message]:
    headers = [(b"content-length", str(len(body)).encode())]
    return [{"type": "http.response.start", "status": 200, "headers": headers}, {"type": "http.response.body", "body": body}]


def everything(connection: socket.socket) -> bytes:
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while data := connection.recv(65536):
            received += data
    return received


def counted(connection: socket.socket) -> int:
    """The next answer of the application: the size of the body that it has read."""
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    assert answer.status == 200
    return int(answer.read())


def refusal(received: bytes) -> tuple[int, str]:
    head, _, body = received.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    assert b"content-type: application/json" in lines
    assert b"connection: close" in lines
    return int(lines[0].split()[1]), json.loads(body)["error"]["message"]


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    running.let.set()
    with served(running, Short, running.loop, h11_max_incomplete_event_size=32768, timeout_keep_alive=100_000) as running.port:
        yield running
        running.let.set()


def test_the_cluster_has_these_limits() -> None:
    assert issubclass(RawAccessProtocol, LimitedProtocol)
    names = ("head_seconds", "body_seconds", "body_bytes", "write_seconds", "max_connections")
    assert [getattr(RawAccessProtocol, name) for name in names] == [10, 60, 1024, 60, 2048]


@pytest.mark.parametrize("sent", [b"", b"GET / HT", GET[:-2]])
def test_a_head_that_does_not_come(server: Server, sent: bytes) -> None:
    with server.connect(sent) as connection:
        server.loop.advance(SECONDS - 1)
        assert not readable(connection)
        assert server.refused(connection) == (408, "The headers took too long")


def test_a_slow_head(server: Server) -> None:
    """A slow-loris attack: the client keeps sending headers."""
    with server.connect(GET[:-2]) as connection:
        for _ in range(200):
            with contextlib.suppress(ConnectionError):  # the server has hung up
                connection.sendall(b"a")
            server.loop.advance(SECONDS / 10)
        assert refusal(everything(connection)) == (408, "The headers took too long")


def test_the_head_of_a_later_request(server: Server) -> None:
    """The limit does not apply between two requests."""
    with server.connect(GET) as connection:
        assert counted(connection) == 0
        server.loop.advance(2 * SECONDS)
        connection.sendall(GET)
        assert counted(connection) == 0
        connection.sendall(b"G")
        assert server.refused(connection) == (408, "The headers took too long")


def test_an_incomplete_body(server: Server) -> None:
    for framing, part in (("Content-Length: 100000", b"x" * 50), ("Transfer-Encoding: chunked", b"32\r\n" + b"x" * 50)):
        sent = f"PUT / HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n".encode() + part
        assert server.ask(sent) == (408, "The body came too slowly")
    assert server.seen == ["left", "left"]


def test_a_long_but_steady_body(server: Server) -> None:
    """Its whole duration may exceed `body_seconds`."""
    with server.connect(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 40000\r\n\r\n") as connection:
        for _ in range(20):
            connection.sendall(b"x" * 2000)
            server.loop.advance(0.9 * SECONDS)
        assert counted(connection) == 40_000


def test_a_body_that_the_server_does_not_read(server: Server) -> None:
    server.let.clear()
    size = 200_000
    with server.connect(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size) as connection:
        sending = threading.Thread(target=connection.sendall, args=(b"x" * size,))
        sending.start()
        assert server.begun.wait(60)
        until(lambda: Short.latest.flow.read_paused)
        for _ in range(3):
            server.loop.advance(SECONDS)
        server.let.set()
        assert counted(connection) == size
        sending.join()


def test_a_slow_answer(server: Server) -> None:
    server.let.clear()
    with server.connect(GET) as connection:
        assert server.begun.wait(60)
        for _ in range(3):
            server.loop.advance(SECONDS)
        server.let.set()
        assert counted(connection) == 0


def test_invalid_http(server: Server) -> None:
    invalid = (400, "Invalid HTTP request received.")
    chunked = b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert server.ask(b"\x16\x03\x01\x02\x00\r\n\r\n") == invalid
    assert server.ask(b"GET / HTTP/1.1\r\n\r\n") == invalid
    assert server.ask(b"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n") == invalid
    assert server.ask(chunked + b"5\r\n12345\r\nXYZ\r\n") == invalid
    assert server.ask(b"GET / HTTP/1.1\r\nHost: x\r\na: " + b"a" * 40_000) == (431, "The head of the request is too large")
    with server.connect(GET + b"nonsense\r\n\r\n") as connection:
        first, _, second = everything(connection).partition(b"\r\n\r\n0")
        assert first.startswith(b"HTTP/1.1 200 ")
        assert refusal(second) == invalid


def test_an_invalid_chunk_during_a_request(server: Server) -> None:
    """The application sees the client as gone."""
    server.let.clear()
    with server.connect(b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n") as connection:
        connection.sendall(b"nonsense\r\n")
        server.let.set()
        assert refusal(everything(connection)) == (400, "Invalid HTTP request received.")
    until(lambda: server.seen == ["left"])


def test_too_many_connections(server: Server) -> None:
    with contextlib.ExitStack() as stack:
        open_ones = [stack.enter_context(server.connect(GET)) for _ in range(4)]
        assert [counted(connection) for connection in open_ones] == [0] * 4
        waiting = stack.enter_context(server.connect())
        with server.connect() as sixth:
            assert everything(sixth) == b""
        waiting.sendall(GET)
        received = everything(waiting)
        assert refusal(received) == (503, "Too many connections are open")
        assert b"\r\nretry-after: 1\r\n" in received.lower()
    until(lambda: not Short.latest.connections)
    with server.connect(GET) as connection:
        assert counted(connection) == 0
