"""The network between algosync and its clusters: two clusters with private authorities, proxies, and servers that do not answer."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

from harness import Cluster, Workspace, lasting_port

__all__ = ["Tinyproxy", "answering", "put", "squid", "tinyproxy", "two_algorithms"]

_PLACES = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/lib/squid:/usr/lib64/squid"
TINYPROXY, SQUID, NCSA = (which(name, path=_PLACES) for name in ("tinyproxy", "squid", "basic_ncsa_auth"))


def put(cluster: Cluster, collection: str, name: str, content: bytes) -> None:
    """Write a file to the user's own data."""
    data = cluster.api().data
    data.create_collection(cluster.user, collection)
    data.put(cluster.user, collection, name, [content], len(content))


@contextmanager
def answering(reply: bytes | None) -> Iterator[str]:
    """Yields `host:port` of a server that answers each connection with these bytes and closes it. For None it never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        connections: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connections.append(connection)
                if reply is not None:
                    with connection, suppress(OSError):  # the client may leave early
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
        """`host:port` of each requested CONNECT."""
        return set(re.findall(r"\bCONNECT (\S+:\d+) HTTP", self.log.read_text()))


@contextmanager
def tinyproxy(folder: Path, *settings: str) -> Iterator[Tinyproxy]:
    """Run a real proxy on a free port while the body runs."""
    assert TINYPROXY is not None
    port, log = lasting_port(), folder / "tinyproxy.log"
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
        process.wait(60)


@contextmanager
def squid(user: str, password: str) -> Iterator[int]:
    """The port of a real proxy with one user. If started by root it runs as another user, who needs access to its files."""
    assert SQUID is not None
    assert NCSA is not None
    with TemporaryDirectory() as name:
        folder, port = Path(name), lasting_port()
        folder.chmod(0o755)
        (folder / "users").write_text(f"{user}:{hashlib.md5(password.encode(), usedforsecurity=False).hexdigest()}\n")
        lines = (
            f"http_port 127.0.0.1:{port}",
            "pid_filename none",
            "netdb_filename none",
            "cache deny all",
            "cache_log /dev/null",
            "access_log none",
            "shutdown_lifetime 0 seconds",
            f"auth_param basic program {NCSA} {folder / 'users'}",
            "acl known proxy_auth REQUIRED",
            "http_access allow known",
            "http_access deny all",
        )
        (folder / "squid.conf").write_text("\n".join(lines) + "\n")
        process = subprocess.Popen([SQUID, "-N", "-f", str(folder / "squid.conf")], stderr=subprocess.DEVNULL)
        try:
            _await(port, process)
            yield port
        finally:
            process.terminate()
            process.wait(60)


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    """Poll until a proxy listens, which it does not report."""
    for _ in range(1200):
        assert process.poll() is None
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        threading.Event().wait(0.05)
    raise AssertionError("the proxy does not listen")


def two_algorithms(workspace: Workspace, source: str) -> None:
    """Two algorithms with a data file from the source cluster each, so that requests of every kind are made."""
    files = ["data://.my/models/words.txt"]
    algorithms: list[dict[str, object]] = []
    for name in ("One", "Two"):
        workspace.algorithm(name)
        algorithms.append({"name": name, "language": "python3", "data_files": files, "test_payload": 1})
    workspace.write(algorithms, source_info={"cluster_address": source})
