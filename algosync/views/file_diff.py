"""Diffs of sources as text and as members of a document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from algosync.core.planning.file_diff import FileDiff
from algosync.core.redaction import Redactor, Word
from algosync.core.resource import Json
from algosync.core.text import paint, plural, printable
from algosync.views.value import redacted_address

__all__ = ["diff_documents", "diff_lines"]

_LONGEST = 400  # characters of a line
_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def diff_lines(diffs: Iterable[FileDiff], redactor: Redactor) -> Iterator[str]:
    """The diffs by source and file, with control characters made visible."""
    for address, files in groupby(diffs, lambda diff: diff.address):
        yield ""
        yield paint(f"Differences of {printable(redacted_address(address, redactor.redact))}", "bold")
        for diff in files:
            path = printable(redactor.redact(diff.path))
            yield ""
            yield "--- /dev/null" if diff.action == "create" else f"--- a/{path}"
            yield "+++ /dev/null" if diff.action == "delete" else f"+++ b/{path}"
            yield from (_painted(printable(redactor.redact(line), _LONGEST)) for line in diff.lines)
            if diff.left_out:
                yield f"({plural(diff.left_out, 'more line')})" if diff.lines else f"({plural(diff.left_out, 'line')} not shown)"
            if diff.note:
                yield f"({diff.note})"


def diff_documents(diffs: Iterable[FileDiff], redactor: Redactor) -> list[Json]:
    return [
        {
            "address": Word(redacted_address(diff.address, redactor.redact)),
            "path": diff.path,
            "action": Word(diff.action),
            "lines": list(diff.lines),
            "left_out": diff.left_out,
            "note": Word(diff.note) if diff.note else None,
        }
        for diff in diffs
    ]


def _painted(line: str) -> str:
    colour = _COLOURS.get(line[:1])
    return paint(line, colour) if colour else line
