"""Requests of the short way of small data files: how one is known for what it is without an HTTP parser."""

import re
from typing import NamedTuple

from starlette.types import Scope

from algosync.emulator.http.request_log import LONGEST_PATH, Lines
from algosync.emulator.http.url_keys import candidates
from algosync.emulator.records.accounts import Caller
from algosync.emulator.records.files import Collection
from algosync.emulator.records.keys import KEY_LENGTH

NAME = re.compile(rb"[\w.-]{1,255}")
"""A name that means itself: no escapes, no query."""

LINE = re.compile(rb"(GET|PUT) (/v1/(?:connector/)?data/(?:[\w.-]{1,255}/){1,6})([\w.-]{1,255}) HTTP/1\.1\r\n")

LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]{1,7})(?=\r\n)", re.IGNORECASE)
END = b"\r\n\r\n"

ODD = re.compile(
    rb"\n(content-length|transfer-encoding|expect|upgrade|connection(?!: ?keep-alive\r\n)|[ \t])|(?<!\r)\n", re.IGNORECASE
)
"""Headers that change what follows them, as `keep-alive` does not, and lines that do not end or begin as they should."""

SMALL = 64 * 1024
"""Bytes of a file that is read on the spot, as to have a thread do it would take longer, and of one that is stored as it came."""


class Kind(NamedTuple):
    """What requests have in common that differ in a file's name, and, of a PUT, in its body: `headers` lack its length."""

    method: bytes
    folder: bytes
    headers: bytes


class Plain(NamedTuple):
    """A request that has come whole, and alone, and is plain."""

    kind: Kind
    name: str
    body: bytes

    @classmethod
    def of(cls, data: bytes) -> "Plain | None":
        """What came over a connection, if it is that."""
        line, end = LINE.match(data), data.find(END) + len(END)
        if line is None or end < len(END):
            return None
        method, folder, name = line.groups()
        headers, body = data[line.end() - 2 : end - 2], data[end:]
        if len(folder) > LONGEST_PATH - 255 or _keyed(name):
            return None
        if method == b"PUT":
            length = LENGTH.search(headers)
            if length is None or int(length[1]) != len(body) or len(body) > SMALL:
                return None
            headers = headers[: length.start()] + headers[length.end() :]
        elif body:
            return None
        return cls(Kind(method, folder, headers), name.decode(), body)


class Way(NamedTuple):
    """What the gate and the rules of data have said of one kind of request."""

    caller: Caller
    collection: Collection
    accepted: str
    lines: Lines


class Form:
    """Requests of one kind, on a connection where h11 has found one of them good, and what was made of that one."""

    __slots__ = ("_end", "_scope", "_start", "kind")

    def __init__(self, kind: Kind, scope: Scope) -> None:
        self.kind = kind
        self._scope = scope
        self._start = b"GET " + kind.folder
        self._end = b" HTTP/1.1" + kind.headers + b"\r\n"

    def asking(self, name: str) -> Scope:
        """What the long way would make of the request for a file."""
        folder: bytes = self._scope["raw_path"].rpartition(b"/")[0]
        path = f"{folder.decode()}/{name}"
        return {**self._scope, "path": path, "raw_path": path.encode()}

    def again(self, data: bytes) -> str | None:
        """The name of the file, if this is the same GET once more but for it."""
        if not data.startswith(self._start) or not data.endswith(self._end):
            return None
        name = data[len(self._start) : -len(self._end)]
        return None if NAME.fullmatch(name) is None or _keyed(name) else name.decode()


def _keyed(name: bytes) -> bool:
    """Whether the gate should look if there is a key in it."""
    return len(name) >= KEY_LENGTH and bool(candidates(name.decode()))
