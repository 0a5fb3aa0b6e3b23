"""The world between algosync and its clusters: two of them behind private authorities, proxies, servers that do not answer."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from harness import Cluster, Workspace

__all__ = ["Tinyproxy", "answering", "free_port", "put", "tinyproxy"]

TINYPROXY = which("tinyproxy") or which("tinyproxy", path="/usr/sbin:/usr/bin")


def put(cluster: Cluster, collection: str, name: str, content: bytes) -> None:
    """A file in the user's own data."""
    data = cluster.api().data
    data.create_collection(cluster.user, collection)
    data.put(cluster.user, collection, name, [content], len(content))


@contextmanager
def answering(reply: bytes | None) -> Iterator[str]:
    """`host:port` of a server that answers each connection by these bytes and closes; None: it takes all and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        connections: list[socket.socket] = []

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    connections.append(connection)
                    if reply is not None:
                        with connection:
                            connection.recv(65536)
                            connection.sendall(reply)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"localhost:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)
            for connection in connections:
                connection.close()


@dataclass(frozen=True)
class Tinyproxy:
    port: int
    log: Path

    def tunnels(self) -> set[str]:
        """`host:port` of each CONNECT that it was asked for."""
        lines = (line for line in self.log.read_text().splitlines() if "CONNECT " in line)
        return {line.partition("CONNECT ")[2].split()[0] for line in lines}


@contextmanager
def tinyproxy(folder: Path, *settings: str) -> Iterator[Tinyproxy]:
    """A real proxy on a free port; it ends with the body."""
    assert TINYPROXY is not None
    port, log = free_port(), folder / "tinyproxy.log"
    lines: Sequence[str] = (
        f"Port {port}",
        "Listen 127.0.0.1",
        "Timeout 120",
        f'LogFile "{log}"',
        "LogLevel Info",
        "MaxClients 100",
        *settings,
    )
    (folder / "tinyproxy.conf").write_text("\n".join(lines) + "\n")
    process = subprocess.Popen([TINYPROXY, "-d", "-c", str(folder / "tinyproxy.conf")], stdout=subprocess.DEVNULL)
    try:
        _await(port, process)
        yield Tinyproxy(port, log)
    finally:
        process.terminate()
        process.wait(10)


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    """It says nowhere that it listens: asked until it does."""
    for _ in range(200):
        assert process.poll() is None
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        threading.Event().wait(0.05)
    raise AssertionError("tinyproxy does not listen")


def free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


def two_algorithms(workspace: Workspace, source: str) -> None:
    """Both with a data file from the source cluster, so that every kind of request is made."""
    files = ["data://.my/models/words.txt"]
    algorithms: list[dict[str, object]] = []
    for name in ("One", "Two"):
        workspace.algorithm(name)
        algorithms.append({"name": name, "language": "python3", "data_files": files, "test_payload": 1})
    workspace.write(algorithms, source_info={"cluster_address": source})
