"""A client with low overhead: raw sockets, one process for each connection. As a script it reads a job in JSON and prints seconds.

It does as little as Python can: it sends prepared bytes, splits off the head of the answer, and counts the rest. For a small file
that is still more work than a server in C has. Connections are open before the measurement starts.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Job:
    """Requests of one kind. `sync` is a folder whose files the client makes durable after a reply, if the server does not."""

    port: int
    method: str
    paths: Sequence[str]
    size: int
    connections: int = 1
    headers: str = ""
    sync: str | None = None


def run(job: Job) -> float:
    """Seconds from the first request to the last answer, in a new process. Raises if an answer is wrong."""
    done = subprocess.run([sys.executable, __file__], input=json.dumps(asdict(job)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


class _Connection:
    """One persistent connection."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._socket = socket.create_connection(("127.0.0.1", job.port), 60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray(BLOCK)
        self._block = os.urandom(min(BLOCK, job.size))

    def ask(self, paths: Sequence[str]) -> None:
        """Send requests one after the other."""
        for path in paths:
            if self._job.method == "PUT":
                self._put(path)
            else:
                self._send(path, b"")
                length = self._answer()
                assert length == self._job.size, f"{length} bytes"

    def _put(self, path: str) -> None:
        self._send(path, self._block)
        for _ in range(len(self._block), self._job.size, BLOCK):
            self._socket.sendall(self._block)
        self._answer()
        if self._job.sync:
            file = f"{self._job.sync}/{path.rpartition('/')[2]}"
            _fsync(file, os.O_RDONLY)
            _fsync(self._job.sync, os.O_RDONLY | os.O_DIRECTORY)

    def _send(self, path: str, body: bytes) -> None:
        length = f"Content-Length: {self._job.size}\r\n" if self._job.method == "PUT" else ""
        head = f"{self._job.method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._job.port}\r\n{self._job.headers}{length}\r\n"
        self._socket.sendall(head.encode() + body)

    def _answer(self) -> int:
        """Read an answer completely. Returns the length of its body."""
        buffer, have = memoryview(self._buffer), 0
        while (end := self._buffer.find(b"\r\n\r\n", 0, have)) < 0:
            have += self._received(buffer[have:])
        head = bytes(buffer[:end]).lower()
        assert head.startswith((b"http/1.1 200", b"http/1.1 201", b"http/1.1 204")), head
        _, found, rest = head.partition(b"content-length:")
        length = int(rest.partition(b"\r")[0]) if found else 0
        left = length - (have - end - 4)
        while left:
            left -= self._received(buffer)
        return length

    def _received(self, buffer: memoryview) -> int:
        count = self._socket.recv_into(buffer)
        assert count, "the server has closed the connection"
        return count


def _fsync(path: str, flags: int) -> None:
    file = os.open(path, flags)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _worker(job: Job, share: Sequence[str], start: Any) -> None:
    connection = _Connection(job)
    start.wait()
    connection.ask(share)


def _main() -> None:
    job = Job(**json.load(sys.stdin))
    fork = multiprocessing.get_context("fork")
    start = fork.Barrier(job.connections + 1)
    shares = [job.paths[first :: job.connections] for first in range(job.connections)]
    workers = [fork.Process(target=_worker, args=(job, share, start)) for share in shares]
    for worker in workers:
        worker.start()
    start.wait(60)
    began = time.perf_counter()
    for worker in workers:
        worker.join()
    print(time.perf_counter() - began)
    sys.exit(any(worker.exitcode for worker in workers))


if __name__ == "__main__":
    _main()
