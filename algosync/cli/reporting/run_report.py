"""Run report: collects what the reports of an apply, or of a run of tests, need, and writes them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace
from functools import cache
from typing import TYPE_CHECKING

from algosync.cli.history.shown import runs_with_this
from algosync.cli.reporting.error_code import error_code
from algosync.cli.reporting.event_stream import EventStream
from algosync.core.error import AlgosyncError
from algosync.core.event import CaseDone, Event
from algosync.core.lean import dataclass
from algosync.core.report import Report

if TYPE_CHECKING:
    from algosync.cli.session import CommandSession
    from algosync.cli.terminal import Terminal
    from algosync.core.address import Address
    from algosync.core.planning.plan import Plan
    from algosync.core.testing.answer import CaseResult
    from algosync.views.subject import Applied

__all__ = ["RunReport"]

_LISTED = 200  # calls of one test, as long as fewer of them fail
_LISTED_FAILURES = 1000


@dataclass(slots=True)
class RunReport:
    """The reports of one run. `terminal`: where texts for people go: if stdout gets another format, they go to stderr.

    `active`: a format other than the text on stdout is asked for, or GitHub shows the result. `approved`: as of `Applied`.
    """

    command: str
    places: Mapping[str, str]
    stdout: Terminal
    terminal: Terminal
    stream: EventStream
    approved: bool = False
    _calls: dict[Address, _Listed] = field(default_factory=dict)
    _started: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, command: str, places: Mapping[str, str], terminal: Terminal) -> RunReport:
        colours = terminal.coloured[1]
        on_stderr = replace(terminal, out=terminal.err, coloured=(colours, colours))
        for_people = terminal if places["-"] == "text" else on_stderr
        return cls(command, places, terminal, for_people, EventStream.of(places, terminal))

    @property
    def active(self) -> bool:
        return self.places != {"-": "text"} or self.stdout.github is not None

    def begin(self, plan: Plan) -> None:
        """Writes the first line of a stream of events."""
        self._started = time.monotonic()
        if self.active:
            self.stream.begin(self._subject(plan, Report(), None))

    def watching(self, events: Iterable[Event]) -> Iterator[Event]:
        """Yields the events, and keeps some of the calls of tests."""
        from algosync.views.subject import Failed

        if not self.active:
            yield from events
            return
        try:
            for event in self.stream.watching(events):
                if isinstance(event, CaseDone):
                    self._calls.setdefault(event.step.address, _Listed()).add(event.result)
                yield event
        except AlgosyncError as error:
            self.stream.end(Failed(error, {"command": self.command, "exit_code": error_code(error)}))
            raise

    def write(self, plan: Plan, report: Report, exit_code: int, session: CommandSession | None) -> None:
        """Writes every report but the text on stdout, and what GitHub shows. The run is the news of the command.

        `session`: the one in which it ran, which has the history for pages; it may have ended.
        """
        from algosync.cli.notify.news import News
        from algosync.cli.report_output import write_reports

        history = runs_with_this(session, self.places, exit_code, self.stdout) if session else ()
        make = cache(lambda: replace(self._subject(plan, report, exit_code), history=history))
        self.stdout.news.append(News(make, changed=bool(plan.visible)))
        if not self.active:
            return
        subject = make()
        self.stream.end(subject)
        others = {place: name for place, name in self.places.items() if name != "jsonl" and (place, name) != ("-", "text")}
        write_reports(subject, others, self.stdout)

    def _subject(self, plan: Plan, report: Report, exit_code: int | None) -> Applied:
        from algosync.cli.commands.plan import masked_for, metadata
        from algosync.views.subject import Applied

        meta = {**metadata(plan.header, exit_code), "command": self.command}
        meta["seconds"] = round(time.monotonic() - self._started, 3)
        calls = {address: listed.results for address, listed in self._calls.items()}
        return Applied(masked_for(self.stdout, plan), report, meta, calls, self.approved)


@dataclass(slots=True)
class _Listed:
    """Some calls of one test: the first ones, and those that failed."""

    passed: list[CaseResult] = field(default_factory=list)
    failed: list[CaseResult] = field(default_factory=list)

    def add(self, result: CaseResult) -> None:
        kept, room = (self.passed, _LISTED) if result.passed else (self.failed, _LISTED_FAILURES)
        if len(kept) < room:
            kept.append(result)

    @property
    def results(self) -> tuple[CaseResult, ...]:
        passed = self.passed[: max(_LISTED - len(self.failed), 0)]
        return tuple(sorted((*passed, *self.failed), key=lambda result: result.number))
