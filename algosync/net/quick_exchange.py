"""Small requests over a kept connection whose replies have the usual form. They take a fraction of the time of `urllib3`'s own.

The usual form is: status 200 or 201 of HTTP/1.1, well-formed headers, and one length of the body. For any other reply the bytes
that have arrived are handed to `http.client` and `urllib3`, so their handling of rare and faulty replies exists once.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from http.client import HTTPException
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING, Any, cast

from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.exceptions import ProtocolError

from algosync.net.connection import LeasedConnection
from algosync.net.final_response import FinalResponse
from algosync.net.request import Request

if TYPE_CHECKING:
    from urllib3 import HTTPConnectionPool

__all__ = ["Headers", "KeptConnections", "PlainReply", "plain_reply", "request_head", "rest_of_reply"]

_RECEIVED = 1 << 16  # bytes
_HEAD_LIMIT = 1 << 16  # bytes of headers that are looked at here
_SENT = re.compile(r"[!-~]+")  # a path, and the value of a header together with its name
_SENT_HEADER = re.compile(r"[A-Za-z-]+: [!-~]+(?: [!-~]+)*")
_HEAD = re.compile(rb"HTTP/1\.1 (20[01])(?: [^\r\n\0]*)?\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\0]*\r\n)+\r\n")
_LENGTH = re.compile(r"[0-9]{1,9}")
_MOST_LINES = 64  # different headers of requests that are remembered


class Headers(Mapping[str, str]):
    """Headers by name, whatever its case. Repeated ones are joined, as RFC 9110 §5.2 allows."""

    __slots__ = ("_values",)

    def __init__(self, head: bytes) -> None:
        """`head`: from the status line to the empty line, as `_HEAD` matches it."""
        self._values: dict[str, str] = {}
        for line in head.decode("latin-1").split("\r\n")[1:-2]:
            name, _, value = line.partition(":")
            name, value = name.lower(), value.strip(" \t")
            self._values[name] = f"{self._values[name]}, {value}" if name in self._values else value

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def get(self, name: str, default: Any = None) -> Any:
        return self._values.get(name.lower(), default)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


PlainReply = tuple[int, Headers, bytes]  # status, headers and body


class KeptConnections:
    """The kept connections of one host, and the headers that its requests have in common. Safe to use from several threads."""

    def __init__(self, pool: HTTPConnectionPool) -> None:
        self._pool = pool
        self._lines: dict[tuple[str, tuple[tuple[str, str], ...]], str | None] = {}

    def take(self) -> LeasedConnection | None:
        """A kept connection, which is no longer in the pool. None: there is none that can be used."""
        queue = self._pool.pool
        if queue is None:
            return None
        try:
            connection = queue.get(block=False)
        except Exception:  # noqa: BLE001  # the queue is empty or closed; urllib3 opens a connection or says so
            return None
        if _is_usable(connection):
            return cast("LeasedConnection", connection)
        self.put_back(connection)
        return None

    def put_back(self, connection: LeasedConnection) -> None:
        """Ends the lease of the connection, which another request may use next."""
        self._pool._put_conn(connection)

    def reply(
        self, connection: LeasedConnection, request: Request, head: bytes, limit: int, progressed: Callable[[int], object] | None
    ) -> PlainReply | HTTPResponse:
        """Sends the request. An HTTPResponse is still to be read, and keeps the connection. `limit`, `progressed`: as of
        `plain_reply`. Raises OSError, and the errors of urllib3.
        """
        found = plain_reply(connection.sock, head + request.body, limit, progressed)
        return rest_of_reply(connection, self._pool, found, request.method) if isinstance(found, bytes) else found

    def head(self, request: Request, host: str) -> bytes | None:
        """As `request_head`. The headers are checked and joined once for all requests that have the same ones."""
        key = (host, tuple(request.headers.items()))
        try:
            lines = self._lines[key]
        except KeyError:
            if len(self._lines) >= _MOST_LINES:
                self._lines.clear()
            lines = self._lines[key] = _header_lines(host, request.headers)
        return _joined(request, lines)  # another thread may have cleared the memory meanwhile


def _is_usable(connection: object) -> bool:
    """TLS within the TLS of a proxy is left to urllib3: it has no socket of its own that a lease could borrow."""
    if not isinstance(connection, LeasedConnection) or not connection.host_header:
        return False
    return isinstance(connection.sock, socket.socket) and connection.is_connected


def request_head(request: Request, host: str) -> bytes | None:
    """The head of a request. None: it has characters that `http.client` would refuse, or treat in its own way."""
    return _joined(request, _header_lines(host, request.headers))


def _header_lines(host: str, headers: Mapping[str, str]) -> str | None:
    lines = [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join((f"Host: {host}", *lines, "")) if all(map(_SENT_HEADER.fullmatch, lines)) else None


def _joined(request: Request, lines: str | None) -> bytes | None:
    if lines is None or not _SENT.fullmatch(request.path):
        return None
    length = "" if request.method == "GET" else f"Content-Length: {len(request.body)}\r\n"
    return f"{request.method} {request.path} HTTP/1.1\r\n{lines}{length}\r\n".encode()


def plain_reply(
    sock: socket.socket, request: bytes, limit: int, progressed: Callable[[int], object] | None = None
) -> PlainReply | bytes:
    """Send a request and receive the reply. The bytes that have arrived if the reply has no usual form, or if `limit` bytes of body
    are not enough.

    `progressed` is called with the number of bytes of each further piece of the body.
    """
    with suppress(BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):  # the reply may say why the server reads no further
        sock.sendall(request)
    received = sock.recv(_RECEIVED)
    while (end := received.find(b"\r\n\r\n")) < 0:
        if len(received) > _HEAD_LIMIT or not (more := sock.recv(_RECEIVED)):
            return received
        received += more
    end += 4
    head = _HEAD.fullmatch(received, 0, end)
    status, headers = (int(head[1]), Headers(head[0])) if head else (0, None)
    length = headers.get("Content-Length", "") if headers else ""
    if headers is None or "Transfer-Encoding" in headers or not _LENGTH.fullmatch(length):
        return received
    if headers.get("Connection", "keep-alive").lower() != "keep-alive":
        return received
    size = end + int(length)
    if int(length) > limit or len(received) > size:
        return received
    if len(received) < size:
        received = _filled(sock, received, size, progressed)
    return (status, headers, received[end:]) if len(received) == size else received


def _filled(sock: socket.socket, received: bytes, size: int, progressed: Callable[[int], object] | None) -> bytes:
    """The bytes with those that follow, `size` in all; fewer if the connection ends."""
    pieces, left = [received], size - len(received)
    while left and (piece := sock.recv(min(left, _RECEIVED))):
        pieces.append(piece)
        left -= len(piece)
        if progressed is not None:
            progressed(len(piece))
    return b"".join(pieces)


def rest_of_reply(connection: LeasedConnection, pool: HTTPConnectionPool, received: bytes, method: str) -> HTTPResponse:
    """The reply that begins with `received`, as urllib3 returns it. Raises its errors."""
    reply = FinalResponse(cast("socket.socket", _Resumed(connection.sock, received)), method=method)
    try:
        reply.begin()
    except (HTTPException, OSError) as error:
        reply.close()
        raise ProtocolError("the reply is invalid", error) from error
    if reply.will_close:
        connection.close()
    return HTTPResponse(
        body=reply,
        headers=HTTPHeaderDict(reply.msg.items()),
        status=reply.status,
        version=reply.version,
        reason=reply.reason,
        preload_content=False,
        decode_content=False,
        original_response=reply,
        pool=pool,
        connection=connection,
        request_method=method,
        enforce_content_length=True,
    )


class _Resumed:
    """A socket from which some bytes were received already. `http.client` reads them first."""

    def __init__(self, sock: socket.socket, received: bytes) -> None:
        self._sock, self._received = sock, received

    def makefile(self, _mode: str) -> BufferedReader:
        return BufferedReader(_Rest(self._received, self._sock.makefile("rb", buffering=0)))


class _Rest(RawIOBase):
    def __init__(self, received: bytes, file: Any) -> None:
        self._received, self._file = memoryview(received), file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if not self._received:
            count: int | None = self._file.readinto(buffer)
            return count
        count = min(len(buffer), len(self._received))
        buffer[:count] = self._received[:count]
        self._received = self._received[count:]
        return count

    def close(self) -> None:
        self._file.close()
        super().close()
