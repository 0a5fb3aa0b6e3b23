"""An apply as it happens: lines, and on a terminal a moving part below them — bars for transfers, spinners for builds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Protocol

from algosync.core.event import Event, Note, Progress, StepDone, StepFailed, StepSkipped, StepStarted
from algosync.core.schedule import Step, Verb
from algosync.core.text import duration, printable, size
from algosync.views.terminal import Terminal

if TYPE_CHECKING:
    from rich.progress import TaskID

__all__ = ["reading", "watch"]

_BAR = 20  # columns
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

    return Console(file=terminal.err, highlight=False).status(f"Reading {what}...", spinner="line")


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
    """A row for each step that runs: bytes, rate and time left for transfers, the time so far for everything else."""

    def __init__(self, terminal: Terminal) -> None:
        from rich.console import Console
        from rich.progress import Progress as Bars
        from rich.progress import ProgressColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Task as Row
        from rich.text import Text

        class Transfer(ProgressColumn):
            """Only where bytes move: how many, how fast, how long still."""

            def render(self, task: Row) -> Text:
                if not task.total:
                    return Text()
                filled = round(_BAR * task.completed / task.total)
                rate = f" {size(round(task.speed))}/s" if task.speed else ""
                left = f" {duration(task.time_remaining)} left" if task.time_remaining else ""
                bar = "█" * filled + "░" * (_BAR - filled)
                return Text(f"{bar} {size(round(task.completed))} of {size(round(task.total))}{rate}{left}")

        console = Console(file=terminal.err, highlight=False, no_color=not terminal.coloured[1])
        self._redact = terminal.redact
        self._rows: dict[str, TaskID] = {}
        self._bars = Bars(
            SpinnerColumn("line"),
            TextColumn("{task.description}", markup=False),
            Transfer(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )

    def showing(self) -> AbstractContextManager[object]:
        return self._bars

    def tell(self, line: str) -> None:
        """Above the rows, which move down."""
        from rich.text import Text

        self._bars.console.print(Text.from_ansi(self._redact(line)), soft_wrap=True)

    def update(self, event: Event) -> None:
        match event:
            case StepStarted(step=step):
                title = f"{_name(step)}: {_WORDS[step.verb][0]}"
                self._rows[step.key] = self._bars.add_task(self._redact(title), total=None)
            case Note(step=step, text=text):
                title = f"{_name(step)}: {_WORDS[step.verb][0]}: {printable(text)}"
                self._bars.update(self._rows[step.key], description=self._redact(title))
            case Progress(step=step, done=done, total=total):
                self._bars.update(self._rows[step.key], completed=done, total=total)
            case StepDone(step=step) | StepFailed(step=step):
                self._bars.remove_task(self._rows.pop(step.key))
            case StepSkipped():
                pass
