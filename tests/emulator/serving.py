"""Runs an application behind a protocol of the cluster in a thread, with a clock that the test controls."""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import threading
from collections.abc import Iterator
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["Loop", "readable", "run", "served"]


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose clock can be advanced, so that tests neither wait for time limits nor race with them."""

    def __init__(self) -> None:
        super().__init__()
        self._ahead = 0.0

    def time(self) -> float:
        return super().time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Advance the clock from another thread. Returns after all callbacks that are then due."""
        passed = threading.Event()

        def forward() -> None:
            self._ahead += seconds
            self.call_later(0, passed.set)

        self.call_soon_threadsafe(forward)
        assert passed.wait(60)

    def advance_until_readable(self, connection: socket.socket, seconds: float) -> None:
        """Advance the clock repeatedly, because the server may not have accepted the connection at first."""
        for _ in range(1000):
            if readable(connection):
                return
            self.advance(seconds)
        raise AssertionError("the server does nothing, however much time passes")


def readable(connection: socket.socket) -> bool:
    """Whether data or the end of the connection arrives within a moment."""
    return bool(select.select([connection], [], [], 0.05)[0])


@contextlib.contextmanager
def run(server: uvicorn.Server, loop: Loop) -> Iterator[int]:
    """Run the loop in a thread while the body runs. Yields the port."""

    def serve() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(server.serve([listener]))
        loop.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join()


@contextlib.contextmanager
def served(application: ASGIApp, protocol: type[H11Protocol], loop: Loop, **settings: Any) -> Iterator[int]:
    """Serve while the body runs, with these settings of uvicorn. Yields the port."""
    config = uvicorn.Config(application, http=protocol, ws="none", lifespan="off", log_level="error", **settings)
    with run(uvicorn.Server(config), loop) as port:
        yield port
