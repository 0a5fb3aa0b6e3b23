"""HTTP/1.1 in one thread over epoll: as few steps for a request as Python needs, and a delay for each if wanted."""

from __future__ import annotations

import heapq
import os
import re
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from pathlib import Path

from benchmark.stub.http import FileReply, Reply, Request

__all__ = ["Server"]

Answer = Callable[[Request], Reply | FileReply]
_BLOCK = 1 << 20  # bytes: of a body that goes to the disk, and the largest body in memory
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_EXPECT = re.compile(rb"\r\nexpect: *100-continue", re.IGNORECASE)
_CHUNK_HEAD = re.compile(rb"([0-9a-fA-F]+)[^\r\n]*\r\n")


@dataclass(slots=True)
class Upload:
    """A large body that is on its way to a file."""

    request: Request
    file: int
    left: int


@dataclass(slots=True)
class Connection:
    """One connection. It has at most one request at a time."""

    socket: socket.socket
    received: bytes = b""
    unsent: memoryview = field(default_factory=lambda: memoryview(b""))
    upload: Upload | None = None
    download: int = -1  # the descriptor of the file that is sent after `unsent`
    left: int = 0
    continued: bool = False


class Server:
    """Answers requests until the process ends. `delay`: seconds before each reply. `folder`: where large bodies go."""

    def __init__(self, answer: Answer, folder: Path, host: str, port: int, delay: float) -> None:
        self._answer, self._folder, self._delay = answer, folder, delay
        self._listener = socket.create_server((host, port), backlog=512)
        self._listener.setblocking(False)
        self.address = "http://{}:{}".format(*self._listener.getsockname())
        self._epoll = select.epoll()
        self._epoll.register(self._listener.fileno(), select.EPOLLIN)
        self._connections: dict[int, Connection] = {}
        self._due: list[tuple[float, int, Connection, Reply | FileReply]] = []
        self._uploads = 0
        self._block = memoryview(bytearray(_BLOCK))
        self._second, self._date = 0, b""

    def serve(self) -> None:
        """Answer requests for ever."""
        while True:
            wait = max(0.0, self._due[0][0] - time.monotonic()) if self._due else -1
            for number, event in self._epoll.poll(wait):
                connection = self._connections.get(number)
                if connection is None:
                    self._accept()
                    continue
                try:
                    self._write(connection) if event & select.EPOLLOUT else self._read(connection)
                except (BrokenPipeError, ConnectionResetError):
                    self._close(connection)
            while self._due and self._due[0][0] <= time.monotonic():
                _, _, connection, reply = heapq.heappop(self._due)
                self._send(connection, reply)

    def _accept(self) -> None:
        accepted, _ = self._listener.accept()
        accepted.setblocking(False)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connections[accepted.fileno()] = Connection(accepted)
        self._epoll.register(accepted.fileno(), select.EPOLLIN)

    def _close(self, connection: Connection) -> None:
        number = connection.socket.fileno()
        self._epoll.unregister(number)
        del self._connections[number]
        connection.socket.close()
        for descriptor in (connection.download, connection.upload.file if connection.upload else -1):
            if descriptor >= 0:
                os.close(descriptor)

    def _read(self, connection: Connection) -> None:
        if connection.upload is not None:
            self._receive(connection, connection.upload)
            return
        data = connection.socket.recv(_BLOCK)
        if not data:
            self._close(connection)
            return
        connection.received = connection.received + data if connection.received else data
        self._parse(connection)

    def _parse(self, connection: Connection) -> None:
        """Answer the request, if all of it is there."""
        data = connection.received
        end = data.find(b"\r\n\r\n")
        if end < 0:
            return
        head, start = data[: end + 2], end + 4
        method, target, _ = head[: head.index(b"\r\n")].split(b" ")
        body, rest = b"", data[start:]
        if method not in (b"GET", b"HEAD"):
            if not connection.continued and _EXPECT.search(head):
                connection.continued = True
                connection.socket.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            if length := _LENGTH.search(head):
                size = int(length[1])
                if size > _BLOCK:
                    self._open(connection, Request(method, target, head, b"", size, time.monotonic()), rest)
                    return
                if len(rest) < size:
                    return
                body, rest = rest[:size], rest[size:]
            elif _CHUNKED.search(head):
                joined = _unchunked(rest)
                if joined is None:
                    return
                body, rest = joined
        connection.received, connection.continued = rest, False
        self._finish(connection, Request(method, target, head, body, len(body), time.monotonic()))

    def _open(self, connection: Connection, request: Request, begun: bytes) -> None:
        """Send the rest of a large body to a file."""
        self._uploads += 1
        path = self._folder / f"body-{self._uploads}"
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.write(file, begun)
        whole = replace(request, file=path)
        connection.received, connection.continued = b"", False
        connection.upload = Upload(whole, file, request.size - len(begun))

    def _receive(self, connection: Connection, upload: Upload) -> None:
        count = connection.socket.recv_into(self._block, min(_BLOCK, upload.left))
        if not count:
            self._close(connection)
            return
        os.write(upload.file, self._block[:count])
        upload.left -= count
        if not upload.left:
            os.close(upload.file)
            connection.upload = None
            self._finish(connection, upload.request)

    def _finish(self, connection: Connection, request: Request) -> None:
        reply = self._answer(request)
        if self._delay:
            heapq.heappush(self._due, (time.monotonic() + self._delay, id(connection), connection, reply))
        else:
            self._send(connection, reply)

    def _send(self, connection: Connection, reply: Reply | FileReply) -> None:
        if connection.socket.fileno() < 0:
            return
        data = b"".join((reply.start, self._now(), reply.rest))
        if isinstance(reply, FileReply):
            connection.download, connection.left = os.open(reply.path, os.O_RDONLY), reply.size
            connection.unsent = memoryview(data)
            self._epoll.modify(connection.socket.fileno(), select.EPOLLOUT)
            return
        try:
            sent = connection.socket.send(data)
        except BlockingIOError:
            sent = 0
        except (BrokenPipeError, ConnectionResetError):
            self._close(connection)
            return
        if sent < len(data):
            connection.unsent = memoryview(data)[sent:]
            self._epoll.modify(connection.socket.fileno(), select.EPOLLOUT)

    def _write(self, connection: Connection) -> None:
        if connection.unsent:
            connection.unsent = connection.unsent[connection.socket.send(connection.unsent) :]
        elif connection.left:
            connection.left -= os.sendfile(connection.socket.fileno(), connection.download, None, _BLOCK)
        if not connection.unsent and not connection.left:
            if connection.download >= 0:
                os.close(connection.download)
                connection.download = -1
            self._epoll.modify(connection.socket.fileno(), select.EPOLLIN)

    def _now(self) -> bytes:
        second = int(time.time())
        if second != self._second:
            self._second, self._date = second, b"Date: %s\r\n" % formatdate(second, usegmt=True).encode()
        return self._date


def _unchunked(data: bytes) -> tuple[bytes, bytes] | None:
    """The body of a chunked request and what follows it; None if it is not complete."""
    parts, position = list[bytes](), 0
    while (head := _CHUNK_HEAD.match(data, position)) is not None:
        size, start = int(head[1], 16), head.end()
        if len(data) < start + size + 2:
            return None
        position = start + size + 2
        if not size:
            return b"".join(parts), data[position:]
        parts.append(data[start : start + size])
    return None
