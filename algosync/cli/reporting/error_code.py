"""The exit code of an error, and of several results."""

from __future__ import annotations

from collections.abc import Iterable

from algosync.core.error import AlgosyncError, ApplyIncomplete, LockHeld, PlanRefused, Several, Stale, UsageError

__all__ = ["USAGE", "error_code", "worst"]

USAGE = 64
_WORST_FIRST = (4, 1, 5, 6, USAGE, 3, 2, 0)


def error_code(error: AlgosyncError) -> int:
    match error:
        case Several() if error.errors:
            return worst(map(error_code, error.errors))
        case UsageError():
            return USAGE
        case PlanRefused():
            return 5
        case LockHeld() | Stale():
            return 6
        case ApplyIncomplete():
            return 4
        case _:
            return 1


def worst(codes: Iterable[int]) -> int:
    """The exit code of several results, each with its own code. 0: there are none."""
    return min(codes, key=_WORST_FIRST.index, default=0)
