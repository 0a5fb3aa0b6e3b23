"""Waits for work in threads. Cancelling a task does not stop a thread that it has started."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


async def finished(work: Callable[[], Result], stopped: threading.Event | None = None) -> Result:
    """Run `work` in a thread; returns or raises what it does.

    If the task is cancelled, `stopped` is set, so that `work` can check it and end early. `CancelledError` is raised only after the
    thread has ended.
    """
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        if stopped:
            stopped.set()
        while not running.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([running])
        # Otherwise asyncio would log a failure that nobody reads.
        running.exception()
        raise
