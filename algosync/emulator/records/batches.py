"""Work that costs the same for one as for many, done once for all who wait for it: a sync of a folder, a commit."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batches(Generic[Item, Result]):
    """`work` gets all items that have come while it was at those before, in their order, and has a result for each.

    Usable from every thread. What it raises, everybody gets whose item was in it.
    """

    def __init__(self, work: Callable[[list[Item]], list[Result]]) -> None:
        self._work = work
        self._turn = threading.Lock()
        self._waiting: deque[tuple[Item, Future[Result]]] = deque()

    def do(self, item: Item) -> Result:
        """The result of one item. Whoever has the turn does the work of all; the others find theirs done when it is theirs."""
        future: Future[Result] = Future()
        self._waiting.append((item, future))
        with self._turn:
            if not future.done():
                self._settle([self._waiting.popleft() for _ in range(len(self._waiting))])
        return future.result()

    def _settle(self, batch: list[tuple[Item, Future[Result]]]) -> None:
        try:
            results = self._work([item for item, _ in batch])
        except BaseException as error:  # noqa: BLE001 - raised again by everybody who waits for it
            for _, future in batch:
                future.set_exception(error)
        else:
            for (_, future), result in zip(batch, results, strict=True):
                future.set_result(result)
