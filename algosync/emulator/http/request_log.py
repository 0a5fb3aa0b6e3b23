"""The log of requests: one line for every finished request. It has no headers and no key: a key in a URL is replaced by a note."""

import contextlib
import json
import os
import time
from pathlib import Path
from typing import cast

from starlette.types import Scope

from algosync.emulator.clock import now_text
from algosync.emulator.disk_space import is_full
from algosync.emulator.errors import ApiError
from algosync.emulator.http.url_keys import Known, shown
from algosync.emulator.records.accounts import Caller

LONGEST = 300
"""Characters of an error message that are kept."""

LONGEST_PATH = 1024
"""Characters of a path with its query that are kept. The log must not be flushed by long URLs of strangers."""

LONGEST_METHOD = 16

ALGOSYNC = (b"algosync", b"git/algosync")
"""User agents of algosync."""

MAX_BYTES = 64 * 1024 * 1024
"""Size limit of the log. When it is reached, the log starts anew, and one older file is kept."""


def older(log: Path) -> Path:
    """The file with the lines before those of `log`. It may not exist."""
    return log.with_name(f"{log.stem}.older{log.suffix}")


class RequestLog:
    """`requests.jsonl`: time, caller, method, path with query, status, bytes of the reply's body.

    Lines have more fields if they apply:

    - `seconds` from the gate to the last byte of the reply.
    - `fault`: the injected fault.
    - `lookup`: algosync asked whether something exists, and it does not.
    - `left`: the client closed the connection before it had the whole reply.
    - `id`: the id of a call or of an error, as in the reply.
    - `error`: the beginning of the error message. For a failed call only its type, because messages of algorithms may contain keys.
    - `key` and `needs`: the public short id of a key that does not permit the request, and the rights that it lacks.

    Use it from the event loop's thread only. Lines are lost while the disk is full.
    """

    def __init__(self, path: Path, known: Known, max_bytes: int = MAX_BYTES) -> None:
        self._path = path
        self._known = known
        self._max_bytes = max_bytes
        self._closed = False
        self._open()

    def add(self, scope: Scope, status: int, size: int) -> None:
        """Append the line of a request whose reply has this status and this body size in bytes."""
        if self._closed:
            return
        try:
            self._write(_line(scope, status, size, self._known).encode())
        except OSError as error:
            if not is_full(error):
                raise

    def close(self) -> None:
        """Close the log. Requests that finish later, while the server stops, are not logged."""
        os.close(self._file)
        self._closed = True

    def _open(self) -> None:
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._size = os.fstat(self._file).st_size

    def _write(self, line: bytes) -> None:
        """Append a line in one write, so that the log of a killed server ends with a whole line."""
        if self._size and self._size + len(line) > self._max_bytes:
            with contextlib.suppress(FileNotFoundError):
                self._path.replace(older(self._path))
            before = self._file
            self._open()
            os.close(before)
        written = os.write(self._file, line)
        if written < len(line):
            # The disk is full. Remove the half line, which the next line would continue.
            os.ftruncate(self._file, self._size)
        else:
            self._size += written


def _line(scope: Scope, status: int, size: int, known: Known) -> str:
    path, query = (scope[name].decode("ascii", "replace") for name in ("raw_path", "query_string"))
    caller = cast("Caller | None", scope.get("caller"))
    entry = {
        "time": now_text(),
        "caller": caller.user if caller else None,
        "method": scope["method"][:LONGEST_METHOD],
        "path": _cut(shown(path, query, known)),
        "status": status,
        "bytes": size,
    }
    if began := scope.get("began"):
        entry["seconds"] = round(time.monotonic() - began, 3)
    if status == 404 and scope["method"] in ("GET", "HEAD") and dict(scope["headers"]).get(b"user-agent") in ALGOSYNC:
        entry["lookup"] = True
    refusal = cast("ApiError | None", scope.get("refusal"))
    optional = {
        "fault": scope.get("fault"),
        "left": scope.get("left"),
        "id": refusal.id if refusal else scope.get("call"),
        "error": (refusal.message if refusal else scope.get("failed", ""))[:LONGEST],
        "needs": ", ".join(scope.get("lacks", ())),
        "key": scope.get("key"),
    }
    return f"{json.dumps(entry | {name: value for name, value in optional.items() if value})}\n"


def _cut(path: str) -> str:
    return path if len(path) <= LONGEST_PATH else f"{path[:LONGEST_PATH]}... ({len(path)} characters)"
