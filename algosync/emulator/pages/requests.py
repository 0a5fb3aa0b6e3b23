"""What the pages show of the request log: its end."""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from algosync.emulator.errors import NO_CREDENTIALS
from algosync.emulator.http.request_log import older

READ = 512 * 1024
"""Bytes of the log's end that are looked at: some 3,000 requests."""


@dataclass(frozen=True, slots=True)
class RequestLine:
    """A request that has ended. `user` is None where the gate, or a fault in front of it, let nobody in."""

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
    """What the key does not permit, where it was refused for that."""

    key: str | None = None
    """The short id of that key."""

    left: bool = False
    """Whether the client was gone before it had the whole answer."""

    lookup: bool = False
    """Whether algosync asked for something that does not exist, which it does before it creates it."""

    times: int = 1
    """How often it was repeated, one after the other, with the same end. Then this is the last one."""

    @property
    def failed(self) -> bool:
        """Whether somebody who looks for a failure looks for this: calls fail with status 200."""
        refused = (self.status >= 400 or self.error is not None) and not self.lookup
        return refused or self.left or self.fault is not None


def recent(log: Path) -> Iterator[RequestLine]:
    """The last requests, newest first."""
    lines, rest = _end(log, READ)
    for line in lines + _end(older(log), rest)[0]:
        if found := _request(line):
            yield found


def grouped(lines: Iterable[RequestLine]) -> Iterator[RequestLine]:
    """Repetitions as one."""
    for _, group in groupby(
        lines, lambda line: (line.user, line.method, line.path, line.status, line.fault, line.error, line.key, line.left)
    ):
        last, *before = group
        yield replace(last, times=1 + len(before))


def without_challenges(lines: Iterable[RequestLine]) -> Iterator[RequestLine]:
    """Newest first, but those by which clients of git learn that they have to say who they are, and then do."""
    answered: set[tuple[str, str]] = set()
    for line in lines:
        asked = line.method, line.path
        if line.status < 400:
            answered.add(asked)
        elif line.status == 401 and line.error == NO_CREDENTIALS and line.path.startswith("/git/") and asked in answered:
            answered.discard(asked)
            continue
        yield line


def _end(log: Path, most: int) -> tuple[list[bytes], int]:
    """The whole lines among the last bytes, `most` of them, of a log, newest first; and how many bytes fewer than that it has."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = max(0, size - most)
            file.seek(start)
            lines = file.read(most).split(b"\n")
    except FileNotFoundError:
        # There is no older one, or this one is about to begin.
        return [], most
    # The first one is cut, the last one empty or being written.
    return lines[1 if start else 0 : -1][::-1], most - min(size, most)


def _request(line: bytes) -> RequestLine | None:
    """None for a line that another program, or a machine that broke down, has spoiled."""
    try:
        entry = json.loads(line)
        texts = (entry["time"], entry["caller"], entry["method"], entry["path"])
        told = (entry.get("seconds"), entry.get("fault"), entry.get("error"), entry.get("id"))
        refused = (entry.get("needs"), entry.get("key"))
        switches = (entry.get(name) is True for name in ("left", "lookup"))
        return RequestLine(*texts, int(entry["status"]), int(entry["bytes"]), *told, *refused, *switches)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
