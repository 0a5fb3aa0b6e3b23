"""An application behind a protocol of the cluster, in a thread of the test."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol


@contextlib.contextmanager
def served(application: ASGIApp, protocol: type[H11Protocol], **settings: Any) -> Iterator[int]:
    """Serve it for the length of a block, with these of uvicorn's settings; the port."""
    config = uvicorn.Config(application, http=protocol, ws="none", lifespan="off", log_level="error", **settings)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = uvicorn.Server(config)
        thread = threading.Thread(target=lambda: asyncio.run(serving.serve([listener])))
        thread.start()
        yield listener.getsockname()[1]
        serving.should_exit = True
        thread.join()
