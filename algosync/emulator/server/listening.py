"""The socket that a cluster listens on: on loopback, and on the same port as before if possible."""

import contextlib
import socket

NAMES = ("localhost", "127.0.0.1", "::1", "api.localhost", "git.localhost")
"""Host names and addresses of a cluster on loopback."""


def listening(port: int, last: int) -> socket.socket:
    """A socket bound to `port`. For port 0 it is the `last` port, so that addresses stay valid, or any port if that is taken.

    Raises `OSError` if a port other than 0 is taken.
    """
    # asyncio disables Nagle's algorithm only for sockets with an explicit protocol.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        if not port:
            with contextlib.suppress(OSError):
                listener.bind(("127.0.0.1", last))
                return listener
        listener.bind(("127.0.0.1", port))
    except OSError:
        listener.close()
        raise
    return listener
