"""Ports: what the engine and the kinds need of the world, as Protocols."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from algosync.core.address import Address
from algosync.core.resource import Record

__all__ = ["Ledger"]


class Ledger(Protocol):
    """The recorded state while a command works on it. Safe to use from several threads."""

    @property
    def records(self) -> Mapping[Address, Record]:
        """The records as they stand now."""

    def writing(self, address: Address, verb: str) -> AbstractContextManager[None]:
        """Surrounds ONE remote write: the intent is durable before the body runs."""

    def commit(self, record: Record) -> None:
        """Durable when it returns."""

    def forget(self, address: Address) -> None:
        """Durable when it returns."""
