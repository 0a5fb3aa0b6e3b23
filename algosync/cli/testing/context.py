"""The part of a context that tests need: what judges answers, what reads cases, and what calls at the same time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import ExitStack

    from algosync.answers import Judge
    from algosync.cli.terminal import Terminal
    from algosync.cli.testing.accepting import Accepting
    from algosync.core.testing.answer import Answer, Mismatch
    from algosync.core.testing.case import Expectation
    from algosync.core.testing.timing import Timing
    from algosync.core.workflow import Workflow
    from algosync.kinds import Context

__all__ = ["accepting_answers", "testing_context", "with_answers"]

_SHOWN = 8000  # characters of an answer that `--show-answers` gets to see; more of them are cut


def testing_context(context: Context, terminal: Terminal, stack: ExitStack) -> Context:
    """The context of a command that runs tests. `stack`: ends the process that judges answers."""
    from algosync.engine.streaming import concurrently

    judge = _LateJudge(terminal, stack)
    return replace(context, holds=terminal.holds, judge=judge.judge, accepted_timing=_accepted_timing, concurrently=concurrently)


@dataclass(slots=True)
class _LateJudge:
    """A judge that is loaded with the first answer: most commands judge none, and should start fast."""

    terminal: Terminal
    stack: ExitStack
    _lock: Lock = field(default_factory=Lock)
    _judge: Judge | None = None

    def judge(self, expect: Expectation, answer: Answer) -> tuple[Mismatch, ...]:
        with self._lock:
            if self._judge is None:
                from algosync.answers import Judge

                self._judge = self.stack.enter_context(Judge(self.terminal.redact))
        return self._judge.judge(expect, answer)


def _accepted_timing(text: str) -> Timing | None:
    from algosync.answers import NotBaseline, read_baseline

    try:
        return read_baseline(text).timing
    except NotBaseline:  # the judge reports it
        return None


def with_answers(context: Context) -> Context:
    """The context of a command that shows every answer."""
    return replace(context, answer_limit=_SHOWN)


def accepting_answers(context: Context, workflow: Workflow, terminal: Terminal) -> tuple[Context, Accepting]:
    """The context of a command that accepts answers, and what collects them. Nothing is compared with the baselines as they are."""
    from algosync.answers import accepted
    from algosync.cli.testing.accepting import Accepting, without_baseline

    accepting = Accepting(Path(workflow.folder), context.judge, accepted, terminal.holds)
    return replace(context, answer_limit=None, judge=without_baseline(context.judge), accepted_timing=lambda _: None), accepting
