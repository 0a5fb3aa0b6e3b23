"""The end of the request log, for the pages."""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from algosync.emulator.errors import NO_CREDENTIALS
from algosync.emulator.http.request_log import older

READ = 512 * 1024
"""Bytes to read from the end of the log, which are about 3,000 requests."""


@dataclass(frozen=True, slots=True)
class RequestLine:
    """A finished request. `user` is None if the gate refused it, or a fault struck before the gate."""

    at: str
    user: str | None
    method: str
    path: str
    status: int
    size: int
    seconds: float | None
    fault: str | None
    error: str | None
    id: str | None
    needs: str | None = None
    """The missing right, if the request was refused because of its key."""
    key: str | None = None
    """The public id of that key."""
    left: bool = False
    """Whether the client disconnected before the end of the reply."""
    lookup: bool = False
    """Whether algosync asked for something that does not exist, as it does before it creates it. This is not a failure."""
    times: int = 1
    """The number of equal requests in a row that this line stands for. It has the values of the last one."""

    @property
    def failed(self) -> bool:
        """Whether the request failed. A failed call has status 200, but an error in the log."""
        refused = (self.status >= 400 or self.error is not None) and not self.lookup
        return refused or self.left or self.fault is not None


def recent(log: Path) -> Iterator[RequestLine]:
    """The last requests, newest first."""
    lines, rest = _end(log, READ)
    for line in lines + _end(older(log), rest)[0]:
        if found := _request(line):
            yield found


def grouped(lines: Iterable[RequestLine]) -> Iterator[RequestLine]:
    """The lines with equal requests in a row combined into one."""
    for _, group in groupby(
        lines, lambda line: (line.user, line.method, line.path, line.status, line.fault, line.error, line.key, line.left)
    ):
        last, *earlier = group
        yield replace(last, times=1 + len(earlier))


def without_challenges(lines: Iterable[RequestLine]) -> Iterator[RequestLine]:
    """The lines, newest first, without requests of git clients that were refused once and then repeated with credentials."""
    succeeded: set[tuple[str, str]] = set()
    for line in lines:
        request = line.method, line.path
        if line.status < 400:
            succeeded.add(request)
        elif line.status == 401 and line.error == NO_CREDENTIALS and line.path.startswith("/git/") and request in succeeded:
            succeeded.discard(request)
            continue
        yield line


def _end(log: Path, most: int) -> tuple[list[bytes], int]:
    """The complete lines in the last `most` bytes of a log, newest first, and how many bytes shorter than `most` the log is."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = max(0, size - most)
            file.seek(start)
            lines = file.read(most).split(b"\n")
    except FileNotFoundError:
        # There is no older log, or the current one has no line yet.
        return [], most
    # The first line is incomplete. The last one is empty or still being written.
    return lines[1 if start else 0 : -1][::-1], most - min(size, most)


def _request(line: bytes) -> RequestLine | None:
    """A line of the log; None if it is damaged."""
    try:
        entry = json.loads(line)
        always = (entry["time"], entry["caller"], entry["method"], entry["path"], int(entry["status"]), int(entry["bytes"]))
        optional = {name: entry.get(name) for name in ("seconds", "fault", "error", "id", "needs", "key")}
        return RequestLine(*always, **optional, left=entry.get("left") is True, lookup=entry.get("lookup") is True)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
