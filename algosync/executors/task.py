"""Tasks: what a worker is asked to do, as plain data. A task holds no key: it refers to the run, whose keys the worker holds."""

from __future__ import annotations

from typing import Literal, TypeAlias

from algosync.cluster.transfer import Name
from algosync.core.lean import dataclass

__all__ = ["TOPIC", "Place", "Task"]

TOPIC = "algosync-progress"
"""The topic of the events in which workers report transferred bytes: the run, and pairs of a task's number and its bytes."""

Place: TypeAlias = Literal["source", "destination"]


@dataclass(frozen=True, slots=True)
class Task:
    """One transfer. `size` and `digest` are those that the file must have; None: unknown. `target`: where `relay` copies it to."""

    verb: Literal["relay", "digest", "fingerprint"]
    place: Place
    name: Name
    size: int | None = None
    digest: str | None = None
    target: Name | None = None
