"""The cluster as it was before the last successful write: what stale reads tell."""

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
"""What changes nothing itself; what an algorithm changes is a request of its own."""


RECORDS = ("GET", "HEAD")
"""The methods of what can be told of the past. A write there would be done to the blobs and repositories of now."""

DATABASE = "cluster.sqlite"


def of_records(method: str, raw_path: bytes) -> bool:
    """Whether a request asks for a listing or a record, which can be told of the past: not for bytes, which it may have no more."""
    return raw_path.startswith(b"/v1/") and (method == "HEAD" or (method == "GET" and not names_file(raw_path)))


class PreviousRecords:
    """Copies of the records, taken before writes while somebody wants them. `app` makes a cluster of a copy.

    The folder is empty at first; what a killed server leaves there, the next one removes.
    """

    def __init__(self, folder: Path, database: Path, app: Callable[[Database], ASGIApp]) -> None:
        self._folder = folder
        self._database = database
        self._app = app
        self._copy: Path | None = None
        self._app_of_copy: ASGIApp | None = None

    @property
    def known(self) -> bool:
        """Whether there has been a write since the last `forget`."""
        return self._copy is not None

    def app(self) -> ASGIApp:
        """The cluster as it was. Raises `LookupError` where no past is known."""
        if self._copy is None:
            raise LookupError("There has been no write")
        if self._app_of_copy is None:
            self._app_of_copy = self._app(Database(self._copy / DATABASE, journal="MEMORY"))
        return self._app_of_copy

    def forget(self) -> None:
        """Begin anew. A read that is under way keeps what it has."""
        if self._copy:
            shutil.rmtree(self._copy, ignore_errors=True)
        self._copy = self._app_of_copy = None

    def remembering(self, app: ASGIApp) -> ASGIApp:
        """`app`, with the past kept at each of its successful writes."""

        async def remember(scope: Scope, receive: Receive, send: Send) -> None:
            if READS.fullmatch(f"{scope['method']} {scope['path']}"):
                await app(scope, receive, send)
                return
            copy = await asyncio.to_thread(self._copied)

            async def watch(message: Message) -> None:
                # Before the client can know of it, and ask.
                if message["type"] == "http.response.start" and message["status"] < 300:
                    self.forget()
                    self._copy = copy
                await send(message)

            try:
                await app(scope, receive, watch)
            finally:
                if copy != self._copy:
                    shutil.rmtree(copy, ignore_errors=True)

        return remember

    def _copied(self) -> Path:
        """A folder of its own for each copy, with whatever SQLite puts beside it."""
        path = self._folder / uuid.uuid4().hex
        path.mkdir(parents=True)
        with closing(sqlite3.connect(self._database)) as now, closing(sqlite3.connect(path / DATABASE)) as copy:
            # Nobody needs it after a crash.
            copy.execute("PRAGMA synchronous=OFF")
            now.backup(copy)
        return path
