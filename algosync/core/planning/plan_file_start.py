"""How the file of a saved plan starts. Commands that read a workflow file tell a plan by it, and need nothing else of the codec."""

from __future__ import annotations

__all__ = ["MAGIC", "is_plan"]

MAGIC = b"algosync saved plan, format "


def is_plan(start: bytes) -> bool:
    """Whether a file that starts with these bytes is a saved plan, of any format. They are at least as many as those of MAGIC."""
    return start.startswith(MAGIC)
