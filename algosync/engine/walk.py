"""Walk: which steps of a schedule may start now, while others run. Pure; the work is linear in nodes and edges."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import TopologicalSorter

from algosync.core.event import StepSkipped
from algosync.core.planning.schedule import Schedule, Step

__all__ = ["Walk"]


class Walk:
    """One walk over a schedule, by one thread.

    The caller starts the steps that `advance` yields and reports the end of each to `end`, until the walk is no longer `active`.
    graphlib.CycleError: nodes of the schedule wait for each other.
    """

    def __init__(self, schedule: Schedule) -> None:
        self._steps = {step.key: step for step in schedule.steps}
        self._before = schedule.before
        self._causes: dict[str, str] = {}  # for each broken node, the key of the step that failed
        self._sorter = TopologicalSorter({node: (*before.needs, *before.follows) for node, before in schedule.before.items()})
        self._sorter.prepare()

    @property
    def active(self) -> bool:
        """Whether a step runs or may start."""
        return self._sorter.is_active()

    def advance(self) -> Iterator[Step | StepSkipped]:
        """Each step that may start now, and each that is skipped because a step it needs failed."""
        while nodes := self._sorter.get_ready():
            for node in nodes:
                step, cause = self._steps.get(node), self._cause(node)
                if cause is not None:
                    self._causes[node] = cause
                if step is None or cause is not None:
                    self._sorter.done(node)
                if step is not None:
                    yield step if cause is None else StepSkipped(step, cause)

    def end(self, step: Step, *, succeeded: bool) -> None:
        """A step that `advance` yielded has ended."""
        if not succeeded:
            self._causes[step.key] = step.key
        self._sorter.done(step.key)

    def _cause(self, node: str) -> str | None:
        return min((self._causes[other] for other in self._before[node].needs if other in self._causes), default=None)
