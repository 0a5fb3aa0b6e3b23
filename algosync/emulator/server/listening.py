"""The socket a cluster listens on: on loopback, at the same port again where that can be."""

import contextlib
import json
import socket
from collections.abc import Generator
from pathlib import Path
from urllib.parse import urlsplit

NAMES = ("localhost", "127.0.0.1", "::1", "api.localhost", "git.localhost")
"""What a cluster on loopback can be called."""


@contextlib.contextmanager
def listening(port: int, last: int) -> Generator[socket.socket, None, None]:
    """A socket at this port; where it is 0 at the `last` one, so that addresses stay valid, or where that is taken at any.

    Raises `OSError` where a port that is asked for is taken.
    """
    # With its protocol named, as asyncio switches off Nagle's delay only then.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bind(listener, [port] if port else [last, 0])
        yield listener


def last_port(address_file: Path) -> int:
    """The port of the last start; 0 where there was none, or its file is damaged."""
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
