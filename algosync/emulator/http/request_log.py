"""One line for every finished request. No header is ever written, so no key can be; of a URL that holds one, that it did."""

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
"""Characters of a refusal that are kept."""

LONGEST_PATH = 1024
"""Characters of a path with its query that are kept: who has no key must not push out what others did."""

LONGEST_METHOD = 16

MAX_BYTES = 64 * 1024 * 1024
"""Of the log, and of what was before it: one older file is kept."""


def older(log: Path) -> Path:
    """Where the lines are that were written before those of `log`, if there are any."""
    return log.with_name(f"{log.stem}.older{log.suffix}")


class RequestLog:
    """`requests.jsonl`: time, caller, method, path with query, status, bytes of the reply's body.

    Where they are known: the seconds that it took from the gate to the reply's last byte, the fault that struck, whether the client
    had `left` before that was whole, the id that a call or a refusal has in its answer, and its error: the beginning of what was
    said, or of a call that failed the type, as what algorithms say may hold keys; of a key that does not permit what was
    asked, its public short id, and what it would need. It belongs to the event loop's thread. A full disk loses lines, and keeps
    nobody from an answer.
    """

    def __init__(self, path: Path, known: Known, max_bytes: int = MAX_BYTES) -> None:
        self._path = path
        self._known = known
        self._max_bytes = max_bytes
        self._closed = False
        self._open()

    def add(self, scope: Scope, status: int, size: int) -> None:
        """Append a line."""
        self.append(self.line(scope, status, size))

    def line(self, scope: Scope, status: int, size: int) -> str:
        """The line of a request, with its end."""
        return _line(scope, status, size, self._known)

    def append(self, lines: str) -> None:
        """Append whole lines in one write, so that those of a killed server end whole."""
        if lines and not self._closed:
            try:
                self._write(lines.encode())
            except OSError as error:
                if not is_full(error):
                    raise

    def close(self) -> None:
        """No more requests: those that end later, at the end of the server, are lost."""
        os.close(self._file)
        self._closed = True

    def _open(self) -> None:
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._size = os.fstat(self._file).st_size

    def _write(self, lines: bytes) -> None:
        if self._size and self._size + len(lines) > self._max_bytes:
            with contextlib.suppress(FileNotFoundError):
                self._path.replace(older(self._path))
            before = self._file
            self._open()
            os.close(before)
        written = os.write(self._file, lines)
        if written < len(lines):
            # The disk has become full in the middle of a line, which the next one would continue.
            os.ftruncate(self._file, self._size)
        else:
            self._size += written


class Lines:
    """The lines of requests that went well, and differ in the end of a path which is short and holds no key."""

    def __init__(self, scope: Scope) -> None:
        folder = scope["raw_path"].decode().rpartition("/")[0]
        entry = {"caller": scope["caller"].user, "method": scope["method"], "path": f"{folder}/"}
        self._middle = json.dumps(entry)[1:-2]

    def ok(self, now: str, name: str, size: int, seconds: float) -> str:
        """One line: `name` is a word, `size` that of the answer's body in bytes."""
        return f'{{"time": "{now}", {self._middle}{name}", "status": 200, "bytes": {size}, "seconds": {seconds:.3f}}}\n'


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
    if fault := scope.get("fault"):
        entry["fault"] = fault
    if scope.get("left"):
        entry["left"] = True
    if call := scope.get("call"):
        entry["id"] = call
    if failed := scope.get("failed"):
        entry["error"] = failed[:LONGEST]
    if lacks := scope.get("lacks"):
        entry["needs"] = ", ".join(lacks)
    if key := scope.get("key"):
        entry["key"] = key
    if refusal := cast("ApiError | None", scope.get("refusal")):
        entry["id"] = refusal.id
        entry["error"] = refusal.message[:LONGEST]
    return f"{json.dumps(entry)}\n"


def _cut(path: str) -> str:
    return path if len(path) <= LONGEST_PATH else f"{path[:LONGEST_PATH]}... ({len(path)} characters)"
