"""urllib3 connections whose sockets are attached to a lease before they connect."""

from __future__ import annotations

import queue
import select
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from algosync.net.final_response import FinalResponse
from algosync.net.lease import Lease, attach_current, run_within_lease

if TYPE_CHECKING:
    from urllib3._base_connection import BaseHTTPConnection

    from algosync.net.proxy import Proxy

__all__ = ["LeasedConnection", "new_pool"]

_MAX_CONNECTIONS = 64  # connections to one host: the highest value of `--parallelism`


class LeasedConnection(HTTPConnection):
    """`lease`: of the request that uses it now. `host_header`: of the last request."""

    response_class = FinalResponse
    lease: Lease | None = None
    host_header: str = ""
    _readable: select.poll | None = None  # kept, because making one for each request takes longer than asking it

    def _new_conn(self) -> socket.socket:
        sock, self.lease = _connect(self)
        return sock

    def connect(self) -> None:
        super().connect()
        # From here on only the lease limits the time. A socket timeout would end a block that has earned more time.
        self.sock.settimeout(None)
        self._readable = select.poll()
        self._readable.register(self.sock, select.POLLIN)
        self._mark_sent()

    @property
    def is_connected(self) -> bool:
        """Whether the connection is open, and holds no bytes that nobody asked for."""
        return self.sock is not None and self._readable is not None and not self._readable.poll(0)

    def request(self, *args: Any, **options: Any) -> None:
        if self.sock is not None and self.lease is None:  # a kept connection, reused by another request
            self.lease = attach_current(self.sock)
            self._mark_sent()
            self.timeout = None  # urllib3 would give the socket the time for connecting
        try:
            super().request(*args, **options)
        except ssl.SSLEOFError as error:
            # The server closed the connection while we were sending. Read its reply, as without TLS: it may hold the reason.
            raise BrokenPipeError(str(error)) from error

    def putheader(self, header: Any, *values: Any) -> None:
        super().putheader(header, *values)
        if header == "Host":
            (value,) = values
            self.host_header = value.decode("ascii") if isinstance(value, bytes) else str(value)

    def end_lease(self) -> None:
        """End the lease before the connection returns to the pool. Close the connection if its lease has shut it down."""
        lease, self.lease = self.lease, None
        if lease is not None:
            lease.release()
            if lease.ended:
                self.close()

    def _mark_sent(self) -> None:
        if self.lease is not None:
            self.lease.sent = True


class _LeasedTlsConnection(LeasedConnection, HTTPSConnection):
    """The same over TLS. The order of the bases matters."""

    @property
    def is_connected(self) -> bool:
        """The socket does not tell of bytes that TLS has decrypted already. The next request would take them for its reply."""
        return super().is_connected and not _unread(self.sock)


class _KeptConnections(queue.LifoQueue[Any]):
    """The connections of a pool, the one that was used last first. Nobody waits for one, so it needs no locks."""

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: ARG002  # urllib3 does not wait
        try:
            return self.queue.pop()
        except IndexError:
            raise queue.Empty from None

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:  # noqa: ARG002  # urllib3 does not wait
        if len(self.queue) >= self.maxsize:
            raise queue.Full
        self.queue.append(item)


class _LeasedPool(urllib3.HTTPConnectionPool):
    ConnectionCls = LeasedConnection
    QueueCls = _KeptConnections

    def _put_conn(self, conn: BaseHTTPConnection | None) -> None:
        """Called by urllib3 as soon as the last byte of a reply is read."""
        if isinstance(conn, LeasedConnection):
            conn.end_lease()
        super()._put_conn(conn)


class _LeasedTlsPool(_LeasedPool, urllib3.HTTPSConnectionPool):
    ConnectionCls = _LeasedTlsConnection


def _unread(sock: Any) -> bool:
    """Whether TLS holds bytes that it has received and nobody has read."""
    if isinstance(sock, ssl.SSLSocket):
        return sock.pending() > 0
    # urllib3's own TLS, within that of a proxy.
    return sock.sslobj.pending() > 0 or sock.incoming.pending > 0 or _unread(sock.socket)


def new_pool(context: ssl.SSLContext | None, proxy: Proxy | None) -> urllib3.PoolManager:
    """Return a pool of kept connections, direct or through a proxy. It never retries, redirects or decodes."""
    options: dict[str, Any] = {"maxsize": _MAX_CONNECTIONS, "ssl_context": context, "retries": False}
    if proxy is None:
        pool = urllib3.PoolManager(**options)
    else:
        from algosync.net.trust import tls_context

        headers = {"Proxy-Authorization": proxy.authorization.reveal()} if proxy.authorization else {}
        secure = context or tls_context(None, "") if proxy.url.startswith("https:") else None
        pool = urllib3.ProxyManager(proxy.url, proxy_headers=headers, proxy_ssl_context=secure, **options)
    pool.pool_classes_by_scheme = {"http": _LeasedPool, "https": _LeasedTlsPool}
    return pool


def _connect(connection: HTTPConnection | HTTPSConnection) -> tuple[socket.socket, Lease | None]:
    """Try each address of the host in turn, like urllib3. The socket is attached to its lease before it connects."""
    found = _addresses(connection)
    failure: OSError = OSError("the name has no address")
    left = connection.timeout if isinstance(connection.timeout, (int, float)) else None
    until = None if left is None else time.monotonic() + left
    for number, (family, kind, protocol, _, address) in enumerate(found, 1):
        try:
            sock = socket.socket(family, kind, protocol)
        except OSError as error:  # a resolver may return IPv6 addresses that the kernel does not support
            failure = error
            continue
        try:
            for option in connection.socket_options or ():
                sock.setsockopt(*option)
            sock.settimeout(_address_timeout(until, last=number == len(found)))
            lease = attach_current(sock)
            sock.connect(address)
        except OSError as error:
            sock.close()
            failure = error
        else:
            return sock, lease
    if isinstance(failure, TimeoutError):
        raise ConnectTimeoutError(connection, f"no connection within {connection.timeout} s") from failure
    raise NewConnectionError(connection, str(failure)) from failure


def _addresses(connection: HTTPConnection | HTTPSConnection) -> list[Any]:
    """Resolve the host name. urllib3 keeps a final dot of the name for the resolver."""
    host = connection._dns_host  # urllib3 has no public name for it
    try:
        return run_within_lease(lambda: socket.getaddrinfo(host.strip("[]"), connection.port, type=socket.SOCK_STREAM))
    except (socket.gaierror, UnicodeError) as error:
        reason = error if isinstance(error, socket.gaierror) else socket.gaierror(str(error))
        raise NameResolutionError(host, connection, reason) from error


def _address_timeout(until: float | None, *, last: bool) -> float | None:
    """Seconds for one address: half of the remaining time, so that an address that does not reply leaves time for the others."""
    if until is None:
        return None
    left = max(0.001, until - time.monotonic())
    return left if last else left / 2
