"""What a bug looks like to a user: one line that owns up to it."""

from __future__ import annotations

from algosync.core.error import AlgosyncError
from algosync.core.text import printable

__all__ = ["fault_in_algosync"]


def fault_in_algosync(error: Exception) -> AlgosyncError:
    text = printable(str(error), 300)
    return AlgosyncError(
        f"a fault in algosync itself: {type(error).__name__}: {text}", hint="ALGOSYNC_DEBUG=1 shows where; please report it"
    )
