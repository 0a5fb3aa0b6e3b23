"""Live: shows an apply while it runs, as lines, and on a terminal with a moving part below them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Protocol

from algosync.cli.terminal import Terminal
from algosync.cli.transferring.totals import TransferTotals
from algosync.core.event import CaseDone, Event, Measured, Note, Progress, StepDone, StepFailed, StepSkipped, StepStarted
from algosync.core.text import plural
from algosync.views.progress import event_line, title, transfer, transfers_line

if TYPE_CHECKING:
    from rich.progress import Task as Row
    from rich.progress import TaskID

__all__ = ["watch"]

_WIDE = 60  # columns; a narrower terminal shows only a percentage
_SELDOM = 30.0  # seconds between two lines about all transfers
_CLOCK = 11  # columns of the spinner, the time and the gaps


def watch(
    events: Iterable[Event], terminal: Terminal, *, answers: bool = False, totals: TransferTotals | None = None
) -> Iterator[Event]:
    """Yields the events, and shows each before it is yielded. `answers`: every answer to a test is a part of the result.

    `totals`: of the transfers among the steps; None: there are none.
    """
    totals = totals or TransferTotals((), reads_back=False)
    board: _Board = _LiveBoard(terminal, totals) if terminal.live and not answers else _PlainBoard(terminal, totals)
    with board.showing():
        for event in events:
            totals.note(event)
            board.show(event)
            if answers and isinstance(event, CaseDone):
                from algosync.views.calls import answer_lines

                terminal.result_lines(answer_lines(event.result, str(event.step.address), terminal.redact))
            yield event


class _Board(Protocol):
    def showing(self) -> AbstractContextManager[object]: ...

    def show(self, event: Event) -> None: ...


class _PlainBoard:
    """Lines only. Now and then one tells how far all transfers are."""

    def __init__(self, terminal: Terminal, totals: TransferTotals) -> None:
        self._terminal = terminal
        self._totals = totals
        self._told = totals.clock()

    def showing(self) -> AbstractContextManager[object]:
        return nullcontext()

    def show(self, event: Event) -> None:
        line = event_line(event)
        if line is not None:
            self._terminal.tell(line)
        totals, now = self._totals, self._totals.clock()
        if totals.left and now - self._told >= _SELDOM:
            self._told = now
            self._terminal.tell(transfers_line(totals.done, totals.total, totals.rate(), totals.seconds_left()))


class _LiveBoard:
    """A row for each step that runs: bytes, rate and time left for transfers, the elapsed time for everything else.

    The first row is for all transfers together, until they have ended.

    No row is wider than the terminal, because a row that wraps cannot be erased. Lines of steps that ended stand above the rows.
    """

    def __init__(self, terminal: Terminal, totals: TransferTotals) -> None:
        from rich.console import Console
        from rich.progress import Progress as Bars
        from rich.progress import ProgressColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.table import Column
        from rich.text import Text

        class Transfer(ProgressColumn):
            """The bytes of a transfer or of all, or the calls of a test."""

            def render(self, task: Row) -> Text:
                if task.id == board.all_transfers:
                    return Text(transfer(totals.done, totals.total, totals.rate(), totals.seconds_left(), room))
                return Text(_transferred(task, room) if task.total else str(task.fields.get("calls", ""))[:room])

        board = self
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
        self._totals = totals
        self.all_transfers = self._bars.add_task("All transfers", total=None) if totals.total else None

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
        if not self._totals.left and self.all_transfers is not None:
            row, self.all_transfers = self.all_transfers, None
            self._bars.remove_task(row)

    def _print(self, event: Event) -> None:
        from rich.text import Text

        line = event_line(event)
        if line is not None:
            self._bars.console.print(Text.from_ansi(self._coloured(line)), soft_wrap=True)


def _transferred(row: Row, room: int) -> str:
    return transfer(round(row.completed), round(row.total or 0), row.speed, row.time_remaining, room)
