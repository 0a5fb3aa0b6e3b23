"""What a command reads from its source once only: files that several algorithms have, and with `--cache` all files."""

from __future__ import annotations

import os
import re
import shutil
import stat
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from algosync.core.lean import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from algosync.cli.options import ClusterOptions
    from algosync.cli.terminal import Terminal
    from algosync.cluster.blob_cache import BlobCache
    from algosync.cluster.data import DataStore
    from algosync.cluster.transfer import Name
    from algosync.cluster.transfers import Transfers
    from algosync.core.workflow import Workflow

__all__ = ["OnceOnly"]

_RUN_LIMIT = 10 << 30  # bytes
_OWN_NAME = "[0-9a-f]{16}"
_STALE = 2 * 86_400  # seconds after which the folder of another command was left by a killed one


@dataclass(frozen=True, slots=True)
class OnceOnly:
    """`stack` is closed at the end of the command."""

    options: ClusterOptions
    terminal: Terminal
    stack: ExitStack

    def transfers(
        self, transfers: Transfers, source: DataStore | None, workflow: Workflow, key_of: Callable[[Name], str]
    ) -> Transfers:
        """These transfers, or those that read files of the source from a cache.

        `key_of`: as of `SourceStore.content_key`.
        """
        from algosync.cluster.data import DataClient

        if self.options.executor != "threads":
            if self.options.cache:
                self.terminal.tell("--cache is not used: it is on this machine, and the workers of --executor move the files.")
            return transfers
        shared = _shared_files(workflow)
        if not isinstance(source, DataClient) or not (shared or self.options.cache):
            return transfers
        from algosync.cluster.caching_transfers import CachedSource, CachingTransfers

        if self.options.cache:
            return CachingTransfers(transfers, CachedSource(source, lambda _: True, key_of), self._lasting_cache())
        return CachingTransfers(transfers, CachedSource(source, shared.__contains__, key_of), self._cache_of_run())

    def _lasting_cache(self) -> BlobCache:
        from algosync.cli.transferring.options import cache_limit
        from algosync.cluster.blob_cache import BlobCache, user_cache

        return BlobCache(user_cache() / "blobs", cache_limit(self.options), self.terminal.tell)

    def _cache_of_run(self) -> BlobCache:
        """In a folder that is removed at the end. If it cannot be used, files are read several times, as without it."""
        from algosync.cluster.blob_cache import BlobCache, user_cache

        parent = user_cache() / "runs"
        with suppress(OSError):
            _remove_stale(parent)
        folder = parent / os.urandom(8).hex()
        self.stack.callback(shutil.rmtree, folder, ignore_errors=True)
        return BlobCache(folder, _RUN_LIMIT)


def _shared_files(workflow: Workflow) -> frozenset[Name]:
    """The files of the source that are the data of several algorithms, or several files of one."""
    from algosync.cluster.data import split

    counts = Counter(file.source for spec in workflow.algorithms for file in spec.data_files)
    return frozenset(split(uri) for uri, count in counts.items() if count > 1)


def _remove_stale(parent: Path) -> None:
    """Removes nothing if the cache may be somebody else's: it may be a link to a folder of this user's documents."""
    status = os.lstat(parent)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        return
    for folder in filter(lambda found: re.fullmatch(_OWN_NAME, found.name), parent.iterdir()):
        if time.time() - os.lstat(folder).st_mtime > _STALE:
            shutil.rmtree(folder, ignore_errors=True)
