"""Remembered results: records how tests end while a command runs, and tells which ones failed when they last ran."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING

from algosync.core.lean import dataclass
from algosync.core.text import printable

if TYPE_CHECKING:
    from algosync.cli.session import CommandSession
    from algosync.cli.terminal import Terminal
    from algosync.core.address import Address
    from algosync.core.event import Event
    from algosync.core.planning.plan import FailedCheck, Plan
    from algosync.core.test_result import TestResult
    from algosync.core.workflow import Workflow
    from algosync.state import TestResults

__all__ = ["Recorder", "known_failures", "remembering", "stored_addresses"]

_LONGEST = 500  # characters of a reason
_BETWEEN = 1.0  # seconds between two writes, because each one writes the whole document


def remembering(events: Iterable[Event], session: CommandSession, terminal: Terminal) -> Generator[Event, None, None]:
    """Yields the events, and records the results that they tell, also if the run ends early. A failure to do so is a warning.

    The log of the session takes note of the events, too.
    """
    from algosync.core.event import Measured
    from algosync.core.planning.schedule import Verb
    from algosync.core.test_result import result_of
    from algosync.kinds.context import utc_now

    measured: dict[Address, Measured] = {}

    recorder = Recorder(session.results, stored_addresses(session.workflow, terminal.redact), terminal.redact)
    session.log.begin()
    try:
        for event in events:
            session.log.note(event, session.ledger)
            if isinstance(event, Measured):
                measured[event.step.address] = event
            tested = event.step.verb is Verb.TEST
            result = result_of(event, utc_now(), measured.get(event.step.address)) if tested else None
            recorder.add(*([result] if result else []))
            yield event
    finally:
        recorder.flush()
        for warning in recorder.warnings:
            terminal.tell(f"Warning: {printable(warning)}")


def known_failures(session: CommandSession, plan: Plan, terminal: Terminal) -> tuple[FailedCheck, ...]:
    """The checks of the plan that failed when they last ran."""
    from algosync.core.planning.plan import FailedCheck

    results, warning = session.results.read()
    if warning:
        terminal.tell(f"Warning: {printable(warning)}")
    stored = stored_addresses(session.workflow, terminal.redact)
    found = ((check.address, results.get(stored[check.address])) for check in plan.checks)
    return tuple(FailedCheck(address, result.since, result.reason) for address, result in found if result and not result.passed)


def stored_addresses(workflow: Workflow, redact: Callable[[str], str]) -> Mapping[Address, Address]:
    """For each test the address under which its result is stored: without secrets, and no two alike."""
    from algosync.core.planning.plan import checks_of

    stored: dict[Address, Address] = {}
    taken: set[Address] = set()
    for check in checks_of(workflow, frozenset()):
        address = check.address
        if address.name is not None:
            address = replace(address, name=redact(address.name))
            while address in taken:
                address = replace(address, name=f"{address.name}'")
        taken.add(address)
        stored[check.address] = address
    return stored


@dataclass(slots=True)
class Recorder:
    """Records results in few writes: those of one second together. `warnings` has each warning once.

    `stored`: for each test of the workflow the address under which its result is stored. Results of other tests are dropped.
    """

    results: TestResults
    stored: Mapping[Address, Address]
    redact: Callable[[str], str]
    clock: Callable[[], float] = time.monotonic
    warnings: dict[str, None] = field(default_factory=dict)
    _waiting: dict[Address, TestResult] = field(default_factory=dict)
    _due: float = float("-inf")

    def add(self, *results: TestResult) -> None:
        """Keeps results, and writes those that wait if the last write is a second ago."""
        for result in results:
            address = self.stored.get(result.address, result.address)
            # Secrets first: a part of a secret is not recognised any more.
            reason = " ".join(self.redact(result.reason).split())
            reason = reason if len(reason) <= _LONGEST else f"{reason[: _LONGEST - 1]}…"
            self._waiting[address] = replace(result, address=address, reason=reason)
        if self.clock() >= self._due:
            self.flush()

    def flush(self) -> None:
        """Writes the results that wait. They are durable when it returns, unless there is a warning."""
        if not self._waiting:
            return
        if warning := self.results.record(self._waiting, self.stored.values()):
            self.warnings[warning] = None
        self._waiting.clear()
        self._due = self.clock() + _BETWEEN
