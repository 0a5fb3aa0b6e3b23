"""Live: shows an apply while it runs, as lines, and on a terminal with a moving part below them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Protocol

from algosync.cli.terminal import Terminal
from algosync.core.event import CaseDone, Event, Measured, Note, Progress, StepDone, StepFailed, StepSkipped, StepStarted
from algosync.core.text import plural
from algosync.views.progress import event_line, title, transfer

if TYPE_CHECKING:
    from rich.progress import Task as Row
    from rich.progress import TaskID

__all__ = ["reading", "watch"]

_WIDE = 60  # columns; a narrower terminal shows only a percentage
_CLOCK = 11  # columns of the spinner, the time and the gaps


def watch(events: Iterable[Event], terminal: Terminal, *, answers: bool = False) -> Iterator[Event]:
    """Yields the events, and shows each before it is yielded. `answers`: every answer to a test is a part of the result."""
    board: _Board = _LiveBoard(terminal) if terminal.live and not answers else _PlainBoard(terminal)
    with board.showing():
        for event in events:
            board.show(event)
            if answers and isinstance(event, CaseDone):
                from algosync.views.calls import answer_lines

                terminal.result_lines(answer_lines(event.result, str(event.step.address), terminal.redact))
            yield event


def reading(terminal: Terminal, what: str) -> AbstractContextManager[object]:
    """Shows an activity indicator while the body runs. Does nothing if stderr is not a terminal."""
    if not terminal.live:
        return nullcontext()
    from rich.console import Console

    return Console(file=terminal.screen(), highlight=False).status(f"Reading {what}...", spinner="line")


class _Board(Protocol):
    def showing(self) -> AbstractContextManager[object]: ...

    def show(self, event: Event) -> None: ...


class _PlainBoard:
    """Lines only."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def showing(self) -> AbstractContextManager[object]:
        return nullcontext()

    def show(self, event: Event) -> None:
        line = event_line(event)
        if line is not None:
            self._terminal.tell(line)


class _LiveBoard:
    """A row for each step that runs: bytes, rate and time left for transfers, the elapsed time for everything else.

    No row is wider than the terminal, because a row that wraps cannot be erased. Lines of steps that ended stand above the rows.
    """

    def __init__(self, terminal: Terminal) -> None:
        from rich.console import Console
        from rich.progress import Progress as Bars
        from rich.progress import ProgressColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.table import Column
        from rich.text import Text

        class Transfer(ProgressColumn):
            """The bytes of a transfer, or the calls of a test."""

            def render(self, task: Row) -> Text:
                return Text(_transferred(task, room) if task.total else str(task.fields.get("calls", ""))[:room])

        console = Console(file=terminal.screen(), highlight=False, no_color=not terminal.coloured[1])
        room = console.width // 2 if console.width >= _WIDE else len("100%")
        titles = max(console.width - room - _CLOCK, 1)
        self._shown = partial(terminal.shown, coloured=False)
        self._coloured = partial(terminal.shown, coloured=True)
        self._rows: dict[str, TaskID] = {}
        self._bars = Bars(
            SpinnerColumn("line"),
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, max_width=titles)),
            Transfer(Column(no_wrap=True)),
            TimeElapsedColumn(Column(no_wrap=True)),
            console=console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def showing(self) -> AbstractContextManager[object]:
        return self._bars

    def show(self, event: Event) -> None:
        match event:
            case StepStarted(step=step):
                self._rows[step.key] = self._bars.add_task(self._shown(title(step)), total=None)
            case Note(step=step, text=text):
                self._bars.update(self._rows[step.key], description=self._shown(title(step, text)))
            case Progress(step=step, done=done, total=total):
                self._bars.update(self._rows[step.key], completed=done, total=total)
            case CaseDone(step=step, result=result):
                self._bars.update(self._rows[step.key], calls=plural(result.number, "call"))
            case StepDone(step=step) | StepFailed(step=step):
                self._print(event)
                self._bars.remove_task(self._rows.pop(step.key))
            case StepSkipped():
                self._print(event)
            case Measured():
                pass

    def _print(self, event: Event) -> None:
        from rich.text import Text

        line = event_line(event)
        if line is not None:
            self._bars.console.print(Text.from_ansi(self._coloured(line)), soft_wrap=True)


def _transferred(row: Row, room: int) -> str:
    return transfer(round(row.completed), round(row.total or 0), row.speed, row.time_remaining, room)
