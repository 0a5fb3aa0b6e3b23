"""The exit code of an error."""

from __future__ import annotations

from algosync.core.error import AlgosyncError, ApplyIncomplete, LockHeld, PlanRefused, Several, Stale, UsageError

__all__ = ["USAGE", "error_code"]

USAGE = 64
_WORST_FIRST = (4, 1, 5, 6, USAGE)  # of several errors, the first of these is the exit code


def error_code(error: AlgosyncError) -> int:
    match error:
        case Several() if error.errors:
            return min(map(error_code, error.errors), key=_WORST_FIRST.index)
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
