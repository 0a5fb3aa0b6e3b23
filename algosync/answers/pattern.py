"""Pattern: a regular expression of the workflow, found anywhere in a text; and patterns that took too long.

A regular expression, a JSONPath or a schema that took too long in this run is not tried again.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import field
from typing import TypeAlias

from algosync.core.lean import dataclass
from algosync.core.testing.case import Expectation

__all__ = ["COMPARING", "CostlyPatterns", "is_literal", "pattern_fault"]

COMPARING = "ignore"
"""Stands for the comparison of two answers, which only the paths in `ignore` can make costly, apart from the answers."""

_SMALL = 4096  # characters; a check that takes quadratic time is done with them in milliseconds
_Key: TypeAlias = tuple[str, object]
_IGNORING = frozenset({"equals", "contains", "baseline", COMPARING})
_WITH_PATTERNS = ("error", "equals", "contains", "match", "schema", "baseline", "printed", "not_printed")
"""In the order in which they are judged."""
_REGEX = '"matches"'  # the condition that has a regular expression
_SPECIAL = re.compile(r"[\\.^$*+?{}\[\]|()]")


def pattern_fault(pattern: str) -> str:
    """Why it cannot be read, or empty. Python's warnings about future meanings are no faults, and are not shown."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        return str(error) or "it is nested too deep"
    return ""


def is_literal(pattern: str) -> bool:
    """Whether it has no special character, so that finding it takes linear time."""
    return not _SPECIAL.search(pattern)


@dataclass(frozen=True, slots=True)
class CostlyPatterns:
    """The patterns with the size of the smallest answer for which they took too long. A small answer is not to blame, so its
    pattern is refused for every answer; otherwise it is refused for answers that are as large.
    """

    _sizes: dict[_Key, int] = field(default_factory=dict)

    def add(self, name: str, place: int, expect: Expectation, size: int) -> None:
        """`name` and `place`: of the expectation that took too long, and of the item in it. An expectation without a pattern is
        not added: the answer alone made it costly.
        """
        items = [key for key, *_ in _keys(name, expect)]
        if place < len(items):
            key = items[place]
            self._sizes[key] = min(size if size > _SMALL else 0, self._sizes.get(key, size))

    def refused(self, expect: Expectation, size: int, *, comparing: bool = False) -> str:
        """The name of the first expectation that has such a pattern. Empty: none has."""
        if not self._sizes:
            return ""
        names = (COMPARING,) if comparing else tuple(n for n in _WITH_PATTERNS if getattr(expect, n) not in (None, ()))
        return next((n for n in names if any(self._holds(key, size) for keys in _keys(n, expect) for key in keys)), "")

    def _holds(self, key: _Key, size: int) -> bool:
        return self._sizes.get(key, size + 1) <= size


def _keys(name: str, expect: Expectation) -> Iterator[tuple[_Key, ...]]:
    """For each pattern of an expectation its keys. Under the first one it is added."""
    match name:
        case "match":
            for path, wanted in expect.match:
                keys: tuple[_Key, ...] = (("path", path), ("match", (path, wanted)))
                yield keys[::-1] if _REGEX in wanted else keys
        case "printed" | "not_printed":
            yield from (((("regex", pattern)),) for pattern in getattr(expect, name))
        case "error":
            yield (("regex", expect.error),)
        case "schema":
            yield (("schema", expect.schema),)
        case _ if name in _IGNORING and expect.ignore:
            yield (("ignore", expect.ignore),)
        case _:
            pass
