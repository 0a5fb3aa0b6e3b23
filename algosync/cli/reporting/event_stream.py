"""Event stream: the events of a run as JSON Lines, written as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, TextIO

from algosync.core.event import CaseDone, Event, Note, Progress
from algosync.core.lean import dataclass
from algosync.core.text import printable

if TYPE_CHECKING:
    from algosync.cli.terminal import Terminal
    from algosync.views.subject import Subject

__all__ = ["EventStream"]

_PARTS = 10  # lines of one transfer


@dataclass(slots=True)
class EventStream:
    """Lines for the places of the format `jsonl`. A place that cannot be written is told once, in `terminal.lost`.

    Events are coalesced: a transfer has a line for each tenth, the same note of a step only one, and of the calls of a test each
    that fails, and the 1st, 2nd, 4th, 8th, … of the others.
    """

    places: tuple[str, ...]
    terminal: Terminal
    _files: dict[str, TextIO] = field(default_factory=dict)
    _parts: dict[str, int] = field(default_factory=dict)
    _notes: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, places: Mapping[str, str], terminal: Terminal) -> EventStream:
        return cls(tuple(place for place, name in places.items() if name == "jsonl"), terminal)

    def begin(self, subject: Subject) -> None:
        """The first line. Files are emptied before."""
        from algosync.views.formats.event_line import start_line

        for place in self.places:
            self.terminal.reported.append(place)
            if place != "-":
                self._attempt(place, partial(self._open, place))
        self._write(self.terminal.viewed(start_line, subject) if self.places else "")

    def watching(self, events: Iterable[Event]) -> Iterator[Event]:
        """Yields the events, and writes the line of each before."""
        for event in events:
            if self.places and self._is_new(event):
                self._write(self._line(event))
            yield event

    def end(self, subject: Subject) -> None:
        """The last line: the result."""
        from algosync.views.formats.event_line import end_line
        from algosync.views.formats.outlining import outline_of

        if self.places:
            self._write(self.terminal.viewed(lambda each, redactor: end_line(outline_of(each, redactor)), subject))
        for place, file in self._files.items():
            self._attempt(place, file.close)

    def _is_new(self, event: Event) -> bool:
        match event:
            case Progress(step=step, done=done, total=total):
                part = _PARTS * done // total if total else _PARTS
                before, self._parts[step.key] = self._parts.get(step.key, -1), part
                return part != before
            case Note(step=step, text=text):
                before_text, self._notes[step.key] = self._notes.get(step.key), text
                return text != before_text
            case CaseDone(result=result):
                return not result.passed or result.number & (result.number - 1) == 0
            case _:
                return True

    def _line(self, event: Event) -> str:
        from algosync.views.formats.event_line import event_line_json

        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        return self.terminal.viewed(lambda each, redactor: event_line_json(each, now, redactor), event)

    def _write(self, text: str) -> None:
        for place in self.places:
            if place == "-":
                self.terminal.machine(text)
            elif file := self._files.get(place):
                self._attempt(place, partial(_append, file, text))

    def _open(self, place: str) -> None:
        self._files[place] = open(place, "w", encoding="ascii", newline="\n")  # noqa: SIM115  # open until the run ends

    def _attempt(self, place: str, write: Callable[[], object]) -> None:
        try:
            write()
        except OSError as error:
            self._files.pop(place, None)
            self.terminal.lost.append(f"--report {printable(f'jsonl:{place}')}: {error.strerror or error}")


def _append(file: TextIO, text: str) -> None:
    file.write(text)
    file.flush()
