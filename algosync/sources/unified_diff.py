"""Unified diffs of the files of two trees. The output is bounded by lines, the work by comparisons of lines, never by time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from difflib import SequenceMatcher
from itertools import accumulate

from algosync.core.address import Address
from algosync.core.lean import dataclass
from algosync.core.planning.file_diff import FileDiff
from algosync.core.text import plural, size
from algosync.core.tree import Blob, Tree, git_mode
from algosync.sources.line_counts import is_binary

__all__ = ["DiffLimits", "Differ"]

_CONTEXT = 3  # lines around a change
_NO_NEWLINE = "\\ No newline at end of file"


@dataclass(frozen=True, slots=True)
class DiffLimits:
    """The bounds of the diffs of one command. A larger file (in bytes), or one that takes more comparisons, is not shown."""

    lines_of_file: int = 200
    lines: int = 2000
    comparisons_of_file: int = 1_000_000
    comparisons: int = 10_000_000
    largest_file: int = 1 << 20


@dataclass(slots=True)
class Differ:
    """Makes the diffs of one command. `redact`: hides secrets; it gets whole files, because a secret may have several lines."""

    redact: Callable[[str], str]
    limits: DiffLimits = field(default_factory=DiffLimits)
    shown: int = 0
    compared: int = 0

    def diffs(self, address: Address, before: Tree, after: Tree) -> Iterator[FileDiff]:
        """The diff of each path that differs, sorted by path."""
        for path in sorted(before.keys() | after.keys()):
            old, new = before.get(path), after.get(path)
            if old != new:
                yield self._diff(address, path, old, new)

    def _diff(self, address: Address, path: str, old: Blob | None, new: Blob | None) -> FileDiff:
        found = FileDiff(address, path, "create" if old is None else "update" if new else "delete")
        modes = f"mode {git_mode(old)} -> {git_mode(new)}" if old and new and git_mode(old) != git_mode(new) else ""
        data = (old.data if old else b"", new.data if new else b"")
        if any(map(is_binary, data)):
            return replace(found, note=f"Binary files differ: {self._contents(old, new)}")
        if max(map(len, data)) > self.limits.largest_file:
            return replace(found, note=f"too large to be compared line by line: {self._contents(old, new)}")
        lines = tuple(self._lines(each) for each in data)
        if lines[0] == lines[1]:
            hidden = "" if data[0] == data[1] else "only values that are hidden differ"
            return replace(found, note=modes or hidden or "an empty file")
        hunks = self._hunks(*lines)
        if hunks is None:
            counts = " -> ".join(plural(len(each), "line") for each in lines)
            return replace(found, note=f"too different to be compared line by line: {counts}")
        kept = hunks[: max(min(self.limits.lines_of_file, self.limits.lines - self.shown), 0)]
        self.shown += len(kept)
        return replace(found, lines=tuple(kept), left_out=len(hunks) - len(kept), note=modes)

    def _lines(self, data: bytes) -> list[str]:
        """The lines with their ends. A byte that is not UTF-8 is shown as an escape."""
        lines = [f"{line}\n" for line in self.redact(data.decode("utf-8", "backslashreplace")).split("\n")]
        last = lines.pop()[:-1]
        return [*lines, last] if last else lines

    def _hunks(self, old: Sequence[str], new: Sequence[str]) -> list[str] | None:
        """The hunks of a unified diff. None: they take too many comparisons."""
        limit = min(self.limits.comparisons_of_file, self.limits.comparisons - self.compared)
        matcher = _CountingMatcher(old, new, limit)
        try:
            groups = list(matcher.get_grouped_opcodes(_CONTEXT))
        except _TooManyError:
            return None
        finally:
            self.compared += matcher.compared
        return [line for group in groups for line in _hunk(group, old, new)]

    def _contents(self, old: Blob | None, new: Blob | None) -> str:
        return " -> ".join("nothing" if blob is None else self._content(blob.data) for blob in (old, new))

    def _content(self, data: bytes) -> str:
        """Size and SHA-256. The digest of a small content with a secret is hidden, because it can be guessed."""
        text = data.decode("latin-1") if len(data) <= self.limits.largest_file else ""
        digest = hashlib.sha256(data).hexdigest() if self.redact(text) == text else "***"
        return f"{size(len(data))} (SHA-256 {digest})"


class _TooManyError(Exception):
    """The search for equal lines takes more comparisons than allowed."""


class _CountingMatcher(SequenceMatcher[str]):
    """A SequenceMatcher that counts the comparisons of each search before it begins, and ends if they are too many."""

    def __init__(self, old: Sequence[str], new: Sequence[str], limit: int) -> None:
        super().__init__(None, old, new)
        places: Mapping[str, Sequence[int]] = vars(self)["b2j"]  # the places of each line in `new`, without the popular lines
        self._before = [0, *accumulate(1 + len(places.get(line, ())) for line in old)]
        self._limit = limit
        self.compared = 0

    def find_longest_match(self, alo: int = 0, ahi: int | None = None, blo: int = 0, bhi: int | None = None) -> object:  # type: ignore[override]  # the same result
        end = len(self._before) - 1 if ahi is None else ahi
        cost = self._before[end] - self._before[alo]
        if self.compared + cost > self._limit:
            raise _TooManyError
        self.compared += cost
        return super().find_longest_match(alo, ahi, blo, bhi)


def _hunk(group: Sequence[tuple[str, int, int, int, int]], old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    yield f"@@ -{_range(group[0][1], group[-1][2])} +{_range(group[0][3], group[-1][4])} @@"
    for tag, old_from, old_to, new_from, new_to in group:
        if tag == "equal":
            yield from _marked(" ", old[old_from:old_to])
        else:
            yield from _marked("-", old[old_from:old_to])
            yield from _marked("+", new[new_from:new_to])


def _marked(mark: str, lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        yield mark + line.removesuffix("\n")
        if not line.endswith("\n"):
            yield _NO_NEWLINE


def _range(start: int, end: int) -> str:
    """The range of lines in the head of a hunk: an empty one names the line before it."""
    length = end - start
    first = start + 1 if length else start
    return f"{first}" if length == 1 else f"{first},{length}"
