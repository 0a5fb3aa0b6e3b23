"""The socket that a cluster listens on: on loopback, and on the same port as before if possible."""

import contextlib
import json
import socket
from collections.abc import Generator
from pathlib import Path
from urllib.parse import urlsplit

NAMES = ("localhost", "127.0.0.1", "::1", "api.localhost", "git.localhost")
"""Host names and addresses of a cluster on loopback."""


@contextlib.contextmanager
def listening(port: int, last: int) -> Generator[socket.socket, None, None]:
    """A socket bound to `port`. For port 0 it is the `last` port, so that addresses stay valid, or any port if that is taken.

    Raises `OSError` if a port other than 0 is taken.
    """
    # asyncio disables Nagle's algorithm only for sockets with an explicit protocol.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bind(listener, [port] if port else [last, 0])
        yield listener


def last_port(address_file: Path) -> int:
    """The port of the last start. Returns 0 if there was none, or if its file is damaged."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        return urlsplit(json.loads(address_file.read_text())["address"]).port or 0
    return 0


def _bind(listener: socket.socket, ports: list[int]) -> None:
    *preferred, last = ports
    for port in preferred:
        with contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return
    listener.bind(("127.0.0.1", last))
