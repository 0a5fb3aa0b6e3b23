"""An apply as it happens: lines, and on a terminal a moving part below them — bars for transfers, spinners for builds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Protocol

from algosync.core.event import Event, Note, Progress, StepDone, StepFailed, StepSkipped, StepStarted
from algosync.core.schedule import Step, Verb
from algosync.core.text import duration, printable, size
from algosync.views.terminal import Terminal

if TYPE_CHECKING:
    from rich.progress import Task as Row
    from rich.progress import TaskID

__all__ = ["reading", "watch"]

_BAR = 20  # columns
_WIDE = 60  # columns: what has less shows a percentage only
_CLOCK = 11  # columns of the spinner and the time, and between all
_WORDS = {
    Verb.CREATE: ("Creating", "Created"),
    Verb.CONFIGURE: ("Updating settings", "Settings updated"),
    Verb.UPLOAD: ("Uploading", "Uploaded"),
    Verb.VERIFY: ("Verifying", "Verified"),
    Verb.PUSH: ("Pushing", "Pushed"),
    Verb.BUILD: ("Building", "Built"),
    Verb.TEST: ("Testing", "Passed"),
    Verb.PUBLISH: ("Publishing", "Published"),
}


def watch(events: Iterable[Event], terminal: Terminal) -> Iterator[Event]:
    """Shows each event as it passes by."""
    board: _Board = _LiveBoard(terminal) if terminal.live else _PlainBoard(terminal)
    with board.showing():
        for event in events:
            line = _line(event, terminal, quiet=terminal.live)
            if line is not None:
                board.tell(line)
            board.update(event)
            yield event


def reading(terminal: Terminal, what: str) -> AbstractContextManager[object]:
    """The one progress line of looking: only on a terminal, and gone afterwards."""
    if not terminal.live:
        return nullcontext()
    from rich.console import Console

    return Console(file=terminal.screen(), highlight=False).status(f"Reading {what}...", spinner="line")


def _line(event: Event, terminal: Terminal, *, quiet: bool) -> str | None:
    """`quiet` where the moving part tells what goes on."""
    match event:
        case StepStarted(step=step) if not quiet:
            return f"{_name(step)}: {_WORDS[step.verb][0]}..."
        case Note(step=step, text=text) if not quiet:
            return f"{_name(step)}: {_WORDS[step.verb][0]}: {printable(text)}"
        case StepDone(step=step, seconds=seconds, detail=detail):
            done = terminal.paint(_WORDS[step.verb][1], "green")
            return f"{_name(step)}: {done}{' ' if detail else ''}{printable(detail)} after {duration(seconds)}"
        case StepFailed(step=step, seconds=seconds, error=error):
            failed = terminal.paint("FAILED", "red", "bold")
            return f"{_name(step)}: {_WORDS[step.verb][0]} {failed} after {duration(seconds)}: {printable(error.message, 300)}"
        case StepSkipped(step=step, because=because):
            skipped = terminal.paint("skipped", "yellow")
            return f"{_name(step)}: {_WORDS[step.verb][0]} {skipped}: {printable(because)} did not succeed"
        case _:
            return None


def _name(step: Step) -> str:
    return printable(str(step.address))


def _transferred(task: Row, room: int) -> str:
    """How much, how fast, how long still, in at most so many columns."""
    done, total = round(task.completed), round(task.total or 0)
    filled = _BAR * done // total
    rate = f" {size(round(task.speed))}/s" if task.speed else ""
    left = f" {duration(task.time_remaining)} left" if task.time_remaining else ""
    for text in (
        f"{'█' * filled}{'░' * (_BAR - filled)} {size(done)} of {size(total)}{rate}{left}",
        f"{100 * done // total}%{rate}{left}",
    ):
        if len(text) <= room:
            return text
    return f"{100 * done // total}%"


class _Board(Protocol):
    def showing(self) -> AbstractContextManager[object]: ...

    def tell(self, line: str) -> None: ...

    def update(self, event: Event) -> None: ...


class _PlainBoard:
    """No moving part."""

    def __init__(self, terminal: Terminal) -> None:
        self.tell = terminal.tell

    def showing(self) -> AbstractContextManager[object]:
        return nullcontext()

    def update(self, event: Event) -> None:
        """Lines say it all."""


class _LiveBoard:
    """A row for each step that runs: bytes, rate and time left for transfers, the time so far for everything else.

    Never longer than the terminal is wide: a row that wraps cannot be wiped away.
    """

    def __init__(self, terminal: Terminal) -> None:
        from rich.console import Console
        from rich.progress import Progress as Bars
        from rich.progress import ProgressColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.table import Column
        from rich.text import Text

        class Transfer(ProgressColumn):
            """Only where bytes move."""

            def render(self, task: Row) -> Text:
                return Text(_transferred(task, room) if task.total else "")

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

    def tell(self, line: str) -> None:
        """Above the rows, which move down."""
        from rich.text import Text

        self._bars.console.print(Text.from_ansi(self._coloured(line)), soft_wrap=True)

    def update(self, event: Event) -> None:
        match event:
            case StepStarted(step=step):
                title = f"{_name(step)}: {_WORDS[step.verb][0]}"
                self._rows[step.key] = self._bars.add_task(self._shown(title), total=None)
            case Note(step=step, text=text):
                title = f"{_name(step)}: {_WORDS[step.verb][0]}: {printable(text)}"
                self._bars.update(self._rows[step.key], description=self._shown(title))
            case Progress(step=step, done=done, total=total):
                self._bars.update(self._rows[step.key], completed=done, total=total)
            case StepDone(step=step) | StepFailed(step=step):
                self._bars.remove_task(self._rows.pop(step.key))
            case StepSkipped():
                pass
