"""The recorded state: backends that keep it, and the session above them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from algosync.state.backend import Backend
from algosync.state.local import LocalBackend
from algosync.state.naming import state_name
from algosync.state.session import Session

__all__ = ["BACKENDS", "Backend", "Session", "open_session", "state_name"]

# How each makes itself of the place of a state and of the command that locks it.
BACKENDS: Mapping[str, Callable[[Path, str], Backend]] = {"local": LocalBackend}


def open_session(folder: Path, name: str, *, exclusive: bool, command: str = "algosync", wait: float = 0.0) -> Session:
    """The session on one state in a folder; `name` as of `state_name`. A reader makes neither folder nor files.

    `command`: what others are told while this one holds the lock. `wait`: seconds. Raises what `Session` raises.
    """
    backend = BACKENDS["local"](folder / name, command)
    return Session(backend, folder / f"{name}.journal", exclusive=exclusive, wait=wait)
