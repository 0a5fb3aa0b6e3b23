"""Outline: what every format shows of a subject, as plain texts. A format only arranges and escapes them.

All texts are printable, on one line, cut to a length, and without secrets. Words of algosync are never taken for secrets.
"""

from __future__ import annotations

from enum import Enum

from algosync.core.lean import dataclass
from algosync.core.testing.timing import Timing

__all__ = ["Block", "Count", "Ending", "Entry", "Outline", "OutlineCall", "OutlineRun", "OutlineSection"]


class Ending(Enum):
    """How something ended. `FAILED`: what was tested or compared is not as it should be. `ERROR`: something could not be done.

    `NONE`: nothing has been done yet.
    """

    NONE = "planned"
    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class OutlineCall:
    """One call of a test. `lines`: payload, answer, differences, and what the algorithm printed."""

    name: str
    ending: Ending
    seconds: float
    message: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource or test, or the error that ended a command, whose `algorithm` is the workflow.

    `symbol`: one character, or none. `sentence`: what is or was done to it, or how it differs.
    `rows`: a symbol and a line for each value. `facts`: names and values, such as the version that was called.
    `slices`: those of a gate, whose names come from outside and stay as they are.
    `lines`: why it failed. `calls`: the calls of a test over a file of cases; `calls_left_out` more are not listed.
    """

    address: str
    algorithm: str
    symbol: str
    sentence: str
    ending: Ending = Ending.NONE
    rows: tuple[tuple[str, str], ...] = ()
    seconds: float | None = None
    facts: tuple[tuple[str, str], ...] = ()
    slices: tuple[tuple[str, str], ...] = ()
    lines: tuple[str, ...] = ()
    printed: tuple[str, ...] = ()
    calls: tuple[OutlineCall, ...] = ()
    calls_left_out: int = 0
    timing: Timing | None = None

    @property
    def message(self) -> str:
        """Why it failed, in one line. Empty: it did not."""
        return self.lines[0] if self.lines else ""


@dataclass(frozen=True, slots=True)
class OutlineSection:
    """Entries of one sort, such as the tests. `name` is one word.

    `told_by_rows`: why an entry is bad is in its rows, too.
    """

    name: str
    heading: str
    entries: tuple[Entry, ...]
    told_by_rows: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that belong together, such as the diff of a source. `is_diff`: their first characters are `+`, `-` or others."""

    heading: str
    lines: tuple[str, ...]
    is_diff: bool = False


@dataclass(frozen=True, slots=True)
class Count:
    """A number for numbers: `of` what (`changes`, `findings`, `tests`, …), and of which sort."""

    of: str
    sort: str
    number: int


@dataclass(frozen=True, slots=True)
class OutlineRun:
    """A command that ran before. `at`: when it began, in UTC. Counts are None if the command does not have them."""

    at: str
    command: str
    ending: Ending
    exit_code: int
    seconds: float
    findings: int | None = None
    failed_tests: int | None = None


@dataclass(frozen=True, slots=True)
class Outline:
    """`title`: the kind of report. `verdict`: the result in one sentence. `good`: nobody has to do anything.

    `facts`: workflow, clusters, owner, time and exit code, with their names. `time`: ISO 8601 in UTC.
    `reason`: the error that ended the command; empty: none did. `parts`: the outlines of several workflows, the worst first. The
    sections then are a list of the workflows, and one for the findings of each. `history`: the last commands, the oldest first,
    with `runs_left_out` older ones.
    """

    title: str
    verdict: str
    good: bool
    facts: tuple[tuple[str, str], ...]
    counts: tuple[Count, ...] = ()
    notes: tuple[str, ...] = ()
    sections: tuple[OutlineSection, ...] = ()
    blocks: tuple[Block, ...] = ()
    reason: str = ""
    workflow: str = ""
    destination: str = ""
    time: str = ""
    exit_code: int | None = None
    seconds: float | None = None
    parts: tuple[Outline, ...] = ()
    history: tuple[OutlineRun, ...] = ()
    runs_left_out: int = 0

    @property
    def entries(self) -> tuple[Entry, ...]:
        return tuple(entry for section in self.sections for entry in section.entries)
