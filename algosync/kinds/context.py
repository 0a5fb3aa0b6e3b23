"""The context of a command: the destination, the sources and the record, as the kinds use them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from algosync.core.ports import Ledger
from algosync.kinds.desired_sources import DesiredSources
from algosync.kinds.destination import Destination
from algosync.sources import Sources, SourceStore

__all__ = ["Context"]


@dataclass(frozen=True, slots=True)
class Context:
    """The objects that the kinds use during one command.

    `build_deadline`: seconds that a build may take. `recorded_only`: the command uses the record instead of the source. `pushed`:
    the commits that this run has pushed. `pause` and `clock` work in seconds.
    """

    destination: Destination
    desired_sources: DesiredSources
    build_deadline: float
    recorded_only: bool = False
    pause: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    pushed: set[str] = field(default_factory=set)

    @property
    def ledger(self) -> Ledger:
        return self.desired_sources.ledger

    @property
    def sources(self) -> Sources:
        return self.desired_sources.sources

    @property
    def store(self) -> SourceStore:
        return self.sources.store
