"""What the short way of small data files answers, and what it leaves to the long one. `direct` is how it is asked."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

from algosync.emulator.api.data import DataApi
from algosync.emulator.api.data_blocks import content_type
from algosync.emulator.api.data_requests import data_path
from algosync.emulator.clock import http_date, now_text
from algosync.emulator.disk_space import is_full
from algosync.emulator.errors import ApiError, no_room
from algosync.emulator.http.direct_forms import SMALL, Form, Kind, Plain, Way
from algosync.emulator.http.gate import Gate
from algosync.emulator.http.replies import error_reply
from algosync.emulator.http.request_log import Lines, RequestLog
from algosync.emulator.records.database import Database
from algosync.emulator.records.files import Files, Put

FILE = b"HTTP/1.1 200 OK\r\nx-data-type: file\r\ncontent-length: %d\r\ncontent-type: %b\r\ndate: %b\r\n\r\n"

REMEMBERED = 1000

Done = Callable[[bytes | None], None]
"""Whom to tell: a whole answer, or None for what is to go the long way."""


class Asked(NamedTuple):
    """A file that is asked for. `began`: when, by the monotonic clock."""

    form: Form
    name: str
    began: float
    done: Done


class Direct:
    """The cluster as the short way knows it. Its methods belong to the event loop's thread.

    What is asked for in one turn of the loop is answered together, with one look at the database and one write to the log.
    """

    def __init__(self, gate: Gate, log: RequestLog, data: DataApi, files: Files, database: Database) -> None:
        self._gate = gate
        self._log = log
        self._data = data
        self._files = files
        self._database = database
        self._ways: dict[Kind, Way] = {}
        self._version = 0
        self._asked: list[Asked] = []
        self._waiting: list[tuple[Put, Scope, Done]] = []
        self._storing = False

    def get(self, asked: Asked) -> None:
        """Answer a request, soon."""
        self._asked.append(asked)
        if len(self._asked) == 1:
            asyncio.get_running_loop().call_soon(self._answer)

    def _answer(self) -> None:
        """Answer what has been asked for since the last time."""
        batch, self._asked = self._asked, []
        try:
            answers = self._answers(batch)
        except (OSError, sqlite3.Error):
            answers = [None] * len(batch)
        for asked, answer in zip(batch, answers, strict=True):
            asked.done(answer)

    def _answers(self, batch: list[Asked]) -> list[bytes | None]:
        """What `done` is to be told, and the log knows already. Of errors the long way meets them as well, and says so."""
        with self._database.snapshot():
            now = self._moment()
            found = [self._found(asked, now) for asked in batch]
        text, clock, date = now_text(), time.monotonic(), http_date()
        answers: list[bytes | None] = []
        lines = []
        for asked, (way, body) in zip(batch, found, strict=True):
            if way is None or body is None:
                answers.append(None)
            else:
                lines.append(way.lines.ok(text, asked.name, len(body), clock - asked.began))
                answers.append(FILE % (len(body), _media_type(content_type(way.accepted, body)), date) + body)
        self._log.append("".join(lines))
        return answers

    def _found(self, asked: Asked, now: float) -> tuple[Way | None, bytes | None]:
        """The content of a file, and its way; None for what is to go the long one."""
        way = self._way(asked.form, asked.name, now)
        try:
            return way, self._files.read(way.collection, asked.name, SMALL) if way else None
        except OSError:
            return way, None

    def put(self, form: Form, request: Plain, done: Done) -> Scope | None:
        """Store a file and call `done` with the whole answer; None for what is to go the long way, else what is logged of it."""
        began = time.monotonic()
        try:
            way = self._way(form, request.name, self._moment())
        except (OSError, sqlite3.Error):
            return None
        if way is None or not self._data.takes(len(request.body)):
            return None
        scope: Scope = {**form.asking(request.name), "began": began, "caller": way.caller}
        self._waiting.append((Put(way.collection, data_path(scope["raw_path"]), request.body), scope, done))
        if not self._storing:
            self._store()
        return scope

    def _store(self) -> None:
        """Store what has come while what was before it was stored."""
        batch, self._waiting = self._waiting, []
        self._storing = bool(batch)
        if batch:
            task = asyncio.get_running_loop().run_in_executor(None, self._data.store, [put for put, _, _ in batch])
            task.add_done_callback(lambda _: self._stored(task, batch))

    def _stored(self, task: asyncio.Future[list[Response]], batch: list[tuple[Put, Scope, Done]]) -> None:
        # The next are on their way to the disk while these are told.
        self._store()
        error = task.exception()
        responses = [_crash(error)] * len(batch) if error else task.result()
        lines = [
            self._log.line(scope, response.status_code, len(response.body))
            for (_, scope, _), response in zip(batch, responses, strict=True)
        ]
        try:
            self._log.append("".join(lines))
        finally:
            for (_, _, done), response in zip(batch, responses, strict=True):
                done(_serialized(response))

    def _moment(self) -> float:
        """The time. What the gate and the rules have said holds until somebody commits anything."""
        version = self._database.version()
        if version != self._version or len(self._ways) > REMEMBERED:
            self._version = version
            self._ways.clear()
        return time.time()

    def _way(self, form: Form, name: str, now: float) -> Way | None:
        """Whether and how a request is to be answered here."""
        way = self._ways.get(form.kind)
        if way is None or (way.caller.expires_at is not None and way.caller.expires_at <= now):
            way = self._said(form.asking(name))
            if way and way.caller.inside is None:
                # Whom a worker acts for is another with each call.
                self._ways[form.kind] = way
        return way

    def _said(self, scope: Scope) -> Way | None:
        try:
            self._gate.admit(scope)
            collection = self._data.readable(scope) if scope["method"] == "GET" else self._data.writable(scope)
        except ApiError:
            return None
        accepted = Headers(scope=scope).get("accept", "*/*")
        return Way(scope["caller"], collection, accepted, Lines(scope)) if collection else None


@lru_cache
def _media_type(kind: str) -> bytes:
    """As Starlette has it."""
    text = kind.startswith("text/") and "charset=" not in kind.lower()
    return f"{kind}; charset=utf-8".encode("latin-1") if text else kind.encode("latin-1")


def _crash(error: BaseException) -> Response:
    if is_full(error):
        return error_reply(no_room())
    logging.error("The local cluster could not store a file", exc_info=error)
    return error_reply(ApiError(500, "Internal error of the local cluster", 5001))


def _serialized(response: Response) -> bytes:
    reason = b"OK" if response.status_code == 200 else b"Error"
    lines = [b"HTTP/1.1 %d %s" % (response.status_code, reason), *[name + b": " + value for name, value in response.raw_headers]]
    return b"\r\n".join([*lines, b"date: " + http_date(), b"", bytes(response.body)])
