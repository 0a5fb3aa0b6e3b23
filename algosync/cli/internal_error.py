"""The message for a bug in algosync."""

from __future__ import annotations

from algosync.core.error import AlgosyncError
from algosync.core.text import printable

__all__ = ["internal_error"]


def internal_error(error: Exception) -> AlgosyncError:
    """One line for the user: the error is a fault of algosync, and how to report it."""
    text = printable(str(error), 300)
    return AlgosyncError(
        f"a fault in algosync itself: {type(error).__name__}: {text}",
        hint="set ALGOSYNC_DEBUG=1 to see where it happened; please report it",
    )
