"""The cluster with the records from before the last successful write, for stale listings."""

import asyncio
import re
import shutil
import sqlite3
import uuid
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from algosync.emulator.api.data_requests import names_file
from algosync.emulator.records.database import Database

READS = re.compile(r"(?:GET|HEAD|OPTIONS) .*|POST (?:/v1/algo/.*|/git/.*/git-upload-pack)", re.DOTALL)
"""Requests that change no records. If a called algorithm changes some, it sends requests of its own."""

RECORDS = ("GET", "HEAD")
"""Methods that can read previous records. Writes would change the current blobs and repositories."""

DATABASE = "cluster.sqlite"


def reads_records(method: str, raw_path: bytes) -> bool:
    """Whether a request reads a listing or record. The contents of files are excluded, since previous ones may be gone."""
    return raw_path.startswith(b"/v1/") and (method == "HEAD" or (method == "GET" and not names_file(raw_path)))


class PreviousRecords:
    """A copy of the database from before the last write. `app` builds an application on a database.

    The folder must be empty at first. The start of a server empties it.
    """

    def __init__(self, folder: Path, database: Path, app: Callable[[Database], ASGIApp]) -> None:
        self._folder = folder
        self._database = database
        self._app = app
        self._copy: Path | None = None
        self._app_of_copy: ASGIApp | None = None

    @property
    def exist(self) -> bool:
        """Whether there was a write since the last `forget`."""
        return self._copy is not None

    def app(self) -> ASGIApp:
        """The application with the previous records. Raises `LookupError` if there are none."""
        if self._copy is None:
            raise LookupError("There was no write")
        if self._app_of_copy is None:
            self._app_of_copy = self._app(Database(self._copy / DATABASE, journal="MEMORY"))
        return self._app_of_copy

    def forget(self) -> None:
        """Delete the copy. A running read can finish."""
        if self._copy:
            shutil.rmtree(self._copy, ignore_errors=True)
        self._copy = self._app_of_copy = None

    def recording(self, app: ASGIApp) -> ASGIApp:
        """Wrap `app`, so that each successful write keeps a copy of the records from before it."""

        async def record(scope: Scope, receive: Receive, send: Send) -> None:
            if READS.fullmatch(f"{scope['method']} {scope['path']}"):
                await app(scope, receive, send)
                return
            copy = await asyncio.to_thread(self._copied)

            async def watch(message: Message) -> None:
                # Before the client gets the answer and can send a read.
                if message["type"] == "http.response.start" and message["status"] < 300:
                    self.forget()
                    self._copy = copy
                await send(message)

            try:
                await app(scope, receive, watch)
            finally:
                if copy != self._copy:
                    shutil.rmtree(copy, ignore_errors=True)

        return record

    def _copied(self) -> Path:
        """Copy the database into a new folder, which also takes the files that SQLite creates beside it."""
        path = self._folder / uuid.uuid4().hex
        path.mkdir(parents=True)
        with closing(sqlite3.connect(self._database)) as now, closing(sqlite3.connect(path / DATABASE)) as copy:
            # The copy need not survive a crash.
            copy.execute("PRAGMA synchronous=OFF")
            now.backup(copy)
        return path
