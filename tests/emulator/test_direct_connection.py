"""A connection that goes the short way: what goes it, and when the server hangs up."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from serving import Loop, readable, served
from starlette.types import Receive, Scope, Send

from algosync.emulator.http.direct import MOST_FORMS, DirectProtocol
from algosync.emulator.http.direct_answers import Asked

KEEP_ALIVE = 60  # seconds
FILES = "/v1/data/me/files/"


@dataclass
class Site:
    """An application for the long way, and what answers on the short one: they tell which of them was asked."""

    port: int = 0
    declines: bool = False
    long: list[str] = field(default_factory=list)
    short: list[str] = field(default_factory=list)
    loop: Loop = field(default_factory=Loop)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.long.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
        await send({"type": "http.response.body", "body": b"long"})

    def get(self, asked: Asked) -> None:
        self.short.append(asked.name)
        answer = None if self.declines else b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nshort"
        asyncio.get_running_loop().call_soon(asked.done, answer)


class Client:
    """One connection, with the same headers each time."""

    def __init__(self, site: Site) -> None:
        self.socket = socket.create_connection(("127.0.0.1", site.port), timeout=60)

    def ask(self, path: str, more: str = "") -> str:
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{more}\r\n".encode())
        answer = http.client.HTTPResponse(self.socket)
        answer.begin()
        return answer.read().decode()


@pytest.fixture
def site() -> Iterator[Site]:
    running = Site()

    class Protocol(DirectProtocol):
        def __init__(self, **given: Any) -> None:
            super().__init__(**given)
            self.app_state = {"direct": running}

    with served(running, Protocol, running.loop, timeout_keep_alive=KEEP_ALIVE) as running.port:
        yield running


@pytest.fixture
def client(site: Site) -> Iterator[Client]:
    connected = Client(site)
    with contextlib.closing(connected.socket):
        yield connected


def test_the_first_of_each_folder_goes_the_long_way(client: Client, site: Site) -> None:
    answers = [client.ask(path) for path in [f"{FILES}a", f"{FILES}b", "/v1/data/me/more/c", f"{FILES}d", "/v1/data/me/more/e"]]
    assert answers == ["long", "short", "long", "short", "short"]
    assert site.short == ["b", "d", "e"]


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("b?acl=true", ""),
        ("b%20c", ""),
        ("b/", ""),
        ("b", "X: y\r\n"),
        ("b" * 256, ""),
        ("sim" + "A" * 25, ""),
        ("eyJ" + "a" * 30 + ".b.c", ""),
    ],
)
def test_what_is_not_the_same_again_goes_the_long_way(client: Client, name: str, more: str) -> None:
    assert [client.ask(f"{FILES}a") for _ in range(3)] == ["long", "short", "short"]
    assert client.ask(FILES + name, more) == "long"
    assert client.ask(f"{FILES}a") == "short"


def test_what_clients_say_of_a_connection_that_they_keep(client: Client) -> None:
    assert [client.ask(f"{FILES}a", "Connection: keep-alive\r\n") for _ in range(3)] == ["long", "short", "short"]


@pytest.mark.parametrize("header", ["Content-Length: 0", "Upgrade: h2c", "Expect: 100-continue", "Connection: keep-alive, x"])
def test_headers_that_change_what_follows_go_the_long_way(client: Client, header: str) -> None:
    assert [client.ask(f"{FILES}a", f"{header}\r\n") for _ in range(3)] == ["long"] * 3


def test_what_the_short_way_declines_goes_the_long_one(client: Client, site: Site) -> None:
    client.ask(f"{FILES}a")
    site.declines = True
    assert [client.ask(f"{FILES}b"), client.ask(f"{FILES}c")] == ["long", "long"]
    site.declines = False
    assert client.ask(f"{FILES}d") == "short"
    assert site.long == [f"{FILES}a", f"{FILES}b", f"{FILES}c"]
    assert site.short == ["b", "c", "d"]


def test_many_folders(client: Client) -> None:
    for number in range(3 * MOST_FORMS):
        folder = f"/v1/data/me/folder{number}/"
        assert [client.ask(f"{folder}a"), client.ask(f"{folder}b")] == ["long", "short"]
    assert client.ask("/v1/data/me/folder0/c") == "long", "some are forgotten"


def test_a_connection_in_use_is_kept_and_an_idle_one_is_not(client: Client, site: Site) -> None:
    assert client.ask(f"{FILES}a") == "long"
    for _ in range(6):
        site.loop.advance(KEEP_ALIVE / 4)
        assert client.ask(f"{FILES}a") == "short"
    site.loop.advance(KEEP_ALIVE - 1)
    assert not readable(client.socket)
    site.loop.advance(2)
    assert client.socket.recv(1) == b""
