"""Requests and replies of the stub."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

__all__ = ["FileReply", "Reply", "Request", "json_reply", "reply"]

_REASONS = {200: b"OK", 201: b"Created", 204: b"No Content", 207: b"Multi-Status", 404: b"Not Found", 405: b"Method Not Allowed"}


@dataclass(frozen=True, slots=True)
class Request:
    """A complete request. `head` has the request line and the headers; `size` is that of the body in bytes.

    `file` holds a large body instead of `body`. `began`: when the head was there, on the machine's monotonic clock.
    """

    method: bytes
    target: bytes
    head: bytes
    body: bytes
    size: int
    began: float
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A prepared reply without its Date: the status line, and everything after the Date."""

    start: bytes
    rest: bytes


@dataclass(frozen=True, slots=True)
class FileReply:
    """A reply whose body is a file on the disk."""

    start: bytes
    rest: bytes
    path: Path
    size: int


def reply(status: int, body: bytes = b"", headers: bytes = b"") -> Reply:
    """Prepare a reply. `headers` are whole lines."""
    return Reply(b"HTTP/1.1 %d %s\r\n" % (status, _REASONS[status]), b"%sContent-Length: %d\r\n\r\n%s" % (headers, len(body), body))


def json_reply(document: object, status: int = 200, headers: bytes = b"") -> Reply:
    """Prepare a reply in JSON."""
    return reply(status, json.dumps(document).encode(), b"Content-Type: application/json\r\n" + headers)
