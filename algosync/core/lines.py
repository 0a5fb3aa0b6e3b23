"""How many lines a change adds and removes, as `git diff --numstat` counts them."""

from __future__ import annotations

import re
from collections import Counter

__all__ = ["count_lines"]

_BINARY_PREFIX = 8000  # bytes; git looks for a NUL no further than this
_EFFORT = 2000  # edits; the search takes the square of it at worst, so a second or two


def count_lines(before: bytes, after: bytes) -> tuple[int, int] | None:
    """Lines (added, removed) between two contents; None where one of them is binary.

    The counts are those of a shortest edit script. Where two contents share most lines in so different an order that
    finding it would take too long, they are those of the lines as a multiset: never more than the shortest script has.
    """
    if b"\0" in before[:_BINARY_PREFIX] or b"\0" in after[:_BINARY_PREFIX]:
        return None
    old, new = _trim(_lines(before), _lines(after))
    shared = set(old) & set(new)
    kept_old = [line for line in old if line in shared]
    kept_new = [line for line in new if line in shared]
    common = _common(kept_old, kept_new)
    return len(new) - common, len(old) - common


def _lines(data: bytes) -> list[bytes]:
    """Lines end with `\\n` alone; the last may lack it and then differs from one that has it."""
    return re.findall(rb"[^\n]*\n|[^\n]+", data)


def _trim(old: list[bytes], new: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Both without their common beginning and end: they belong to some shortest edit script as they are."""
    start, shorter = 0, min(len(old), len(new))
    while start < shorter and old[start] == new[start]:
        start += 1
    end = 0
    while end < shorter - start and old[-1 - end] == new[-1 - end]:
        end += 1
    return old[start : len(old) - end], new[start : len(new) - end]


def _common(old: list[bytes], new: list[bytes]) -> int:
    """The length of a longest common subsequence, by Myers' greedy search for the number of edits.

    `reach[k]` is how far into `old` so many edits get on diagonal k, which is the place in `old` less the place in `new`.
    """
    total = len(old) + len(new)
    reach = {1: 0}
    for edits in range(min(total, _EFFORT) + 1):
        for k in range(-edits, edits + 1, 2):
            down = k == -edits or (k != edits and reach[k - 1] < reach[k + 1])
            x = reach[k + 1] if down else reach[k - 1] + 1
            while x < len(old) and 0 <= x - k < len(new) and old[x] == new[x - k]:
                x += 1
            reach[k] = x
            if x >= len(old) and x - k >= len(new):
                return (total - edits) // 2
    return (Counter(old) & Counter(new)).total()
