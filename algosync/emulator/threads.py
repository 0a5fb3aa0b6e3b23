"""Work in threads, which no cancellation stops: who has given it has to wait, or it goes on unseen."""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


async def finished(work: Callable[[], Result], stopped: threading.Event | None = None) -> Result:
    """What `work` returns or raises, in a thread. A task that is cancelled meanwhile ends after the thread has, not before.

    Then nothing of the result is kept, and `stopped` is set as soon as nobody waits for it: work that looks there ends early.
    """
    running = asyncio.ensure_future(asyncio.to_thread(work))
    cancelled: asyncio.CancelledError | None = None
    while not running.done():
        try:
            # It cancels nothing of what it waits for, however often it is cancelled itself.
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
