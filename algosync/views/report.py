"""The end of an apply as text: its tests, its failures with everything known about them, and the closing line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from algosync.core.error import Denied, StateError, TestFailed, Throttled, TimedOut, TransferError, Unreachable
from algosync.core.event import StepDone, StepFailed, StepSkipped
from algosync.core.planning.change import Action
from algosync.core.planning.plan import Plan
from algosync.core.planning.schedule import Step
from algosync.core.planning.target import Mode
from algosync.core.report import Report
from algosync.core.text import duration, paint, plural, printable
from algosync.views.calls import gate_lines, tally_text
from algosync.views.error import addressed, details

__all__ = ["closing_lines", "failure_lines", "outcome_lines"]

_TEMPORARY = (StateError, Throttled, TransferError, Unreachable)
"""Failures after which the same command may succeed."""

_NEW_PLAN = "make a new plan (algosync plan --out FILE) and apply it. It has only what is left."

_RECORDED = {"adopted": Action.ADOPT, "recorded": Action.RECORD, "forgotten": Action.FORGET}
"""The words for changes that write nothing to the destination."""


def closing_lines(report: Report, plan: Plan, *, approved: bool = False) -> Iterator[str]:
    """How many resources were changed, and what to do if something is left.

    `approved`: the plan was approved before, as a saved plan or by its digest. So it is stale after a part of it was done.
    """
    yield ""
    completed = report.completed()
    counts = {
        "added": completed[Action.CREATE],
        "changed": completed[Action.UPDATE],
        "destroyed": completed[Action.DELETE],
        **{word: plan.counted()[action] for word, action in _RECORDED.items() if plan.counted()[action]},
    }
    resources = ", ".join(f"{number} {word}" for word, number in counts.items())
    what = "Destroy" if plan.mode is Mode.DESTROY else "Apply"
    if report.exit_code == 0 and not plan.held():
        yield paint(f"{what} complete! Resources: {resources}.", "green", "bold")
    else:
        yield paint(f"{what} incomplete. Resources: {resources}.", "red", "bold")
        yield from _left_over(report, approved=approved)
    if report.published and any(_is_workflow_test(event.step) for event in report.failed):
        versions = ", ".join(printable(f"{e.step.address.algorithm} {e.detail}") for e in report.published)
        yield f"Published before the workflow's tests: {versions}."
    if held := plan.held():
        names = ", ".join(printable(str(change.address)) for change in held)
        yield f"Left as it is, because its test failed before: {names}. Change the data, the source or the test, or use --replace."


def _is_workflow_test(step: Step) -> bool:
    return step.check is not None and not step.check.of_algorithm


def _left_over(report: Report, *, approved: bool) -> Iterator[str]:
    """What is not published, and the next command."""
    if names := report.unpublished:
        yield f"Not published: {', '.join(map(printable, names))}. What was published before stays in use."
    if report.wrote and report.failed:
        yield f"What is done is recorded. {_next_run(report, approved=approved)}"


def interrupted_line(*, approved: bool, wrote: bool) -> str:
    """What to do after an interrupt. `approved`: as of `closing_lines`. `wrote`: a part of the plan may be done."""
    if not approved:
        return "Everything done so far is recorded; run the same command again to continue from here."
    if not wrote:
        return "Nothing was written at the destination; run the same command again."
    return f"Everything done so far is recorded, and so the plan is stale now: {_NEW_PLAN}"


def _next_run(report: Report, *, approved: bool) -> str:
    """The next command, which may have to wait until the errors are fixed."""
    is_temporary = all(isinstance(event.error, _TEMPORARY) for event in report.failed)
    command = _NEW_PLAN if approved else "run the same command again. It does only what is left."
    return f"{command[0].upper()}{command[1:]}" if is_temporary else f"Fix what the errors name, then {command}"


def outcome_lines(report: Report, plan: Plan) -> Iterator[str]:
    """Each test with its result, in the order of the plan; nothing if there was no test."""
    if not report.tests:
        return
    order = {check.address: place for place, check in enumerate(plan.checks)}
    tests = sorted(report.tests, key=lambda event: order[event.step.address])
    names = [printable(str(e.step.address)) for e in tests]
    width = max(map(len, names))
    calls = [_calls(event.step, report) for event in tests]
    yield ""
    yield paint("Tests", "bold")
    for name, event, (called, told) in zip(names, tests, calls, strict=True):
        match event:
            case StepDone():
                row = f"{paint('passed ', 'green')}  {name:<{width}}  {duration(event.seconds):>6}  {printable(event.detail)}"
            case StepFailed(error=error):
                # Without an answer nothing is known of the algorithm.
                word = "FAILED " if isinstance(error, (TestFailed, TimedOut)) else "error  "
                row = f"{paint(word, 'red', 'bold')}  {name:<{width}}  {duration(event.seconds):>6}  {called}".rstrip()
            case StepSkipped():
                row = f"{paint('skipped', 'yellow')}  {name}"
        yield f"  {row}{f'  {told}' if told else ''}"
        tally = report.tallies.get(event.step.address)
        yield from (f"           {line}" for line in (gate_lines(tally) if tally else ()))


def _calls(step: Step, report: Report) -> tuple[str, str]:
    """The version or commit that a test called, and its calls, as texts. Either may be empty."""
    tally = report.tallies.get(step.address)
    if tally is None or step.check is None:
        return "", ""
    return printable(str(tally.called or "")), tally_text(tally, step.check.case)


def failure_lines(report: Report, redact: Callable[[str], str]) -> Iterator[str]:
    """Each failure with the server's own message, once for all steps it struck, and the steps left out because of it.

    `redact` hides secrets in a text before it is cut.
    """
    if report.failed:
        yield ""
    skipped: dict[str, list[str]] = {}
    for event in report.skipped:
        skipped.setdefault(event.because, []).append(printable(event.step.key))
    for first, *others in _by_cause(report.failed):
        yield f"{paint('Error:', 'red', 'bold')} {addressed(first.step.address, first.error.message)}"
        for line in details(first.error, redact):
            yield f"  {line}"
        if others:
            yield f"  the same for: {', '.join(printable(str(event.step.address)) for event in others)}"
        if because := [key for event in (first, *others) for key in skipped.get(event.step.key, ())]:
            yield f"  left out because of it: {', '.join(because)}"
    if report.skipped:
        yield f"{plural(len(report.skipped), 'step')} left out in all."


def _by_cause(failed: Sequence[StepFailed]) -> Iterable[list[StepFailed]]:
    """Failures by their cause: a refused key or an unreachable host strikes many steps, and is fixed once."""
    causes: dict[object, list[StepFailed]] = {}
    for event in failed:
        error = event.error
        shared = isinstance(error, (Denied, Unreachable)) and error.hint
        causes.setdefault((type(error), error.hint) if shared else event.step.key, []).append(event)
    return causes.values()
