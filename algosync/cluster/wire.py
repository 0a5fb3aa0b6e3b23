"""The wire: kept connections to one cluster, with everything a request library would otherwise take from the machine said here.

No redirects (they would carry the key elsewhere), no netrc, no cookies, no retries, identity encoding only (a gzip body cut short
passes for whole: reliability.md §0), a CA of the user's choice.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from algosync.cluster import failure
from algosync.core.error import Unexpected, Unreachable, UsageError
from algosync.core.secret import Secret

if TYPE_CHECKING:
    import urllib3
    from urllib3.response import BaseHTTPResponse

__all__ = ["BLOCK", "Download", "Reply", "Wire", "path_of", "read_limited", "tls_context"]

BLOCK = 1 << 20  # bytes: what performance.md found best
_CONNECT_TIMEOUT = 15.0  # seconds
_READ_TIMEOUT = 120.0  # seconds without a byte
_JSON_LIMIT = 32 << 20  # bytes
_PIECE = 1 << 16  # bytes of a short answer


@dataclass(frozen=True, slots=True)
class Reply:
    """A JSON answer. `date` is the server's own clock, as it wrote it."""

    status: int
    body: object
    date: str | None


@dataclass(frozen=True, slots=True)
class Download:
    """A file on its way: `length` in bytes as announced, and its blocks. The blocks raise Unreachable when they break off."""

    length: int
    blocks: Iterator[bytes]


def path_of(*segments: str) -> str:
    """A path in which every segment arrives as it was given. `.` and `..` cannot be sent: ValueError."""
    if any(segment in (".", "..", "") for segment in segments):
        raise ValueError(f"cannot be named in a URL: {segments!r}")
    return "/" + "/".join(quote(segment, safe="") for segment in segments)


def tls_context(ca_cert: str | None, variable: str) -> ssl.SSLContext:
    """Trusts the usual authorities and, where given, the ones in the file `ca_cert`. UsageError: it cannot be read."""
    import certifi

    context = ssl.create_default_context(cafile=certifi.where())
    if ca_cert:
        try:
            context.load_verify_locations(cafile=ca_cert)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(f"{variable} names no usable certificate file: {error}") from None
    return context


class Wire:
    """Requests to one cluster with one key. Safe to use from several threads; `pool` is shared with the git client."""

    def __init__(self, url: str, key: Secret, context: ssl.SSLContext | None, side: str = "") -> None:
        import urllib3

        self.side = side
        self.url = url
        self.key = key
        self.context = context
        self.pool: urllib3.PoolManager = urllib3.PoolManager(
            maxsize=16,
            ssl_context=context,
            retries=False,
            timeout=urllib3.Timeout(connect=_CONNECT_TIMEOUT, read=_READ_TIMEOUT),
        )

    def json(self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: object = None) -> Reply:
        """One request with JSON both ways; an empty answer is None. Raises ClusterError, also for 2xx that is not JSON."""
        data = None if body is None else json.dumps(body).encode()
        headers = {} if data is None else {"Content-Type": "application/json"}
        with self._request(method, _with_query(path, query), headers, data) as response:
            text = read_limited(response, f"{method} {path}")
            date = response.headers.get("Date")
            if not text:
                return Reply(response.status, None, date)
            try:
                return Reply(response.status, json.loads(text), date)
            except (ValueError, RecursionError):
                raise Unexpected(f"{method} {path}: the answer is not JSON", status=response.status) from None

    @contextmanager
    def download(self, path: str) -> Iterator[Download]:
        """A file's bytes. Unexpected: the answer is not a file, is encoded, or does not say how long it is."""
        with self._request("GET", path, {}, None) as response:
            what = f"GET {path}"
            if response.headers.get("X-Data-Type", "file") != "file":
                raise Unexpected(f"{what}: this is not a file", status=response.status)
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise Unexpected(f"{what}: the answer is compressed although that was not asked for", status=response.status)
            length = response.headers.get("Content-Length", "")
            if not length.isdecimal():
                raise Unexpected(f"{what}: the answer does not say how long it is", status=response.status)
            yield Download(int(length), _blocks(response, what))

    def upload(self, path: str, blocks: Iterable[bytes], length: int) -> None:
        """PUT of `length` bytes. An empty file is framed too: the client libraries get that wrong (platform.md §2.2)."""
        body = blocks if length else b""
        headers = {"Content-Length": str(length), "Content-Type": "application/octet-stream"}
        with self._request("PUT", path, headers, body) as response:
            error = failure.algorithm_error(_json_or_none(read_limited(response, f"PUT {path}")))
            if error is not None:
                raise failure.from_reply(f"PUT {path}", response.status, json.dumps({"error": dict(error)}).encode())

    @contextmanager
    def _request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | Iterable[bytes] | None
    ) -> Iterator[BaseHTTPResponse]:
        import urllib3

        what = f"{method} {path}"
        every = {"Authorization": f"Simple {self.key.reveal()}", "Accept-Encoding": "identity", **headers}
        try:
            response = self.pool.request(
                method, self.url + path, headers=every, body=body, preload_content=False, redirect=False, decode_content=False
            )
        except urllib3.exceptions.HTTPError as error:
            raise failure.from_transport(what, error, self.side) from None
        try:
            if not 200 <= response.status < 300:
                raise failure.from_reply(what, response.status, read_limited(response, what), self.side)
            yield response
        finally:
            # What was not read to its end cannot be reused.
            response.drain_conn() if response.length_remaining == 0 else response.close()
            response.release_conn()


def _with_query(path: str, query: Mapping[str, str] | None) -> str:
    return f"{path}?{urlencode(query)}" if query else path


def read_limited(response: BaseHTTPResponse, what: str, within: float = _READ_TIMEOUT) -> bytes:
    """A short answer, to its very end: only a read that finds nothing tells that it was cut. Unreachable: not `within` seconds."""
    text = bytearray()
    deadline = time.monotonic() + within
    for block in _blocks(response, what, _PIECE):
        text += block
        if len(text) > _JSON_LIMIT:
            raise Unexpected(f"{what}: the answer is longer than {_JSON_LIMIT} bytes", status=response.status)
        if time.monotonic() > deadline:
            raise Unreachable(f"{what}: the answer did not come to its end within {within:.0f} s", status=response.status)
    return bytes(text)


def _blocks(response: BaseHTTPResponse, what: str, size: int = BLOCK) -> Iterator[bytes]:
    import urllib3

    try:
        # `read1` gives what is there: `read` would wait for a whole block on a server that drips.
        while block := (response.read(size) if size == BLOCK else response.read1(size)):
            yield block
    except urllib3.exceptions.HTTPError as error:
        raise failure.from_transport(what, error) from None


def _json_or_none(text: bytes) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
