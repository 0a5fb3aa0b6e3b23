"""Waits for work in threads. Cancelling a task does not stop a thread that it has started."""

import asyncio
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
    cancelled: asyncio.CancelledError | None = None
    while not running.done():
        try:
            # `wait` does not cancel what it waits for.
            await asyncio.wait([running])
        except asyncio.CancelledError as error:
            cancelled = error
            if stopped:
                stopped.set()
    failure = running.exception()
    if cancelled:
        raise cancelled
    if failure:
        raise failure
    return running.result()
