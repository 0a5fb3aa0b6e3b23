"""Many requests for data files on one connection: order, log, and rights that change in between."""

import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterator

import pytest
from emulated import Emulator, Reply, until

from algosync.emulator.records.database import Database
from algosync.emulator.records.keys import digest
from algosync.emulator.records.rights import Rights

FOLDER = "/v1/data/local/connected"


@pytest.fixture(scope="module", autouse=True)
def _collection(site: Emulator) -> None:
    assert site.request("POST", "/v1/data/local", {"name": "connected"}).status == 200


@pytest.fixture
def wire(site: Emulator) -> Iterator["Wire"]:
    with contextlib.closing(Wire(site)) as wire:
        yield wire


class Wire:
    """One connection for raw requests, which is never reopened."""

    def __init__(self, site: Emulator, key: str | None = None) -> None:
        host, _, port = site.host.partition(":")
        self._head = f"Host: {site.host}\r\nAuthorization: Simple {key or site.key}\r\n"
        self._socket = socket.create_connection((host, int(port)), 30)
        self._replies = self._socket.makefile("rb")

    def close(self) -> None:
        self._replies.close()
        self._socket.close()

    def send(self, method: str, path: str, body: bytes = b"", more: str = "", piece: int = 1 << 20) -> None:
        length = f"Content-Length: {len(body)}\r\n" if method == "PUT" else ""
        data = f"{method} {path} HTTP/1.1\r\n{self._head}{more}{length}\r\n".encode() + body
        for start in range(0, len(data), piece):
            self._socket.sendall(data[start : start + piece])

    def leave(self) -> None:
        """Close the sending side."""
        self._socket.shutdown(socket.SHUT_WR)

    def answer(self) -> Reply:
        status = int(self._replies.readline().split()[1])
        headers = {}
        while line := self._replies.readline().decode().rstrip():
            name, _, text = line.partition(": ")
            headers[name.lower()] = text
        return Reply(status, headers, self._replies.read(int(headers["content-length"])))

    def ask(self, method: str, name: str, body: bytes = b"", more: str = "") -> Reply:
        self.send(method, f"{FOLDER}/{name}", body, more)
        return self.answer()


def test_every_request_is_logged_once(site: Emulator, wire: Wire) -> None:
    before, expected = len(site.log()), []
    for number in range(3):
        for method, body in (("PUT", b"x" * number), ("GET", b"")):
            reply = wire.ask(method, f"{number}.log", body)
            expected.append(("local", method, f"{FOLDER}/{number}.log", 200, len(reply.body)))
    kept = ("caller", "method", "path", "status", "bytes")
    assert [tuple(line[name] for name in kept) for line in site.log()[before:]] == expected


def test_the_last_stored_content_is_read(site: Emulator, wire: Wire) -> None:
    for content in (b"one", b"other", b"a third"):
        assert site.request("PUT", f"{FOLDER}/changing", content).status == 200
        assert wire.ask("GET", "changing").body == content
    assert site.request("DELETE", f"{FOLDER}/changing").status == 200
    assert wire.ask("GET", "changing").status == 404


def test_pipelined_requests_are_answered_in_order(wire: Wire) -> None:
    wire.ask("PUT", "first", b"0")
    for number in range(10):
        wire.send("PUT", f"{FOLDER}/row{number}", b"%d" % number)
        wire.send("GET", f"{FOLDER}/row{number}")
    answers = [wire.answer() for _ in range(20)]
    assert [answer.body for answer in answers[1::2]] == [b"%d" % number for number in range(10)]
    assert [answer.status for answer in answers] == [200] * 20


def test_a_body_in_pieces_is_stored_whole(wire: Wire) -> None:
    body = bytes(range(256)) * 100
    wire.ask("PUT", "pieces", body)
    wire.send("PUT", f"{FOLDER}/pieces.again", body, piece=64)
    assert wire.answer().status == 200
    assert wire.ask("GET", "pieces.again").body == body


def test_reading_and_writing_in_turn(wire: Wire) -> None:
    for number in range(20):
        name = f"turn{number % 3}"
        assert wire.ask("PUT", name, b"%d" % number).status == 200
        assert wire.ask("GET", name).body == b"%d" % number


def test_the_log_shows_that_a_client_left(site: Emulator) -> None:
    with contextlib.closing(Wire(site)) as wire:
        assert [wire.ask("PUT", "leaving", b"x").status for _ in range(2)] == [200, 200]
        os.kill(site.process.pid, signal.SIGSTOP)  # it does not reply before the client has left
        try:
            wire.send("PUT", f"{FOLDER}/leaving", b"y")
            wire.leave()
        finally:
            os.kill(site.process.pid, signal.SIGCONT)
        until(lambda: [line["status"] for line in site.log() if line["path"] == f"{FOLDER}/leaving"] == [200] * 3)
    assert site.log()[-1].get("left") is True


def test_a_removed_key_is_refused_on_an_open_connection(site: Emulator) -> None:
    reader = site.key_of("local", Rights(write=False, call=False, management=False))
    site.request("PUT", f"{FOLDER}/closed", b"secret")
    with contextlib.closing(Wire(site, reader)) as wire:
        assert [wire.ask("GET", "closed").status for _ in range(3)] == [200] * 3
        assert [wire.ask("PUT", "closed", b"x").status for _ in range(3)] == [403] * 3
        remove(site, reader)
        assert [wire.ask("GET", "closed").status for _ in range(2)] == [401] * 2


def test_a_key_ends_at_its_time_on_an_open_connection(site: Emulator) -> None:
    made = time.time()
    key = site.key_of("local", expires_in=5)
    site.request("PUT", f"{FOLDER}/timed", b"x")
    with contextlib.closing(Wire(site, key)) as wire:
        early = [wire.ask("GET", "timed").status for _ in range(3)]
        assert early == [200] * 3 or time.time() - made >= 5
        while (status := wire.ask("GET", "timed").status) == 200:
            pass
    assert status == 401


def test_a_deleted_collection_takes_no_files(site: Emulator, wire: Wire) -> None:
    assert site.request("POST", "/v1/data/local", {"name": "passing"}).status == 200

    def put() -> int:
        wire.send("PUT", "/v1/data/local/passing/file", b"x")
        return wire.answer().status

    assert [put(), put(), put()] == [200] * 3
    assert site.request("DELETE", "/v1/data/local/passing?force=true").status == 200
    assert [put(), put()] == [404] * 2


def remove(site: Emulator, key: str) -> None:
    with contextlib.closing(Database(site.root / "cluster.sqlite")) as database, database.write() as connection:
        connection.execute("DELETE FROM keys WHERE digest = ?", (digest(key),))
