"""Requests to one host over kept connections.

It follows no redirects (they would carry the key elsewhere), and uses no netrc and no cookies. It asks for identity encoding only,
because a truncated gzip body can look complete. The user chooses the trusted certificates.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import field, replace
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from algosync.core.error import AlgosyncError, ClusterError, Interrupted, TimedOut, Unexpected, Unreachable
from algosync.core.lean import dataclass
from algosync.net import failure
from algosync.net.lease import MIN_RATE, Lease, Watch, current
from algosync.net.proxy import Proxies
from algosync.net.rate_limit import RateLimit
from algosync.net.request import Request
from algosync.net.retry import Retry
from algosync.net.setting_names import SettingNames
from algosync.net.trust import Trust

if TYPE_CHECKING:
    import urllib3
    from urllib3.response import BaseHTTPResponse

    from algosync.net.quick_exchange import KeptConnections

__all__ = ["BLOCK", "QUICK_BODY", "CompleteReply", "Host", "Net", "Response", "content_codings"]

BLOCK = 1 << 20  # bytes; transfers with blocks of 64 KiB were measured a fifth slower
CONNECT_WITHIN = 15.0  # seconds
ANSWER_LIMIT = 32 << 20  # bytes of a reply that is held in memory
_FAILURE_LIMIT = 1 << 20
_QUICK = ("GET", "PUT")
QUICK_BODY = 1 << 16  # bytes, which a socket takes at once
_PIECE_SIZE = 1 << 16  # bytes
_LARGE_PIECE_SIZE = 1 << 18
_HEADERS: Mapping[str, str] = {"Accept-Encoding": "identity", "User-Agent": "algosync"}
_RANGE = 206
_PARTS = (_RANGE, 207, 226)  # statuses of replies to requests for a range, several resources or a difference


@dataclass(frozen=True, slots=True)
class Net:
    """Settings shared by all hosts of a run. `timeout` is in seconds, for a whole request or a transfer without progress.

    `limit`: the rate of all transfers together. Replies that are held in memory do not count.
    """

    proxies: Proxies = field(default_factory=Proxies)
    retry: Retry = field(default_factory=Retry)
    watch: Watch = field(default_factory=Watch)
    timeout: float = 120.0
    limit: RateLimit | None = None


@dataclass(frozen=True, slots=True)
class CompleteReply:
    """A complete reply with a 2xx status."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def content_codings(headers: Mapping[str, str]) -> list[str]:
    """Return the codings of a body, such as gzip; empty if its bytes are the content itself."""
    if "Content-Encoding" not in headers:
        return []
    names = (name.strip().lower() for name in headers["Content-Encoding"].split(","))
    return [name for name in names if name not in ("", "identity")]


class Response:
    """A 2xx reply whose body is still to be read. Reading raises TimedOut or Unreachable if the body does not end properly."""

    def __init__(self, what: str, raw: BaseHTTPResponse, lease: Lease, names: SettingNames, limit: RateLimit | None = None) -> None:
        self.status = raw.status
        self.headers: Mapping[str, str] = raw.headers
        self._what, self._raw, self._lease, self._names = what, raw, lease, names
        self._limit = limit
        self._closed = False
        lease.pause()

    def read(self, count: int | None = None) -> bytes:
        """Read `count` bytes, fewer only at the end; everything if None."""
        data = bytearray()
        while (count is None or len(data) < count) and (piece := self._read_piece(BLOCK if count is None else count - len(data))):
            self._lease.progressed(len(piece))
            if len(piece) == count:
                return piece
            data += piece
        return bytes(data)

    def blocks(self) -> Iterator[bytes]:
        """The body in blocks of at most 1 MiB. Large pieces are passed on as they arrive, because joining them costs a copy.

        With a limit the blocks are smaller: a slow transfer that sends nothing for long would look dead to the other side. All that
        arrived before a failure is passed on before it is raised.
        """
        block, large = (BLOCK, _PIECE_SIZE) if self._limit is None else (self._limit.piece, self._limit.piece // 4)
        small = bytearray()
        try:
            while piece := self._read_piece(block - len(small)):
                self._lease.progressed(len(piece))
                if self._limit is not None:
                    self._limit.received.take(len(piece))  # the lease is paused now
                if not small and len(piece) >= large:
                    yield piece
                    continue
                small += piece
                if len(small) > block - large:
                    yield bytes(small)
                    small.clear()
        except AlgosyncError:
            if small:
                yield bytes(small)
            raise
        if small:
            yield bytes(small)

    def read_all(self, limit: int = ANSWER_LIMIT) -> bytes:
        """Read to the end. Raises Unexpected if the body is longer than `limit` bytes.

        Reads on until a read returns nothing: only that read reports a truncated body. Received bytes do not extend the deadline
        here: a reply that is held in memory has to arrive within the time of the request.
        """
        text = bytearray()
        while block := self._read_piece(_PIECE_SIZE):
            text += block
            if len(text) > limit:
                raise Unexpected(f"{self._what}: the reply is longer than {limit} bytes", status=self.status)
        return bytes(text)

    def has_length(self) -> bool:
        """Whether the reply states where it ends. HTTP may end a body with the connection, but so does a broken connection."""
        return self.status == 204 or "Content-Length" in self.headers or "Transfer-Encoding" in self.headers

    def _read_piece(self, count: int) -> bytes:
        """Read the bytes that are available, at most `count`, so that every piece extends the deadline.

        The clock is paused between two reads, because the caller may be waiting for another host.
        """
        import urllib3

        self._lease.resume()
        try:
            block = self._raw.read1(count)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _broken(self._what, error, self._lease, self._names) from None
        finally:
            self._lease.pause()
        if self._lease.ended:  # a body that ends with its connection would look complete
            raise _broken(self._what, None, self._lease, self._names)
        return block

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            # A connection whose reply was not read to the end cannot be reused.
            self._raw.drain_conn() if self._raw.length_remaining == 0 else self._raw.close()
            self._raw.release_conn()
            self._lease.release()


class Host:
    """One host. `url` is `scheme://host[:port]`; `trust` applies to https only. Safe to use from several threads.

    Raises UsageError if the CA file or the proxy for this host cannot be used.
    """

    def __init__(
        self, url: str, names: SettingNames, net: Net, trust: Trust | None = None, pool: urllib3.PoolManager | None = None
    ) -> None:
        proxy = net.proxies.to(url)
        self.url = url
        self.names = replace(names, proxy=proxy.variable if proxy else "", host=urlsplit(url).netloc)
        self.net = net
        self.trust = trust or Trust()
        self._context = self.trust.context() if url.startswith("https:") else None
        self._proxy = proxy
        self._pool = pool
        self._guard = threading.Lock()
        self._kept: KeptConnections | None = None
        self._is_quick = proxy is None or self._context is not None  # a proxy for plain HTTP takes whole URLs

    def at(self, url: str, names: SettingNames) -> Host:
        """Return another host of the same cluster. It shares the connections if scheme and authority are the same."""
        shared = self.pool if urlsplit(url)[:2] == urlsplit(self.url)[:2] else None
        return Host(url, names, self.net, self.trust, shared)

    @property
    def pool(self) -> urllib3.PoolManager:
        with self._guard:
            if self._pool is None:
                from algosync.net.connection import new_pool

                self._pool = new_pool(self._context, self._proxy)
            return self._pool

    def open(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | Iterable[bytes] | None = None,
        within: float | None = None,
    ) -> Response:
        """Send one request once. The caller closes the Response. Raises ClusterError, also for any status other than 2xx;
        Interrupted.

        `within`: seconds for this request instead of the default.
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
                    headers={**_HEADERS, **headers},
                    body=body if body is None or isinstance(body, bytes) else _timed_pieces(body, lease, self.net.limit),
                    preload_content=False,
                    decode_content=False,
                    redirect=False,
                    # The lease ends a shorter request, so that the message is the same in every phase.
                    timeout=urllib3.Timeout(connect=CONNECT_WITHIN if seconds > CONNECT_WITHIN else None, read=None),
                )
            response = Response(what, raw, lease, self.names, self.net.limit)
            self._refuse(what, response, ranged="Range" in headers)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            lease.release()
            raise _broken(what, error, lease, self.names) from None
        except BaseException:
            lease.release()
            raise
        return response

    def _refuse(self, what: str, response: Response, *, ranged: bool = False) -> None:
        if response.status in _PARTS and not (ranged and response.status == _RANGE):
            with closing(response):
                raise Unexpected(f"{what}: {response.status}, a part of a reply, which was not requested", status=response.status)
        if not 200 <= response.status < 300:
            body: bytes | None
            with closing(response):
                try:
                    body = response.read_all(_FAILURE_LIMIT)
                except TimedOut:
                    raise
                except (Unreachable, Unexpected):
                    body = None  # the status has arrived and is enough
            if (not body and not response.has_length()) or content_codings(response.headers):
                body = None
            raise failure.from_reply(what, response.status, response.headers, body, self.names)

    def answer(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | Iterable[bytes] | None = None,
        within: float | None = None,
    ) -> CompleteReply:
        """Send one request and return its complete reply."""
        small = body is None or (isinstance(body, bytes) and len(body) <= QUICK_BODY)
        if small and method in _QUICK:
            found = self._quick(Request(method, path, {**_HEADERS, **headers}, cast("bytes", body or b"")), within)
            if isinstance(found, CompleteReply):
                return found
            if found is not None:
                return self._complete(f"{method} {path.partition('?')[0]}", found)
        with closing(self.open(method, path, headers, body, within)) as response:
            return CompleteReply(response.status, response.headers, response.read_all())

    def fetch(self, path: str, headers: Mapping[str, str]) -> CompleteReply | Response:
        """Send a GET request. A reply of at most 1 MiB is complete; the caller closes a Response. Raises as `open`.

        Received bytes extend the deadline. With a rate limit each reply is a Response.
        """
        request = Request("GET", path, {**_HEADERS, **headers})
        found = self._quick(request, limit=BLOCK) if self.net.limit is None else None
        if found is None:
            return self.open("GET", path, headers)
        if isinstance(found, Response):
            self._refuse(f"GET {path.partition('?')[0]}", found, ranged="Range" in headers)
        return found

    def _quick(self, request: Request, within: float | None = None, limit: int | None = None) -> CompleteReply | Response | None:
        """Send a request over a connection that is kept already. None: there is none, and nothing was sent.

        A Response has any status, or more than `limit` bytes, and then received bytes extend the deadline. None: 32 MiB.
        """
        if not self._is_quick:
            return None
        kept = self._kept or self._keep()
        connection = kept.take()
        if connection is None:
            return None
        head = kept.head(request, connection.host_header)
        if head is None:
            kept.put_back(connection)
            return None
        try:
            lease = connection.lease = self.net.watch.lease(within or self.net.timeout, connection.sock)
        except Interrupted:
            kept.put_back(connection)
            raise
        try:
            found = kept.reply(connection, request, head, limit or ANSWER_LIMIT, None if limit is None else lease.progressed)
        except BaseException as error:
            lease.release()
            connection.close()
            kept.put_back(connection)
            if _is_of_transport(error):
                raise _broken(request.what, error, lease, self.names) from None
            raise
        if isinstance(found, tuple):
            kept.put_back(connection)
            return CompleteReply(*found)
        return Response(request.what, found, lease, self.names)

    def _keep(self) -> KeptConnections:
        from algosync.net.quick_exchange import KeptConnections

        self._kept = KeptConnections(self.pool.connection_from_url(self.url))
        return self._kept

    def _complete(self, what: str, response: Response) -> CompleteReply:
        self._refuse(what, response)
        with closing(response):
            return CompleteReply(response.status, response.headers, response.read_all())


def _is_of_transport(error: BaseException) -> bool:
    from urllib3.exceptions import HTTPError

    return isinstance(error, (HTTPError, OSError))


def _timed_pieces(body: Iterable[bytes], lease: Lease, limit: RateLimit | None) -> Iterator[memoryview]:
    """Split blocks into pieces and extend the deadline after each one is sent. The clock is paused while a block is produced, and
    while the limit lets no piece pass.

    A piece can be sent within half of the request's time at the minimum rate.
    """
    most = max(_PIECE_SIZE, min(_LARGE_PIECE_SIZE, int(lease.seconds * MIN_RATE) // 2))
    most = most if limit is None else min(most, limit.piece)
    blocks = iter(body)
    while True:
        lease.pause()
        block = next(blocks, None)
        lease.resume()
        if block is None:
            return
        view = memoryview(block)
        for start in range(0, len(view), most):
            piece = view[start : start + most]
            if limit is not None:
                lease.pause()
                limit.sent.take(len(piece))
                lease.resume()
            yield piece
            lease.progressed(len(piece))


def _broken(what: str, error: BaseException | None, lease: Lease, names: SettingNames) -> AlgosyncError:
    if error is not None:  # urllib3 leaves it in a cycle with its frames, which hold the body that was sent
        from traceback import clear_frames

        clear_frames(error.__traceback__)
    match lease.ended:
        case "stop":
            return Interrupted(f"{what}: interrupted")
        case "deadline":
            broken: ClusterError = failure.timed_out(what, lease.seconds, names)
        case _:
            broken = failure.from_transport(what, error or OSError("it ended"), names)
    broken.sent = lease.sent
    return broken
