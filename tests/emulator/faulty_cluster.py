"""A cluster with faults, and its replies as a raw socket receives them: every byte, and how the connection ends."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulated import DEADLINE, Emulator, emulator

CONTENT = bytes(range(256)) * 20
FILE = "/v1/data/.my/box/file"


@dataclass(frozen=True)
class RawAnswer:
    """A received reply. `end` tells how the connection ended: FIN, RST, cut or open. `headers` lack the date."""

    start: str
    headers: dict[str, str]
    body: bytes
    end: str
    raw: bytes


@dataclass
class FaultyCluster:
    """A running cluster whose faults can be changed."""

    site: Emulator
    faults: Path

    def inject(self, match: str, then: object, **more: object) -> None:
        """Replace the faults by one entry."""
        self.set([{"match": match, "then": then, **more}])

    def set(self, entries: object) -> None:
        new = self.faults.with_name("new.json")
        new.write_text(json.dumps(entries))
        new.replace(self.faults)

    def connect(self) -> socket.socket:
        host, _, port = self.site.host.rpartition(":")
        plain = socket.create_connection((host, int(port)), timeout=DEADLINE)
        if self.site.ca_cert is None:
            return plain
        # An abrupt end of the connection must be distinguishable from a regular one.
        context = ssl.create_default_context(cafile=self.site.ca_cert)
        return context.wrap_socket(plain, server_hostname=host, suppress_ragged_eofs=False)

    def send(self, connection: socket.socket, method: str, path: str, body: bytes = b"", length: int | None = None) -> None:
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.site.host}\r\nAuthorization: Simple {self.site.key}\r\n"
        declared = len(body) if length is None else length
        connection.sendall(head.encode() + (b"Content-Length: %d\r\n\r\n" % declared if declared else b"\r\n") + body)

    def ask(self, method: str = "GET", path: str = FILE, body: bytes = b"", length: int | None = None) -> RawAnswer:
        """The reply to one request. If the connection stays open, asserts that another request on it succeeds."""
        with contextlib.closing(self.connect()) as connection:
            self.send(connection, method, path, body, length)
            received, end = read(connection, whole=method != "HEAD")
            if end == "open":
                self.send(connection, "GET", "/health")
                assert read(connection)[0].startswith(b"HTTP/1.1 200 OK\r\n")
        return parsed(received, end)

    def faults_logged(self) -> list[Any]:
        return [line.get("fault") for line in self.site.log()]

    def last(self) -> Any:
        """The log entry of the last request with a fault."""
        line = next(line for line in reversed(self.site.log()) if "fault" in line)
        return {name: line[name] for name in ("caller", "method", "path", "status", "bytes", "fault")}


@contextlib.contextmanager
def faulty_cluster(root: Path, environments: Path, *options: str) -> Iterator[FaultyCluster]:
    """Start a cluster with a file of faults, a collection and a data file."""
    faults = root.with_name(root.name + ".faults.json")
    faults.write_text("[]")
    with emulator(root, environments, "--faults", str(faults), *options) as site:
        assert site.request("POST", "/v1/data/.my", {"name": "box"}).status == 200
        assert site.request("PUT", FILE, CONTENT).status == 200
        yield FaultyCluster(site, faults)


def read(connection: socket.socket, *, whole: bool = True) -> tuple[bytes, str]:
    """Read up to the end of the connection, or to the end of the reply by its own length."""
    received = bytearray()
    try:
        while b"\r\n\r\n" not in received[-2 * 65536 :]:
            if not (data := connection.recv(65536)):
                return bytes(received), "FIN"
            received += data
        end = _end(bytes(received), whole=whole)
        while len(received) != end:
            if not (data := connection.recv(1_000_000)):
                return bytes(received), "FIN"
            received += data
    except (ConnectionResetError, ssl.SSLEOFError):
        return bytes(received), "RST" if _reset(connection) else "cut"
    return bytes(received), "open"


def parsed(received: bytes, end: str) -> RawAnswer:
    head, _, body = received.partition(b"\r\n\r\n")
    start, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines if ": " in line)
    return RawAnswer(start, {name.lower(): value for name, value in headers.items() if name.lower() != "date"}, body, end, received)


def _end(received: bytes, *, whole: bool) -> int:
    """The length of a reply by its headers; -1 if the end of the connection ends it."""
    head, end, _ = received.partition(b"\r\n\r\n")
    headers = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:])
    if headers.get(b"connection") == b"close" or (whole and b"content-length" not in headers):
        return -1
    return len(head + end) + (int(headers[b"content-length"]) if whole else 0)


def _reset(connection: socket.socket) -> bool:
    """Whether the connection was reset. OpenSSL reports a reset and an abrupt end with the same error."""
    try:
        connection.getpeername()
    except OSError:
        return True
    return False
