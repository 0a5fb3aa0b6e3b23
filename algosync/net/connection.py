"""urllib3's connections, whose sockets are under a lease from before they connect."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING, Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from algosync.net.lease import held

if TYPE_CHECKING:
    from algosync.net.proxy import Proxy

__all__ = ["pool_of"]

_KEPT = 64  # connections to one host: as many as `--parallelism` may ask for


class _Plain(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connected(self)

    def connect(self) -> None:
        super().connect()
        # From here on the lease is the only clock: one block may take as long to send as the ones before it have earned.
        self.sock.settimeout(None)

    def request(self, *args: Any, **options: Any) -> None:
        if self.sock is not None:  # a kept connection, now in other hands
            held(self.sock)
        try:
            super().request(*args, **options)
        except ssl.SSLEOFError as error:
            # The server has closed while we were sending, as without TLS: it may have said why, and that is read then.
            raise BrokenPipeError(str(error)) from error


class _Secure(_Plain, HTTPSConnection):
    """The same over TLS, by the order of its bases."""


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(urllib3.HTTPSConnectionPool):
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


def _connected(connection: HTTPConnection | HTTPSConnection) -> socket.socket:
    """Each address of the host in turn, as urllib3 does it; the socket is under its lease while it still connects."""
    # Of a host name that ends in a dot, the dot matters to the resolver alone.
    host = connection._dns_host  # there is no public way to it
    try:
        found = socket.getaddrinfo(host.strip("[]"), connection.port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        reason = error if isinstance(error, socket.gaierror) else socket.gaierror(str(error))
        raise NameResolutionError(host, connection, reason) from error
    failure: OSError = OSError("the name has no address")
    for family, kind, protocol, _, address in found:
        try:
            sock = socket.socket(family, kind, protocol)
        except OSError as error:  # a resolver may know IPv6 where the kernel does not
            failure = error
            continue
        try:
            for option in connection.socket_options or ():
                sock.setsockopt(*option)
            # Already resolved here: until a connection is made this is the time to connect.
            sock.settimeout(connection.timeout if isinstance(connection.timeout, (int, float)) else None)
            held(sock)
            sock.connect(address)
        except OSError as error:
            sock.close()
            failure = error
        else:
            return sock
    if isinstance(failure, TimeoutError):
        raise ConnectTimeoutError(connection, f"no connection within {connection.timeout} s") from failure
    raise NewConnectionError(connection, str(failure)) from failure
