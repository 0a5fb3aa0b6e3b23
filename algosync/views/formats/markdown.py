"""The format `markdown`: fits a comment on a pull request. Details are folded, and what has no room is counted.

Texts of others stand in code only, where Markdown has no meaning, no name is mentioned and no image is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from algosync.core.lean import dataclass
from algosync.core.redaction import Redactor
from algosync.core.text import duration, harmless, plural
from algosync.views.formats.outline import Block, Ending, Entry, Outline, OutlineSection
from algosync.views.formats.outlining import outline_of
from algosync.views.formats.shown import short
from algosync.views.subject import Subject

__all__ = ["LIMIT", "view", "within"]

LIMIT = 65_000
"""Characters. GitHub takes 65,536."""
_RESERVED = 1_000  # for the lines that say what was left out, and for ends of blocks
_SHORT = 1_500  # a limit below which there is only room for the head
_NOTES, _LONGEST_NOTE = 20, 400
_LONGEST_LINE = 400
_ROWS = 12  # of one workflow in the list of several: its file may have a thousand faults
_LONGEST_PART = 8_000  # characters for one of several workflows
_SYMBOLS = {"~": "!"}  # GitHub has a colour for `!` in a diff
_LINES = {"at_least": "at least", "at_most": "at most", "no_worse_than_published": "no worse than published by"}
_MARKS = {
    Ending.PASSED: "✅",
    Ending.FAILED: "❌",
    Ending.ERROR: "❌",
    Ending.SKIPPED: "⏭️",
    Ending.NONE: "▫️",
}


def view(subject: Subject, redactor: Redactor) -> str:
    return within(subject, redactor, LIMIT)


def within(subject: Subject, redactor: Redactor, limit: int) -> str:
    """Text of at most `limit` characters, which says what was left out. With little room it has only a part of the head."""
    outline = outline_of(subject, redactor)
    reserved = min(_RESERVED, limit // 3)
    head = _cut([*_head(outline)], limit - reserved)
    if limit < _SHORT:
        return f"{head}*Details are left out: there is no room.*\n"[:limit] if outline.entries else head
    room = limit - reserved - len(head)
    parts = []
    for part in _parts(outline):
        text = part.text(room)
        parts.append(text)
        room -= len(text)
    return head + "".join(parts)


def _cut(lines: Sequence[str], room: int) -> str:
    """Whole lines, because Markdown in a part of a line may not end."""
    note = "*The rest is left out: there is no room.*"
    if _length(lines) <= room:
        return "".join(f"{line}\n" for line in lines)
    shown: list[str] = []
    for line in lines:
        if _length([*shown, line, "", note]) > room:
            break
        shown.append(line)
    return "".join(f"{line}\n" for line in (*shown, "", note)) if shown else ""


def _head(outline: Outline) -> Iterator[str]:
    mark = "✅" if outline.good else "❌"
    yield f"### {mark} algosync {outline.title.lower()}{': ' if outline.workflow else ''}{_code(outline.workflow)}"
    yield ""
    yield f"**{outline.verdict}**"
    yield ""
    if outline.reason:
        yield from (_code(short(outline.reason, _LONGEST_NOTE)), "")
    yield from (f"- {name}: {_code(value)}" for name, value in outline.facts)
    yield ""
    if outline.notes:
        yield "Notes:"
        yield ""
        yield from (f"- {_code(short(note, _LONGEST_NOTE))}" for note in outline.notes[:_NOTES])
        if more := len(outline.notes) - _NOTES:
            yield from ([f"- and {plural(more, 'other note')}"] if more > 0 else [])
        yield ""


@dataclass(frozen=True, slots=True)
class _FoldedPart:
    """Something that is cut to the room that is left. Its pieces stay whole. `noun`: for one of them, and for several."""

    opening: Sequence[str]
    pieces: Sequence[Sequence[str]]
    closing: Sequence[str]
    noun: tuple[str, str]

    def text(self, room: int) -> str:
        lines, shown = [*self.opening], 0
        room -= _length(self.opening) + _length(self.closing) + 100
        for piece in self.pieces:
            room -= _length(piece)
            if room < 0:
                break
            lines += piece
            shown += 1
        left_out = len(self.pieces) - shown
        note = [f"*{self._counted(left_out)} left out: there is no room.*", ""] if left_out else []
        if not shown:
            return "".join(f"{line}\n" for line in note)
        return "".join(f"{line}\n" for line in (*lines, *self.closing, *note))

    def _counted(self, number: int) -> str:
        one, many = self.noun
        return f"{number:,} {one if number == 1 else many}"


def _length(lines: Iterable[str]) -> int:
    return sum(len(line) + 1 for line in lines)


def _parts(outline: Outline) -> Iterator[_FoldedPart]:
    """Failures first: the room may end before the others."""
    told = [section for section in outline.sections if not section.told_by_rows]  # the others are told in full below
    bad = [entry for section in told for entry in section.entries if entry.ending in (Ending.FAILED, Ending.ERROR)]
    if bad:
        yield _FoldedPart((f"#### {plural(len(bad), 'failure')}", ""), [*map(_failure, bad)], (), ("failure", "failures"))
    if outline.parts:
        yield from _workflows(outline)
        return
    for section in outline.sections:
        if section.name == "tests":
            yield _tests(section)
        elif section.name != "errors":  # they are told in full above
            yield _changes(section)
    for block in outline.blocks:
        yield _block(block)


def _workflows(outline: Outline) -> Iterator[_FoldedPart]:
    """A list of the workflows, and then the findings of each, cut so that one leaves room for others."""
    listed, *details = outline.sections
    yield _FoldedPart((), [*map(_workflow, listed.entries)], ("",), ("workflow", "workflows"))
    texts = [_changes(section).text(_LONGEST_PART).splitlines() for section in details]
    yield _FoldedPart((), texts, (), ("workflow's findings", "workflows' findings"))


def _workflow(entry: Entry) -> list[str]:
    rows = [f"  - {_code(short(text, _LONGEST_NOTE))}" for _, text in entry.rows[:_ROWS]]
    if more := len(entry.rows[_ROWS:]):
        rows.append(f"  - and {plural(more, 'other line')}")
    return [f"- {_MARKS[entry.ending]} {_code(entry.address)}: {entry.sentence}", *rows]


def _failure(entry: Entry) -> list[str]:
    lines = [short(line, _LONGEST_LINE) for line in entry.lines[:40]]
    return [*_folded(entry.address), *_fenced(lines or [entry.sentence], ""), *_END]


def _tests(section: OutlineSection) -> _FoldedPart:
    opening = _folded(f"{section.heading} ({len(section.entries):,})")
    return _FoldedPart([*opening, ""], [[_test(entry)] for entry in section.entries], ["", *_END], ("test", "tests"))


def _test(entry: Entry) -> str:
    facts = dict(entry.facts)
    shown = [] if entry.seconds is None else [duration(entry.seconds)]
    called = next((name for name in ("version", "commit") if name in facts), None)
    shown += [f"{called} {_code(facts[called])}"] if called else []
    if "metric" in facts:
        lines = [f"{_LINES[name]} {facts[name]}" for name in _LINES if name in facts]
        shown += [_code(facts["result"]), *lines]
    elif facts.get("calls", "1") != "1":
        shown.append(f"{facts['calls']} calls, {facts['failed_calls']} failed")
        shown += [f"{name} {float(facts[name]) * 1000:.0f} ms" for name in ("p50", "p95", "max") if name in facts]
    told = f": {', '.join(shown)}" if shown else f": {entry.sentence}" if entry.sentence else ""
    return f"- {_MARKS[entry.ending]} {_code(entry.address)}{told}"


def _changes(section: OutlineSection) -> _FoldedPart:
    """One diff block, with the symbol of each line in column 0."""
    pieces = [_diff_lines(entry) for entry in section.entries]
    fence = _fence(line for piece in pieces for line in piece)
    opening = [*_folded(f"{section.heading} ({len(section.entries):,})"), f"{fence}diff"]
    return _FoldedPart(opening, pieces, [fence, "", *_END], ("entry", "entries"))


def _diff_lines(entry: Entry) -> list[str]:
    symbol = _SYMBOLS.get(entry.symbol, entry.symbol) or " "
    rows = [f"{_SYMBOLS.get(mark, mark) or ' '}     {short(text, _LONGEST_LINE)}" for mark, text in entry.rows]
    return [f"{symbol} {entry.address} {entry.sentence}".rstrip(), *rows]


def _block(block: Block) -> _FoldedPart:
    fence = _fence(block.lines)
    opening = [*_folded(block.heading), f"{fence}{'diff' if block.is_diff else ''}"]
    pieces = [[harmless(line, coloured=False)] for line in block.lines]
    return _FoldedPart(opening, pieces, [fence, "", *_END], ("line", "lines"))


_END = ("</details>", "")


def _folded(summary: str) -> list[str]:
    """The beginning of a folded part. Its summary is in HTML, where Markdown has no meaning."""
    from html import escape

    return ["<details>", f"<summary><code>{escape(summary)}</code></summary>", ""]


def _fenced(lines: Sequence[str], language: str) -> list[str]:
    fence = _fence(lines)
    return [f"{fence}{language}", *(harmless(line, coloured=False) for line in lines), fence, ""]


def _fence(lines: Iterable[str]) -> str:
    """A fence that no line inside of it closes."""
    return "`" * max([3, *(_run(line) + 1 for line in lines)])


def _run(text: str) -> int:
    """The length of the longest run of backticks."""
    return max(map(len, re.findall("`+", text)), default=0)


def _code(text: str) -> str:
    """A text as code on one line."""
    if not text.strip():
        return ""
    ticks = "`" * (_run(text) + 1)
    pad = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"
