"""Host: requests to one host, over kept connections.

No redirects (they would carry the key elsewhere), no netrc, no cookies, identity encoding only (the HTTP libraries
return a truncated gzip body as complete), certificates of the user's choice.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from algosync.core.error import AlgosyncError, ClusterError, Interrupted, TimedOut, Unexpected, Unreachable
from algosync.net import failure
from algosync.net.lease import Lease, Watch, current
from algosync.net.names import Names
from algosync.net.proxy import Proxies
from algosync.net.retry import Retry
from algosync.net.trust import Trust

if TYPE_CHECKING:
    import urllib3
    from urllib3.response import BaseHTTPResponse

__all__ = ["BLOCK", "Answer", "Host", "Net", "Response"]

BLOCK = 1 << 20  # bytes: the fastest block size that was measured
CONNECT_WITHIN = 15.0  # seconds
ANSWER_LIMIT = 32 << 20  # bytes of an answer that is held in memory
_FAILURE_LIMIT = 1 << 20
_PIECE = 1 << 16  # bytes


@dataclass(frozen=True, slots=True)
class Net:
    """What all hosts of a run share. `timeout`: the seconds that a request may take, and a transfer without progress."""

    proxies: Proxies = field(default_factory=Proxies)
    retry: Retry = field(default_factory=Retry)
    watch: Watch = field(default_factory=Watch)
    timeout: float = 120.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer with a good status."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Response:
    """An answer on its way, with a good status. Reading raises TimedOut and Unreachable where it does not come to its end."""

    def __init__(self, what: str, raw: BaseHTTPResponse, lease: Lease, names: Names) -> None:
        self.status = raw.status
        self.headers: Mapping[str, str] = raw.headers
        self._what, self._raw, self._lease, self._names = what, raw, lease, names
        self._closed = False
        lease.pause()

    def read(self, count: int | None = None) -> bytes:
        """`count` bytes, fewer only at the end; all where None."""
        data = bytearray()
        while (count is None or len(data) < count) and (piece := self._take(BLOCK if count is None else count - len(data))):
            self._lease.moved(len(piece))
            if len(piece) == count:
                return piece
            data += piece
        return bytes(data)

    def blocks(self) -> Iterator[bytes]:
        while block := self.read(BLOCK):
            yield block

    def whole(self, limit: int = ANSWER_LIMIT) -> bytes:
        """To its very end: only a read that finds nothing tells that it was cut. Unexpected: longer than `limit` bytes.

        Bytes do not buy time here: an answer that is held in memory has to be there within the request's time.
        """
        text = bytearray()
        while block := self._take(_PIECE):
            text += block
            if len(text) > limit:
                raise Unexpected(f"{self._what}: the answer is longer than {limit} bytes", status=self.status)
        if not text and not self._framed():
            raise _broken(
                self._what, OSError("it ends within its headers, or says of no body how long it is"), self._lease, self._names
            )
        return bytes(text)

    def _framed(self) -> bool:
        """Whether it says where it ends. HTTP may end with its connection, but so do headers that were cut."""
        return self.status == 204 or "Content-Length" in self.headers or "Transfer-Encoding" in self.headers

    def _take(self, count: int) -> bytes:
        """What is there now, `count` bytes at most: each piece buys time, not first a whole block.

        Between two of these the clock stands still: whoever reads may wait for somebody else.
        """
        import urllib3

        self._lease.resume()
        try:
            block = self._raw.read1(count)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _broken(self._what, error, self._lease, self._names) from None
        finally:
            self._lease.pause()
        if self._lease.ended:  # a body that ends with its connection would pass for whole
            raise _broken(self._what, None, self._lease, self._names)
        return block

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            # What was not read to its end cannot be reused.
            self._raw.drain_conn() if self._raw.length_remaining == 0 else self._raw.close()
            self._raw.release_conn()
            self._lease.release()


class Host:
    """`url` is `scheme://host[:port]`; `trust` matters where that is https. Safe to use from several threads.

    UsageError: the trusted file, or the proxy that leads there, cannot be used.
    """

    def __init__(
        self, url: str, names: Names, net: Net, trust: Trust | None = None, pool: urllib3.PoolManager | None = None
    ) -> None:
        proxy = net.proxies.to(url)
        self.url = url
        self.names = replace(names, proxy=proxy.variable if proxy else "", host=urlsplit(url).netloc)
        self.net = net
        self._trust = trust or Trust()
        self._context = self._trust.context() if url.startswith("https:") else None
        self._proxy = proxy
        self._pool = pool
        self._guard = threading.Lock()

    def at(self, url: str, names: Names) -> Host:
        """Another host of the same cluster; connections are shared where it is the same one."""
        shared = self.pool if urlsplit(url)[:2] == urlsplit(self.url)[:2] else None
        return Host(url, names, self.net, self._trust, shared)

    @property
    def pool(self) -> urllib3.PoolManager:
        with self._guard:
            if self._pool is None:
                from algosync.net.connection import pool_of

                self._pool = pool_of(self._context, self._proxy)
            return self._pool

    def open(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | Iterable[bytes] | None = None,
        within: float | None = None,
    ) -> Response:
        """One request, once. The Response has to be closed. Raises ClusterError, also for any status but 2xx; Interrupted.

        `within`: the seconds it may take, where that is not the usual.
        """
        import urllib3

        what = f"{method} {path.partition('?')[0]}"
        seconds = within or self.net.timeout
        lease = self.net.watch.lease(seconds)
        try:
            with current(lease):
                raw = self.pool.urlopen(
                    method,
                    self.url + path,
                    headers={"Accept-Encoding": "identity", **headers},
                    body=body if body is None or isinstance(body, bytes) else _paid(body, lease),
                    preload_content=False,
                    decode_content=False,
                    redirect=False,
                    timeout=urllib3.Timeout(connect=min(CONNECT_WITHIN, seconds), read=None),
                )
            response = Response(what, raw, lease, self.names)
            self._refuse(what, response)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            lease.release()
            raise _broken(what, error, lease, self.names) from None
        except BaseException:
            lease.release()
            raise
        return response

    def _refuse(self, what: str, response: Response) -> None:
        if not 200 <= response.status < 300:
            body: bytes | None
            with closing(response):
                try:
                    body = response.whole(_FAILURE_LIMIT)
                except TimedOut:
                    raise
                except (Unreachable, Unexpected):
                    body = None  # the status came, and says enough
            raise failure.from_reply(what, response.status, response.headers, body, self.names)

    def answer(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | Iterable[bytes] | None = None,
        within: float | None = None,
    ) -> Answer:
        """The whole answer to one request."""
        with closing(self.open(method, path, headers, body, within)) as response:
            return Answer(response.status, response.headers, response.whole())


def _paid(body: Iterable[bytes], lease: Lease) -> Iterator[memoryview]:
    """A piece is asked for when the one before it is sent. While it is made, the clock stands still."""
    blocks = iter(body)
    while True:
        lease.pause()
        block = next(blocks, None)
        lease.resume()
        if block is None:
            return
        view = memoryview(block)
        for start in range(0, len(view), _PIECE):
            yield view[start : start + _PIECE]
            lease.moved(len(view[start : start + _PIECE]))


def _broken(what: str, error: BaseException | None, lease: Lease, names: Names) -> AlgosyncError:
    match lease.ended:
        case "stop":
            return Interrupted(f"{what}: interrupted")
        case "deadline":
            broken: ClusterError = failure.timed_out(what, lease.seconds, names)
        case _:
            broken = failure.from_transport(what, error or OSError("it ended"), names)
    broken.sent = lease.sent
    return broken
