"""A server that runs a script on each connection, and hosts to reach it."""

from __future__ import annotations

import fcntl
import socket
import ssl
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from algosync.net import Host, Net, Proxies, Retry, SettingNames, Trust, Watch

Script = Callable[[socket.socket], None]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
NAMES = SettingNames.of("DESTINATION")


@dataclass
class Raw:
    """`port`, the connections that were made, and the head of each request that the script read."""

    port: int
    connections: list[socket.socket] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def secure(self) -> str:
        return f"https://localhost:{self.port}"


@contextmanager
def listening(script: Script, certificate: Path | None = None) -> Iterator[Raw]:
    """Serve each connection in its own thread. All end with the body."""
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        raw = Raw(listener.getsockname()[1])
        threads = [threading.Thread(target=_accept, args=(listener, raw, script, context), daemon=True)]
        threads[0].start()
        try:
            yield raw
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            threads[0].join(5)
            for connection in raw.connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, raw: Raw, script: Script, context: ssl.SSLContext | None) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        raw.connections.append(connection)
        threading.Thread(target=_run, args=(connection, script, context), daemon=True).start()


def _run(connection: socket.socket, script: Script, context: ssl.SSLContext | None) -> None:
    with suppress(OSError, ValueError):
        if context:
            connection = context.wrap_socket(connection, server_side=True)
        with connection:
            script(connection)


def head(connection: socket.socket) -> bytes:
    """Read up to the empty line and leave the rest. Empty if the client has closed the connection."""
    received = b""
    while not received.endswith(b"\r\n\r\n"):
        if not (byte := connection.recv(1)):
            return b""
        received += byte
    return received


def answers(*replies: bytes) -> Script:
    """Send one reply to each request, the last one to all further requests; then close the connection."""

    def script(connection: socket.socket) -> None:
        left = list(replies)
        while head(connection):
            connection.sendall(left.pop(0) if len(left) > 1 else left[0])
            if b"\r\n\r\n" not in left[0] or b"Connection: close" in left[0]:
                return

    return script


def once(reply: bytes) -> Script:
    """Send one reply to one request, then close the connection."""

    def script(connection: socket.socket) -> None:
        head(connection)
        connection.sendall(reply)

    return script


def arrived(connection: socket.socket) -> None:
    """Return when the other side's system has all that was sent, so that its next look at the connection shows it."""
    until = time.monotonic() + 60
    while int.from_bytes(fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4)), sys.byteorder):
        assert time.monotonic() < until
        time.sleep(0.001)


def drip(connection: socket.socket, begin: bytes, byte: bytes = b"x") -> None:
    """Send some bytes, then single bytes for ever, so that no read of the client takes long."""
    connection.sendall(begin)
    while True:
        time.sleep(0.05)
        connection.sendall(byte)


def silent(connection: socket.socket) -> None:
    """Read and send nothing until the client closes the connection or the test ends."""
    connection.recv(1, socket.MSG_PEEK)
    while True:
        time.sleep(0.05)
        connection.getpeername()


def holding(connection: socket.socket) -> None:
    """Takes the request and does not answer it, for a minute at most."""
    head(connection)
    connection.settimeout(60)
    connection.recv(1)


@contextmanager
def blackhole() -> Iterator[str]:
    """Yield an address that never completes a connection: nobody accepts, and the queue is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        try:
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(listener.getsockname())
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            for filler in fillers:
                filler.close()


def refusing_port() -> int:
    """A port that refuses connections as long as this process runs: it is taken, and nobody listens."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    _TAKEN.append(taken)
    return int(taken.getsockname()[1])


_TAKEN: list[socket.socket] = []


def host(url: str, *, timeout: float = 20.0, watch: Watch | None = None, proxy: str = "", ca: Path | None = None) -> Host:
    """Return a host. `proxy` is the value of HTTPS_PROXY."""
    proxies = Proxies.read({"HTTPS_PROXY": proxy} if proxy else {})
    trust = Trust(str(ca) if ca else None, NAMES.ca_cert)
    return Host(url, NAMES, Net(proxies, Retry(pause=lambda _: None), watch or Watch(), timeout), trust)
