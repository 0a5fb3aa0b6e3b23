"""The recorded state: backends that keep it, and the session above them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from algosync.core.error import UsageError
from algosync.core.text import printable
from algosync.state import local
from algosync.state.backend import Backend
from algosync.state.former_names import Located, located
from algosync.state.naming import state_name
from algosync.state.session import Session
from algosync.state.test_results import TestResults

__all__ = [
    "BACKENDS",
    "Backend",
    "BackendFactory",
    "Located",
    "Session",
    "TestResults",
    "located",
    "open_session",
    "parse_address",
    "state_name",
]

BackendFactory: TypeAlias = Callable[[str, str], Backend]
"""Creates the backend of one state. Arguments: its name (see `state_name`), and the command that others see while it is locked."""

# By the scheme of the address. Each parses its own addresses; UsageError: it cannot. An address without a scheme is a path.
BACKENDS: dict[str, Callable[[str], BackendFactory]] = {
    "file": local.parse_address,
}


def parse_address(address: str) -> BackendFactory:
    """Where the states at an address are kept. UsageError: no backend knows such an address."""
    scheme, separator, _ = address.partition("://")
    backend = BACKENDS.get(scheme if separator else "file")
    if backend is None:
        known = ", ".join(f"{name}://" for name in sorted(BACKENDS))
        raise UsageError(f"--state {printable(address, 200)}: the scheme is unknown", hint=f"use a folder, or one of: {known}")
    return backend(address)


def open_session(address: str, name: str, *, exclusive: bool, command: str = "algosync", wait: float = 0.0) -> Session:
    """The session on one state. `name`: see `state_name`. A reader creates nothing.

    `command`: the command that others see while this session holds the lock. `wait`: seconds to wait for the lock.
    Raises what `parse_address` and `Session` raise.
    """
    backend = parse_address(address)(name, command)
    return Session(backend, backend.journal, exclusive=exclusive, wait=wait)
