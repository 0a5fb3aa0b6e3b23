"""Count the lines that a change adds and removes, as `git diff --numstat` does."""

from __future__ import annotations

import re
from collections import Counter

__all__ = ["count_lines", "is_binary"]

_BINARY_PREFIX = 8000  # bytes; git looks for a NUL in this prefix only
_MAX_EDITS = 2000  # edits; the search is quadratic in this number, so it takes a second or two at most


def is_binary(data: bytes) -> bool:
    return b"\0" in data[:_BINARY_PREFIX]


def count_lines(before: bytes, after: bytes) -> tuple[int, int] | None:
    """Return the number of lines (added, removed) between two contents, or None if either is binary.

    The counts are those of a shortest edit script. If finding one would take too long (two contents with most lines in common, in a
    very different order), the lines are compared as multisets. The counts are then never higher than those of the shortest script.
    """
    if is_binary(before) or is_binary(after):
        return None
    old, new = _trim(_lines(before), _lines(after))
    shared = set(old) & set(new)
    kept_old = [line for line in old if line in shared]
    kept_new = [line for line in new if line in shared]
    common = _common_length(kept_old, kept_new)
    return len(new) - common, len(old) - common


def _lines(data: bytes) -> list[bytes]:
    r"""Split at `\\n` only. A last line without `\\n` differs from the same line with it."""
    return re.findall(rb"[^\n]*\n|[^\n]+", data)


def _trim(old: list[bytes], new: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Drop the common beginning and end of both. Some shortest edit script keeps them unchanged."""
    start, shorter = 0, min(len(old), len(new))
    while start < shorter and old[start] == new[start]:
        start += 1
    end = 0
    while end < shorter - start and old[-1 - end] == new[-1 - end]:
        end += 1
    return old[start : len(old) - end], new[start : len(new) - end]


def _common_length(old: list[bytes], new: list[bytes]) -> int:
    """Return the length of a longest common subsequence, found with Myers' greedy algorithm.

    `reach[k]` is the furthest index in `old` that the current number of edits reaches on diagonal k (index in `old` minus index in
    `new`).
    """
    total = len(old) + len(new)
    reach = {1: 0}
    for edits in range(min(total, _MAX_EDITS) + 1):
        for k in range(-edits, edits + 1, 2):
            down = k == -edits or (k != edits and reach[k - 1] < reach[k + 1])
            x = reach[k + 1] if down else reach[k - 1] + 1
            while x < len(old) and 0 <= x - k < len(new) and old[x] == new[x - k]:
                x += 1
            reach[k] = x
            if x >= len(old) and x - k >= len(new):
                return (total - edits) // 2
    return (Counter(old) & Counter(new)).total()
