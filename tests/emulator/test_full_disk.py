"""Error replies of a cluster whose disk is full, and recovery when there is space again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message

from algosync.emulator import disk_space
from algosync.emulator.disk_space import explains
from algosync.emulator.records.accounts import Accounts
from algosync.emulator.records.database import Database
from algosync.emulator.server.cluster import HANDLERS

NO_ROOM = "There is no room left on the disk of the local cluster: free some and try again"


def answer(doing: Callable[[], object]) -> tuple[int, str]:
    """Status and message of a route that calls `doing`, with the cluster's error handlers."""
    sent: list[Message] = []

    async def endpoint(_: Request) -> Response:
        doing()
        return Response("{}")

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "DELETE", "path": "/", "headers": [], "query_string": b"", "root_path": ""}
    application = Starlette(routes=[Route("/", endpoint, methods=["DELETE"])], exception_handlers=HANDLERS)
    asyncio.run(application(scope, receive, send))
    return sent[0]["status"], json.loads(sent[1]["body"]).get("error", {}).get("message")


def test_a_full_disk_is_reported() -> None:
    def write() -> None:
        with open("/dev/full", "wb", buffering=0) as full:
            full.write(b"x")

    assert answer(write) == (507, NO_ROOM)


def test_other_errors_are_not_reported_as_a_full_disk() -> None:
    for doing, error in ((lambda: Path("/dev/null/x").read_bytes(), OSError), (_no_table, sqlite3.OperationalError)):
        with pytest.raises(error):
            answer(doing)


def _no_table() -> None:
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("SELECT * FROM none")


def test_a_full_database_is_reported_and_works_again_later(tmp_path: Path) -> None:
    with contextlib.closing(Database(tmp_path / "database")) as database:
        accounts = Accounts(database)
        with database.write() as connection:
            connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0]}")

        def fill() -> None:
            for n in range(10_000):
                accounts.add_user(f"user{n}")

        assert answer(fill) == (507, NO_ROOM)
        kept = database.rows("SELECT count(*) FROM users")[0][0]
        with database.write() as connection:
            connection.execute("PRAGMA max_page_count = 1000000")
        accounts.add_user("later")
        assert database.rows("SELECT count(*) FROM users")[0][0] == kept + 1


def test_which_failures_a_full_disk_explains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk of the algorithm's own and other failures are not explained."""
    text = "OSError: [Errno 28] No space left on device: 'file'"
    assert not explains(text, tmp_path)
    monkeypatch.setattr(disk_space, "RESERVE", 2**63)
    assert explains(text, tmp_path)
    assert not explains("ValueError: 28", tmp_path)
