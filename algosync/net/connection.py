"""urllib3's connections, whose sockets are under a lease from before they connect."""

from __future__ import annotations

import socket
import ssl
import time
from typing import TYPE_CHECKING, Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from algosync.net.lease import Lease, held, in_time

if TYPE_CHECKING:
    from urllib3._base_connection import BaseHTTPConnection

    from algosync.net.proxy import Proxy

__all__ = ["pool_of"]

_KEPT = 64  # connections to one host: as many as `--parallelism` may ask for


class _Plain(HTTPConnection):
    lease: Lease | None = None

    def _new_conn(self) -> socket.socket:
        sock, self.lease = _connected(self)
        return sock

    def connect(self) -> None:
        super().connect()
        # From here on the lease is the only clock: one block may take as long to send as the ones before it have earned.
        self.sock.settimeout(None)
        self._ready()

    def request(self, *args: Any, **options: Any) -> None:
        if self.sock is not None and self.lease is None:  # a kept connection, now in other hands
            self.lease = held(self.sock)
            self._ready()
        try:
            super().request(*args, **options)
        except ssl.SSLEOFError as error:
            # The server has closed while we were sending, as without TLS: it may have said why, and that is read then.
            raise BrokenPipeError(str(error)) from error

    def let_go(self) -> None:
        """It goes back to where others take it from; one that its lease has shut is of no use to them."""
        lease, self.lease = self.lease, None
        if lease is not None:
            lease.release()
            if lease.ended:
                self.close()

    def _ready(self) -> None:
        if self.lease is not None:
            self.lease.sent = True


class _Secure(_Plain, HTTPSConnection):
    """The same over TLS, by the order of its bases."""


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Plain

    def _put_conn(self, conn: BaseHTTPConnection | None) -> None:
        """urllib3 does this as soon as the last byte of an answer is read."""
        if isinstance(conn, _Plain):
            conn.let_go()
        super()._put_conn(conn)


class _SecurePool(_PlainPool, urllib3.HTTPSConnectionPool):
    ConnectionCls = _Secure


def pool_of(context: ssl.SSLContext | None, proxy: Proxy | None) -> urllib3.PoolManager:
    """Kept connections, directly or through a proxy. Nothing is repeated, redirected or decoded by them."""
    options: dict[str, Any] = {"maxsize": _KEPT, "ssl_context": context, "retries": False}
    if proxy is None:
        pool = urllib3.PoolManager(**options)
    else:
        from algosync.net.trust import tls_context

        headers = {"Proxy-Authorization": proxy.authorization.reveal()} if proxy.authorization else {}
        secure = context or tls_context(None, "") if proxy.url.startswith("https:") else None
        pool = urllib3.ProxyManager(proxy.url, proxy_headers=headers, proxy_ssl_context=secure, **options)
    pool.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}
    return pool


def _connected(connection: HTTPConnection | HTTPSConnection) -> tuple[socket.socket, Lease | None]:
    """Each address of the host in turn, as urllib3 does it; the socket is under its lease while it still connects."""
    found = _addresses(connection)
    failure: OSError = OSError("the name has no address")
    left = connection.timeout if isinstance(connection.timeout, (int, float)) else None
    until = None if left is None else time.monotonic() + left
    for place, (family, kind, protocol, _, address) in enumerate(found, 1):
        try:
            sock = socket.socket(family, kind, protocol)
        except OSError as error:  # a resolver may know IPv6 where the kernel does not
            failure = error
            continue
        try:
            for option in connection.socket_options or ():
                sock.setsockopt(*option)
            sock.settimeout(_share(until, last=place == len(found)))
            lease = held(sock)
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
    """Of a host name that ends in a dot, the dot matters to the resolver alone, which no timeout reaches."""
    host = connection._dns_host  # there is no public way to it
    try:
        return in_time(lambda: socket.getaddrinfo(host.strip("[]"), connection.port, type=socket.SOCK_STREAM))
    except (socket.gaierror, UnicodeError) as error:
        reason = error if isinstance(error, socket.gaierror) else socket.gaierror(str(error))
        raise NameResolutionError(host, connection, reason) from error


def _share(until: float | None, *, last: bool) -> float | None:
    """Seconds for one address: half of what is left, so that one that does not answer leaves time for the others."""
    if until is None:
        return None
    left = max(0.001, until - time.monotonic())
    return left if last else left / 2
