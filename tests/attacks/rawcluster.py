"""An HTTP server that sends exactly the given bytes, and records exactly the received ones."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from algosync.cluster.address import parse
from algosync.cluster.connection import Cluster, connect
from algosync.core.credential import credential
from algosync.net import Net, Retry

__all__ = ["KEY", "RawServer", "Request", "complete", "http", "raw_server"]

KEY = "simKEY/+=KEY"


@dataclass(frozen=True, slots=True)
class Request:
    """`target` as in the request line; decoding fails if that is not ASCII."""

    method: str
    target: str
    head: bytes
    body: bytes


@dataclass
class RawServer:
    """`answer` returns the bytes to send, and whether the connection stays open. It must end if the bytes do not state their
    length.
    """

    url: str
    answer: Callable[[Request], tuple[bytes, bool]]

    def cluster(self, timeout: float = 60.0, tries: int = 1) -> Cluster:
        net = Net(retry=Retry(tries=tries, pause=lambda _: None), timeout=timeout)
        return connect(parse(self.url, "test"), credential(KEY, "test"), net)


def http(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


@contextmanager
def raw_server(answer: Callable[[Request], tuple[bytes, bool]]) -> Iterator[RawServer]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = RawServer(f"http://127.0.0.1:{listener.getsockname()[1]}", answer)
        accepting = threading.Thread(target=_accept, args=(listener, server), daemon=True)
        accepting.start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)
        accepting.join(5)


def _accept(listener: socket.socket, server: RawServer) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_serve, args=(connection, server), daemon=True).start()


def _serve(connection: socket.socket, server: RawServer) -> None:
    with connection, suppress(OSError):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while request := _request(connection):
            data, stays = server.answer(request)
            connection.sendall(data)
            if not stays:
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(1 << 16):  # closing a socket with unread data would discard the reply
                    pass
                return


def _request(connection: socket.socket) -> Request | None:
    received = b""
    while not (request := complete(received)):
        if not (piece := connection.recv(1 << 16)):
            return None
        received += piece
    return request


def complete(received: bytes) -> Request | None:
    """Return the request in these bytes, or None if it is incomplete."""
    head, end, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)^content-length: *(\d+)", head, re.MULTILINE)
    chunked = re.search(rb"(?i)^transfer-encoding: *chunked", head, re.MULTILINE)
    if not end or (chunked and not body.endswith(b"0\r\n\r\n")) or (length and len(body) < int(length[1])):
        return None
    method, target, _ = head.split(b"\r\n", 1)[0].split(b" ", 2)
    return Request(method.decode(), target.decode(), head, body)
