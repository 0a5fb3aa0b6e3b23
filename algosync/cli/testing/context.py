"""The part of a context that tests need: what judges answers, what reads cases, and what calls at the same time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from algosync.cli.terminal import Terminal
    from algosync.cli.testing.accepting import Accepting
    from algosync.core.workflow import Workflow
    from algosync.kinds import Context

__all__ = ["accepting_answers", "testing_context", "with_answers"]

_SHOWN = 8000  # characters of an answer that `--show-answers` gets to see; more of them are cut


def testing_context(context: Context, terminal: Terminal) -> Context:
    """The context of a command that runs tests."""
    from algosync.engine.streaming import concurrently

    return replace(context, holds=terminal.holds, concurrently=concurrently)


def with_answers(context: Context) -> Context:
    """The context of a command that shows every answer."""
    return replace(context, answer_limit=_SHOWN)


def accepting_answers(context: Context, workflow: Workflow, terminal: Terminal) -> tuple[Context, Accepting]:
    """The context of a command that accepts answers, and what collects them. Nothing is compared with the baselines as they are."""
    from algosync.cli.testing.accepting import Accepting, accepted, without_baseline

    accepting = Accepting(Path(workflow.folder), context.judge, accepted, terminal.holds)
    return replace(context, answer_limit=None, judge=without_baseline(context.judge), accepted_timing=lambda _: None), accepting
