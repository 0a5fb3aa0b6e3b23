"""The keys of one run on the workers: given to them sealed, renewed as long as the run lasts, and forgotten at its end."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from distributed import Client

from algosync.core.error import Interrupted, Unreachable
from algosync.executors import worker
from algosync.executors.access import Access
from algosync.executors.dask_connection import LOSSES, everywhere
from algosync.executors.introduction import public_keys
from algosync.executors.sealed import seal

__all__ = ["RunKeys"]

_RENEW_EVERY = 15.0  # seconds
_GONE_FOR = 60.0  # seconds


class RunKeys:
    """`run`: the name of the run. Safe to use from several threads."""

    def __init__(self, client: Client, run: str, access: Access) -> None:
        self.run = run
        self._client = client
        self._access = access
        self._ending = threading.Event()
        self._seen: set[str] = set()
        self._without_workers = 0.0  # seconds

    def give(self, workers: Sequence[str] | None = None) -> None:
        """Gives the keys to these workers, or to all. UsageError: a worker cannot use them. Interrupted: the run ends."""
        self.check()
        introductions = everywhere(self._client, worker.introduce, workers=workers)
        self._seen.update(introductions)
        sealed = {public: seal(self._access.message(), public) for public in public_keys(introductions)}
        self.check()
        everywhere(self._client, worker.accept, self.run, sealed, workers=workers)

    def keep(self) -> None:
        """Renews the keys from now on, in a thread."""
        threading.Thread(target=self._keep, name="dask-renewal", daemon=True).start()

    def end(self, within: float) -> None:
        """Ends what is under way on the workers, and lets them forget the keys. Waits at most so many seconds for that."""
        self._ending.set()
        ending = threading.Thread(target=self._end, name="dask-end", daemon=True)
        ending.start()
        ending.join(within)

    def check(self) -> None:
        """Interrupted: the run ends, so nothing new may be sent. Unreachable: there are no workers any more."""
        if self._ending.is_set():
            raise Interrupted("interrupted")
        self.check_workers()

    def check_workers(self) -> None:
        """Unreachable: there are no workers any more."""
        if self._without_workers >= _GONE_FOR:
            raise Unreachable("the Dask cluster has had no worker for a minute", hint="start workers; run the same command again")

    def has_lost_workers(self) -> bool:
        """Whether a worker that had the keys is gone, or may be."""
        try:
            return not self._seen <= set(self._client.nthreads())
        except LOSSES:
            return True

    def _keep(self) -> None:
        while not self._ending.wait(_RENEW_EVERY):
            # A worker that hangs must not keep the others from being asked the next time.
            threading.Thread(target=self._renew, name="dask-renewal", daemon=True).start()

    def _renew(self) -> None:
        try:
            held = everywhere(self._client, worker.renew, self.run)
        except Unreachable:
            held = {}
        self._without_workers = 0.0 if held else self._without_workers + _RENEW_EVERY

    def _end(self) -> None:
        try:
            self._client.run(worker.end, self.run, on_error="ignore")
        except Exception:  # noqa: BLE001  # the workers end the run by themselves when it is not renewed
            return
