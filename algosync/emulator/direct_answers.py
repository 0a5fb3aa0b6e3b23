"""What the short way of small data files answers, and what it leaves to the long one. `direct` is how it is asked."""

import asyncio
import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

from algosync.emulator.accounts import Caller
from algosync.emulator.clock import http_date
from algosync.emulator.contents import content_type
from algosync.emulator.data_api import DataApi
from algosync.emulator.data_requests import data_path
from algosync.emulator.database import Database
from algosync.emulator.disk_space import is_full
from algosync.emulator.errors import ApiError, no_room
from algosync.emulator.files import Collection, Files, Put
from algosync.emulator.gate import Gate
from algosync.emulator.replies import error_reply
from algosync.emulator.request_log import RequestLog
from algosync.emulator.url_keys import shaped

LINE = re.compile(rb"(GET|PUT) ((/v1/(?:connector/)?data/(?:[\w.-]{1,255}/){1,6})([\w.-]{1,255})) HTTP/1\.1\r\n")
"""A name that means itself: no escapes, no query."""

LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]{1,7})(?=\r\n)", re.IGNORECASE)
END = b"\r\n\r\n"

SMALL = 64 * 1024
"""Bytes of a file that is read on the spot, as to have a thread do it would take longer, and of one that is stored as it came."""

REMEMBERED = 1000


class Head(NamedTuple):
    """A request's line and headers: these without the length of a body, which may be another each time. `end` is where it ends."""

    method: str
    path: bytes
    folder: bytes
    name: str
    headers: bytes
    end: int

    @classmethod
    def of(cls, data: bytes) -> "Head | None":
        """The head of a request that has come whole, and alone, and is plain."""
        line, end = LINE.match(data), data.find(END) + 4
        if line is None or end < 4:
            return None
        headers, size = data[line.end() - 2 : end - 2], len(data) - end
        method, path, folder, name = line.groups()
        if shaped(name.decode()):
            # The gate looks whether it is a key.
            return None
        if method == b"PUT":
            length = LENGTH.search(headers)
            if length is None or int(length[1]) != size or size > SMALL:
                return None
            headers = headers[: length.start()] + headers[length.end() :]
        elif size:
            return None
        return cls(method.decode(), path, folder, name.decode(), headers, end)


@dataclass(frozen=True, slots=True)
class Way:
    """What the gate and the rules of data have said of one kind of request, below one folder."""

    caller: Caller
    collection: Collection
    accepted: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A file that is asked for, and whom to tell: a whole answer, or None for what is to go the long way."""

    head: Head
    scope: Scope
    done: Callable[[bytes | None], None]


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
        self._ways: dict[tuple[str, bytes, bytes], Way] = {}
        self._version = 0
        self._asked: list[Asked] = []
        self._waiting: list[tuple[Put, Scope, Callable[[bytes], None]]] = []
        self._storing = False

    def get(self, asked: Asked) -> None:
        """Answer a request, soon."""
        self._asked.append(asked)
        if len(self._asked) == 1:
            asyncio.get_running_loop().call_soon(self._answer)

    def _answer(self) -> None:
        """Answer what has been asked for since the last time."""
        batch, self._asked = self._asked, []
        with self._database.snapshot():
            self._forget_what_changed()
            found = [self._found(asked) for asked in batch]
        self._log.add_all(
            [(asked.scope, 200, len(body)) for asked, (body, _) in zip(batch, found, strict=True) if body is not None]
        )
        for asked, (body, kind) in zip(batch, found, strict=True):
            asked.done(None if body is None else _file(body, kind))

    def _found(self, asked: Asked) -> tuple[bytes | None, str]:
        """A file's content and its type; None for what is to go the long way."""
        way = self._way(asked.head, asked.scope)
        try:
            body = self._files.read(way.collection, asked.head.name, SMALL) if way else None
        except OSError:
            # Whatever it is, the long way meets it as well, and says so.
            body = None
        return body, "" if way is None or body is None else content_type(way.accepted, body)

    def put(self, head: Head, scope: Scope, body: bytes, done: Callable[[bytes], None]) -> bool:
        """Store a file and call `done` with the whole answer; False for what is to go the long way."""
        self._forget_what_changed()
        way = self._way(head, scope)
        if way is None or not self._data.takes(len(body)):
            return False
        self._waiting.append((Put(way.collection, data_path(head.path), body), scope, done))
        if not self._storing:
            self._store()
        return True

    def _store(self) -> None:
        """Store what has come while what was before it was stored."""
        batch, self._waiting = self._waiting, []
        self._storing = bool(batch)
        if batch:
            task = asyncio.get_running_loop().run_in_executor(None, self._data.store, [put for put, _, _ in batch])
            task.add_done_callback(lambda _: self._stored(task, batch))

    def _stored(self, task: asyncio.Future[list[Response]], batch: list[tuple[Put, Scope, Callable[[bytes], None]]]) -> None:
        # The next are on their way to the disk while these are told.
        self._store()
        error = task.exception()
        responses = [_crash(error)] * len(batch) if error else task.result()
        for (_, scope, done), response in zip(batch, responses, strict=True):
            self._log.add(scope, response.status_code, len(response.body))
            done(_serialized(response))

    def _forget_what_changed(self) -> None:
        """What the gate and the rules have said holds until somebody commits anything."""
        version = self._database.version()
        if version != self._version or len(self._ways) > REMEMBERED:
            self._version = version
            self._ways.clear()

    def _way(self, head: Head, scope: Scope) -> Way | None:
        """Whether and how a request is to be answered here."""
        key = (head.method, head.headers, head.folder)
        way = self._ways.get(key)
        if way is None or (way.caller.expires_at is not None and way.caller.expires_at <= time.time()):
            way = self._said(scope)
            if way and way.caller.inside is None:
                # Whom a worker acts for is another with each call.
                self._ways[key] = way
        if way:
            scope["caller"] = way.caller
        return way

    def _said(self, scope: Scope) -> Way | None:
        try:
            self._gate.admit(scope)
            collection = self._data.readable(scope) if scope["method"] == "GET" else self._data.writable(scope)
        except ApiError:
            return None
        return Way(scope["caller"], collection, Headers(scope=scope).get("accept", "*/*")) if collection else None


def _file(body: bytes, kind: str) -> bytes:
    """The whole answer to a request for a file."""
    if kind.startswith("text/") and "charset=" not in kind:
        # As Starlette has it.
        kind += "; charset=utf-8"
    lines = f"HTTP/1.1 200 OK\r\nx-data-type: file\r\ncontent-length: {len(body)}\r\ncontent-type: {kind}\r\ndate: "
    return b"".join([lines.encode("latin-1"), http_date(), END, body])


def _crash(error: BaseException) -> Response:
    if is_full(error):
        return error_reply(no_room())
    logging.error("The local cluster could not store a file", exc_info=error)
    return error_reply(ApiError(500, "Internal error of the local cluster", 5001))


def _serialized(response: Response) -> bytes:
    reason = b"OK" if response.status_code == 200 else b"Error"
    lines = [b"HTTP/1.1 %d %s" % (response.status_code, reason), *[name + b": " + value for name, value in response.raw_headers]]
    return b"\r\n".join([*lines, b"date: " + http_date(), b"", bytes(response.body)])
