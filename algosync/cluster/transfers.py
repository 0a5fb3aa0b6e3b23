"""Transfers: where files are copied and read. On this machine, or on others, which `algosync.executors` implements."""

from __future__ import annotations

from typing import Protocol

from algosync.cluster.data import WritableStore
from algosync.cluster.transfer import Advance, File, Name, digest_file, fingerprint, relay
from algosync.net import Retry

__all__ = ["LocalTransfers", "Transfers"]


class Transfers(Protocol):
    """Carries out transfers. Each call returns when its transfer has ended. Safe to use from several threads.

    `advance` is called with the number of bytes transferred so far; after a retry it may be smaller than before.
    """

    def relay(self, file: File, destination: WritableStore, target: Name, advance: Advance, retry: Retry) -> tuple[str, int]:
        """Copies a file, as `transfer.relay` does."""

    def digest(self, file: File, advance: Advance, retry: Retry) -> tuple[str, int]:
        """Reads a file for its SHA-256 (hex) and length, as `transfer.digest_file` does."""

    def fingerprint(self, file: File, retry: Retry) -> tuple[str, str]:
        """Reads a file for its SHA-256 and MD5 (hex), as `transfer.fingerprint` does."""


class LocalTransfers:
    """Carries out each transfer in the thread that asks for it."""

    def relay(self, file: File, destination: WritableStore, target: Name, advance: Advance, retry: Retry) -> tuple[str, int]:
        return relay(file, destination, target, advance, retry)

    def digest(self, file: File, advance: Advance, retry: Retry) -> tuple[str, int]:
        return digest_file(file, advance, retry)

    def fingerprint(self, file: File, retry: Retry) -> tuple[str, str]:
        return fingerprint(file, retry)
