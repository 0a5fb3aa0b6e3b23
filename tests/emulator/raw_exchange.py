"""Sends many raw requests, and requires an answer to each of them."""

from __future__ import annotations

import contextlib
import hmac
import json
import select
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from emulated import Emulator
from mutated import Case

BATCH = 16
LARGE = 65536
WAIT_SECONDS = 0.25
"""Seconds to wait for answers to requests without a clear end. The server may still wait for the rest of the request."""


@dataclass(frozen=True)
class Answered:
    """A reply. After a `closing` one the server sends no more: it says so, or it has failed."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes

    @property
    def closing(self) -> bool:
        return self.headers.get(b"connection", b"").lower() == b"close" or self.status >= 500


class Lost(Exception):
    """The connection ended before an answer."""


@dataclass(frozen=True)
class Server:
    """The address of the server. With its token, answers to health checks can be verified."""

    host: str
    token: str

    @classmethod
    def of(cls, site: Emulator) -> Server:
        return cls(site.host, json.loads((site.root / "cluster.json").read_text())["token"])

    def connect(self) -> socket.socket:
        name, _, port = self.host.rpartition(":")
        connection = socket.create_connection((name, int(port)), timeout=60)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def exchange(self, cases: Sequence[Case]) -> Iterator[tuple[Case, Answered]]:
        """Send requests with a clear end, in batches on persistent connections. Yields every answer."""
        remaining = list(cases)
        while remaining:
            with self.connect() as connection, connection.makefile("rb") as stream:
                while remaining:
                    batch = _batch(remaining)
                    count, closed = 0, False
                    for found in self._answers(connection, stream, batch):
                        yield found
                        count, closed = count + 1, found[1].closing
                    del remaining[:count]
                    if closed:
                        break
                    self._check_health(connection, stream, str(len(remaining)))

    def _answers(self, connection: socket.socket, stream: IO[bytes], batch: Sequence[Case]) -> Iterator[tuple[Case, Answered]]:
        connection.sendall(b"".join(each.wire(self.host) for each in batch))
        for each in batch:
            try:
                answer = read(stream, head=each.method == "HEAD")
            except (OSError, ValueError, IndexError, Lost) as error:
                raise AssertionError(f"no answer to {each}: {error!r}") from error
            yield each, answer
            if answer.closing:
                return

    def _check_health(self, connection: socket.socket, stream: IO[bytes], nonce: str) -> None:
        """Verify that answers and requests still correspond."""
        connection.sendall(f"GET /health?nonce={nonce} HTTP/1.1\r\nHost: {self.host}\r\n\r\n".encode())
        proof = hmac.new(self.token.encode(), nonce.encode(), "sha256").hexdigest()
        assert read(stream).body.startswith(f'{{"proof":"{proof}"'.encode())

    def unframed(self, cases: Sequence[Case]) -> Iterator[tuple[Case, Answered | None]]:
        """Send each case on a separate connection, and wait a moment for an answer, which is optional."""
        for start in range(0, len(cases), 4 * BATCH):
            with contextlib.ExitStack() as stack:
                sent = {stack.enter_context(self.connect()): each for each in cases[start : start + 4 * BATCH]}
                for connection, each in sent.items():
                    with contextlib.suppress(OSError):
                        connection.sendall(each.wire(self.host))
                ready = _readable(list(sent), WAIT_SECONDS)
                for connection, each in sent.items():
                    yield each, _first(connection, each) if connection in ready else None


def _batch(cases: Sequence[Case]) -> Sequence[Case]:
    """The next cases that fit into the buffers of a connection."""
    size = 0
    for count, each in enumerate(cases[:BATCH]):
        size += len(each.body) + sum(len(value) for _, value in each.headers)
        if size > LARGE:
            return cases[: max(1, count)]
    return cases[:BATCH]


def _readable(connections: list[socket.socket], seconds: float) -> list[socket.socket]:
    deadline = time.monotonic() + seconds
    ready: set[socket.socket] = set()
    while (left := deadline - time.monotonic()) > 0 and len(ready) < len(connections):
        ready.update(select.select([each for each in connections if each not in ready], [], [], left)[0])
    return list(ready)


def _first(connection: socket.socket, each: Case) -> Answered | None:
    with connection.makefile("rb") as stream:
        try:
            return read(stream, head=each.method == "HEAD")
        except (OSError, Lost):
            return None


def read(stream: IO[bytes], *, head: bool = False) -> Answered:
    """The next answer. Raises `Lost` if the connection ends instead."""
    line, headers = _head(stream)
    while line.split()[1].startswith(b"1"):
        line, headers = _head(stream)
    status = int(line.split()[1])
    if head or status in (204, 304):
        return Answered(status, headers, b"")
    if headers.get(b"transfer-encoding") == b"chunked":
        return Answered(status, headers, _chunks(stream))
    size = int(headers[b"content-length"])
    body = stream.read(size)
    if len(body) != size:
        raise Lost(line)
    return Answered(status, headers, body)


def _head(stream: IO[bytes]) -> tuple[bytes, dict[bytes, bytes]]:
    line = stream.readline()
    if not line.startswith(b"HTTP/1.1 "):
        raise Lost(line)
    headers = {}
    while (field := stream.readline()) not in (b"\r\n", b""):
        name, _, value = field.partition(b":")
        headers[name.lower()] = value.strip()
    return line, headers


def _chunks(stream: IO[bytes]) -> bytes:
    body = b""
    while size := int(stream.readline(), 16):
        body += stream.read(size)
        stream.readline()
    stream.readline()
    return body
