"""Clients that do not read their reply or read it slowly, and connections without a TLS handshake."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from emulated import until
from harness import certificate
from serving import Loop, readable, run
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from algosync.emulator.http.limited_protocol import LimitedProtocol
from algosync.emulator.server.http_server import HttpServer, configured
from algosync.emulator.server.tls import authority

SECONDS = 60.0
SIZE = 16 * 1024 * 1024
"""More than the buffers of the system hold."""


class Short(LimitedProtocol):
    write_seconds = SECONDS


class Threaded(HttpServer):
    """A server in a thread of a test, which does not handle signals."""

    handshake_seconds = SECONDS

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Large:
    """An application that writes its whole answer at once."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.loop = Loop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await Response(b"x" * SIZE)(scope, receive, send)
        while (await receive())["type"] != "http.disconnect":
            pass
        self.ended.set()


@pytest.fixture
def large() -> Iterator[tuple[Large, socket.socket]]:
    application = Large()
    config = uvicorn.Config(application, http=Short, ws="none", lifespan="off", log_level="error", timeout_keep_alive=100_000)
    with run(uvicorn.Server(config), application.loop) as port, socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        connection.settimeout(60)
        connection.connect(("127.0.0.1", port))
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        yield application, connection


def lost(port: int) -> bool:
    """Whether the server's connection to this port has ended, according to the system."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return not any(int(line[2].partition(":")[2], 16) == port and line[3] == "01" for line in lines)


def test_a_client_that_does_not_read(large: tuple[Large, socket.socket]) -> None:
    application, connection = large

    def ended() -> bool:
        application.loop.advance(SECONDS)
        return lost(connection.getsockname()[1])

    until(ended)
    assert received(connection) < SIZE


def test_a_client_that_reads_slowly(large: tuple[Large, socket.socket]) -> None:
    application, connection = large
    # 16 pauses: 1.6 times what one may take. In several of them the server writes nothing, because the system's buffers are full.
    assert received(connection, lambda: application.loop.advance(0.1 * SECONDS)) > SIZE
    assert not lost(connection.getsockname()[1])
    connection.shutdown(socket.SHUT_WR)
    assert application.ended.wait(60)


def received(connection: socket.socket, pause: Callable[[], None] = lambda: None) -> int:
    """How many bytes came, until there were enough or no more, with a pause after each MiB."""
    count = 0
    with contextlib.suppress(ConnectionResetError):
        while count <= SIZE and (data := connection.recv(65536)):
            if count >> 20 < (count := count + len(data)) >> 20:
                pause()
    return count


def test_a_connection_without_a_handshake(tmp_path: Path) -> None:
    pem = certificate(tmp_path / "server.pem", tmp_path)
    assert HttpServer.handshake_seconds == 10
    loop = Loop()
    with run(Threaded(configured(Starlette(), pem), lambda: None), loop) as port:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            loop.advance(SECONDS - 1)
            assert not readable(connection)
            loop.advance_until_readable(connection, SECONDS)
            assert connection.recv(1) == b""
        context = ssl.create_default_context(cafile=authority(tmp_path / "tls").certificate)
        connection = socket.create_connection(("127.0.0.1", port), timeout=60)
        with context.wrap_socket(connection, server_hostname="localhost") as secure:
            secure.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert secure.recv(12) == b"HTTP/1.1 404"
