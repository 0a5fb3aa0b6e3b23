"""The part of a context that tests need: what judges answers, what reads cases, and what calls at the same time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from algosync.cli.terminal import Terminal
    from algosync.kinds import Context

__all__ = ["testing_context"]


def testing_context(context: Context, terminal: Terminal) -> Context:
    """The context of a command that runs tests."""
    from algosync.engine.streaming import concurrently

    return replace(context, holds=terminal.holds, concurrently=concurrently)
