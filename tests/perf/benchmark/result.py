"""What a row of the table is made of."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.running import Cost, program

__all__ = ["Bench", "Measure", "Result", "interleaved"]


@dataclass(frozen=True, slots=True)
class Result:
    """One comparison: rounds of algosync and of a peer. `unit`: of the figures, such as `s`; smaller is better."""

    row: str
    name: str
    peer: str
    ours: Sequence[float]
    theirs: Sequence[float]
    unit: str = "s"
    target: float | None = None
    requests: int | None = None
    memory: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float:
        """Ours ÷ theirs, of the medians."""
        return statistics.median(self.ours) / statistics.median(self.theirs)

    @property
    def fastest(self) -> float:
        """Ours ÷ theirs, of the fastest rounds: what else runs on the machine changes it less."""
        return min(self.ours) / min(self.theirs)


@dataclass(frozen=True, slots=True)
class Measure:
    """The rounds of one side."""

    costs: list[Cost] = field(default_factory=list)

    @property
    def wall(self) -> list[float]:
        return [cost.wall for cost in self.costs]

    @property
    def cpu(self) -> list[float]:
        return [cost.cpu for cost in self.costs]

    @property
    def memory(self) -> float:
        return max(cost.memory for cost in self.costs)


@dataclass(frozen=True, slots=True)
class Bench:
    """How the rows are to be run. `folder` is in memory if the machine has such a place.

    `sizes`: numbers of algorithms or of files, instead of the usual ones. `once`: also what is too large for several rounds.
    """

    folder: Path
    rounds: int
    small: bool
    peers: Sequence[Path] = ()
    once: bool = False
    sizes: Sequence[int] = ()

    def peer(self, name: str) -> str | None:
        """The path of a program that is compared with, or None if this machine does not have it."""
        return program(name, self.peers)


def interleaved(rounds: int, sides: Mapping[str, Callable[[], Cost]], warm: bool = True) -> dict[str, Measure]:
    """Run all sides in turn, each round in another order. The first round is a warm-up and does not count."""
    found = {name: Measure() for name in sides}
    names = list(sides)
    for number in range(-1 if warm else 0, rounds):
        for name in names:
            cost = sides[name]()
            if number >= 0:
                found[name].costs.append(cost)
        names = [*names[1:], names[0]]
    return found
