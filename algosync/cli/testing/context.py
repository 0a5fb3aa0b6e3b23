"""The part of a context that tests need: what judges answers, what reads cases, and what calls at the same time."""

from __future__ import annotations

from dataclasses import field, replace
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from algosync.core.lean import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import ExitStack

    from algosync.answers import Judge
    from algosync.cli.terminal import Terminal
    from algosync.cli.testing.accepting import Accepting
    from algosync.core.planning.plan import Plan
    from algosync.core.testing.answer import Answer, Mismatch
    from algosync.core.testing.case import Case, Expectation, TestCase
    from algosync.core.testing.gate import LabelledCase
    from algosync.core.testing.timing import Timing
    from algosync.core.workflow import Workflow
    from algosync.kinds import Context
    from algosync.workflow.testing.named_files import NamedFiles

__all__ = ["accepting_answers", "cases_of", "require_extras", "testing_context", "with_answers"]

_SHOWN = 8000  # characters of an answer that `--show-answers` gets to see; more of them are cut


def testing_context(context: Context, files: NamedFiles, terminal: Terminal, stack: ExitStack) -> Context:
    """The context of a command that runs tests. `files`: those that the tests name. `stack`: ends the process that judges."""
    from algosync.engine.streaming import concurrently

    judge = _LateJudge(terminal, stack)
    return replace(
        context,
        holds=terminal.holds,
        judge=judge.judge,
        cases=partial(cases_of, files),
        accepted_timing=_accepted_timing,
        concurrently=concurrently,
    )


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


def require_extras(plan: Plan) -> None:
    """UsageError: a gate of the plan needs a library that is not installed. Nothing is imported."""
    from importlib.util import find_spec

    from algosync.core.extra import missing_extra

    metrics = (check.case.gate.metric for check in plan.checks if check.case.gate)
    needed = next((metric for metric in metrics if metric != "exact"), None)
    if needed and find_spec("sklearn") is None:
        raise missing_extra("metrics", f"the metric {needed} of a gate", "scikit-learn")


def cases_of(files: NamedFiles, test: TestCase, algorithm: str) -> Iterable[TestCase]:
    """The cases of a test, read one by one. SourceError: their file cannot be read, or has changed."""
    from algosync.kinds.context import only_case
    from algosync.workflow.cases import open_cases

    if test.cases is None:
        return only_case(test, algorithm)
    cases = open_cases(test.cases, files, algorithm, test.expect)
    if (gate := test.gate) is not None:
        return (_labelled(case, gate.by, test.timeout) for case in cases)
    return (replace(test, name=_name(case), payload=case.payload, expect=case.expect, cases=None) for case in cases)


def _labelled(case: Case, by: str | None, timeout: int) -> LabelledCase:
    from algosync.core.testing.gate import LabelledCase

    return LabelledCase(_name(case), case.payload, timeout, case.expect, part=case.attributes[by] if by is not None else None)


def _name(case: Case) -> str:
    """The reader of cases names one without a name by the number of its line, such as `#4`."""
    return f"line {case.line}" if case.name == f"#{case.line}" else case.name


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
