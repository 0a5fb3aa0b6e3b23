"""One cluster's API over its host: JSON requests, downloads and uploads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache, wraps
from inspect import GEN_CLOSED, getgeneratorstate
from typing import Concatenate, ParamSpec, Protocol, TypeVar, cast
from urllib.parse import quote, urlencode

from algosync.cluster.resuming import Resumption, blocks_of
from algosync.core.credential import Credential
from algosync.core.error import NotFound, Unexpected
from algosync.core.lean import dataclass
from algosync.core.text import printable
from algosync.net import CompleteReply, Host, Response, Retry, SettingNames
from algosync.net.document import fits, read_json
from algosync.net.failure import from_reply, reply_error
from algosync.net.host import QUICK_BODY, content_codings

__all__ = ["Download", "JsonReply", "Wire", "idempotent", "path_of"]

P = ParamSpec("P")
R = TypeVar("R")

_BINARY = {"Content-Type": "application/octet-stream"}


@dataclass(frozen=True, slots=True)
class JsonReply:
    """A JSON reply. `date` is the server's own clock, as the server wrote it."""

    status: int
    body: object
    date: str | None


@dataclass(frozen=True, slots=True)
class Download:
    """An open download: `length` in bytes as announced, None if it is not, and the blocks.

    `codings` are those of its Content-Encoding, such as gzip. Iterating raises Unreachable if the connection breaks.
    """

    length: int | None
    blocks: Iterator[bytes]
    codings: Sequence[str] = ()


def path_of(*segments: str) -> str:
    """Return a path with every segment quoted. Raises ValueError for `.` and `..`, which cannot be sent."""
    return "/" + "/".join(map(_quoted, segments))


@lru_cache(maxsize=4096)  # each name is in several paths, and most segments are in all of them
def _quoted(segment: str) -> str:
    if segment in (".", "..", ""):
        raise ValueError(f"cannot be named in a URL: {segment!r}")
    return quote(segment, safe="")


class Wire:
    """Requests to one cluster with one credential, each sent once. Safe to use from several threads."""

    def __init__(self, host: Host, credential: Credential) -> None:
        self.host = host
        self.credential = credential

    @property
    def names(self) -> SettingNames:
        return self.host.names

    @property
    def retry(self) -> Retry:
        return self.host.net.retry

    def json(self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: object = None) -> JsonReply:
        """Send JSON and return the JSON reply; an empty body is None. Raises ClusterError, also if a 2xx reply is not JSON."""
        data = None if body is None else json.dumps(body).encode()
        headers = {} if data is None else {"Content-Type": "application/json"}
        answer = self.answer(method, f"{path}?{urlencode(query)}" if query else path, headers, data)
        date = answer.headers.get("Date")
        if not answer.body:
            return JsonReply(answer.status, None, date)
        try:
            return JsonReply(answer.status, read_json(answer.body), date)
        except ValueError:
            raise self._not_json(f"{method} {path}", answer) from None

    def _not_json(self, what: str, answer: CompleteReply) -> Unexpected:
        """Often the page of a proxy, or of another server at this address."""
        start = printable(answer.body[:4096].decode("utf-8", "replace").strip(), 40)
        hint = f"look at {self.names.address}, and at any proxy or load balancer before the cluster" if self.names.address else None
        return Unexpected(f"{what}: the reply is not JSON, it begins with {start}", status=answer.status, hint=hint)

    def answer(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | Iterable[bytes] | None = None,
        within: float | None = None,
    ) -> CompleteReply:
        """Send one request and return the complete reply. `within`: seconds for this request instead of the default.

        Raises Unexpected if the reply is compressed (and so of unknown size), or if its JSON values would not fit into memory.
        """
        answer = self.host.answer(method, path, {**headers, **self._authorization()}, body, within)
        _check_encoding(f"{method} {path}", answer)
        if not fits(answer.body):
            raise Unexpected(f"{method} {path}: the reply contains too many values", status=answer.status)
        return answer

    @contextmanager
    def download(self, path: str) -> Iterator[Download]:
        """Open a download. Raises NotFound if it is not a file; Unexpected if a proxy has changed its content."""
        headers = self._authorization()
        reply = self.host.fetch(path, headers)
        if isinstance(reply, CompleteReply):
            length = _file_length(path, reply)
            yield Download(length, iter([reply.body] if reply.body else []), content_codings(reply.headers))
            return
        with closing(reply):
            length = _file_length(path, reply)
            resumption = Resumption.of(reply, length, lambda more: self.host.open("GET", path, {**more, **headers}))
            with closing(blocks_of(reply, resumption, self.retry.wait)) as blocks:
                yield Download(length, blocks, content_codings(reply.headers))

    def upload(self, path: str, blocks: Iterable[bytes], length: int) -> Mapping[str, str]:
        """PUT `length` bytes. Return the headers of the reply.

        An empty file is sent with a Content-Length, too; the client libraries fail to do so (PLATFORM.md §2.2).
        Raises Unexpected if the server accepts the file before it has received all of it.
        """
        whole = b"" if not length else self._whole(blocks, length)
        if whole is not None:
            return self._accepted(path, self.answer("PUT", path, _BINARY, whole))
        pieces = (block for block in blocks)
        answer = self.answer("PUT", path, {"Content-Length": str(length), **_BINARY}, pieces)
        headers = self._accepted(path, answer)
        if getgeneratorstate(pieces) != GEN_CLOSED:
            raise Unexpected(f"PUT {path}: it was answered before all bytes were sent", status=answer.status)
        return headers

    def _whole(self, blocks: Iterable[bytes], length: int) -> bytes | None:
        """The content, if it can be sent at once. None: it needs the time of a transfer, or counts for the limit of the rate."""
        if self.host.net.limit is not None or not isinstance(blocks, list) or len(blocks) != 1:
            return None
        (content,) = blocks
        return content if len(content) == length <= QUICK_BODY else None

    def _accepted(self, path: str, answer: CompleteReply) -> Mapping[str, str]:
        """The headers of a reply to a write. Raises the error that its body tells."""
        error = reply_error(_json_or_none(answer.body))
        if error is not None:
            body = json.dumps({"error": dict(error)}).encode()
            raise from_reply(f"PUT {path}", answer.status, answer.headers, body, self.names)
        return answer.headers

    def _authorization(self) -> Mapping[str, str]:
        return {"Authorization": self.credential.header()}


def _file_length(path: str, reply: CompleteReply | Response) -> int | None:
    """The length that the reply to a download states. Raises NotFound, Unexpected: it is not the file itself."""
    if reply.headers.get("X-Data-Type", "file") != "file":
        raise NotFound(f"GET {path}: this is not a file", status=reply.status)
    if reply.status == 203:
        raise Unexpected(f"GET {path}: 203, a proxy has changed the content", status=reply.status)
    length: str | None = None if "Transfer-Encoding" in reply.headers else reply.headers.get("Content-Length")
    if length is not None and not (length.isascii() and length.isdecimal()):
        raise Unexpected(f"GET {path}: the length {printable(length, 80)} is invalid", status=reply.status)
    return None if length is None else int(length)


def _check_encoding(what: str, answer: CompleteReply) -> None:
    if answer.body and content_codings(answer.headers):
        raise Unexpected(f"{what}: the reply is compressed, which was not requested", status=answer.status)


class _Wired(Protocol):
    @property
    def wire(self) -> Wire: ...


W = TypeVar("W", bound=_Wired)


def idempotent(method: Callable[Concatenate[W, P], R]) -> Callable[Concatenate[W, P], R]:
    """Decorator for a method that may be repeated: retry it according to the run's policy."""

    def retried(self: W, *args: P.args, **options: P.kwargs) -> R:
        return self.wire.retry.run(lambda: method(self, *args, **options))

    return cast("Callable[Concatenate[W, P], R]", wraps(method)(retried))


def _json_or_none(text: bytes) -> object:
    try:
        return read_json(text)
    except ValueError:
        return None
