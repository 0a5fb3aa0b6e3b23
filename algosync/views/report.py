"""What came of an apply: the tests, the failures with everything known about them, the closing line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from algosync.core.change import Action
from algosync.core.error import Denied, Unreachable
from algosync.core.event import StepDone, StepFailed, StepSkipped
from algosync.core.plan import Plan
from algosync.core.report import Report
from algosync.core.text import duration, plural, printable
from algosync.views.error import details
from algosync.views.terminal import Terminal

__all__ = ["show_failures", "show_report", "show_tests"]


def show_report(report: Report, plan: Plan, terminal: Terminal) -> None:
    show_tests(report, plan, terminal)
    show_failures(report, terminal)
    terminal.result()
    counts = {
        "added": report.completed(Action.CREATE),
        "changed": report.completed(Action.UPDATE),
        "destroyed": 0,
        **{word: n for word, n in (("adopted", plan.counted()[Action.ADOPT]), ("forgotten", plan.counted()[Action.FORGET])) if n},
    }
    resources = ", ".join(f"{number} {word}" for word, number in counts.items())
    if report.exit_code == 0:
        terminal.result(terminal.paint(f"Apply complete! Resources: {resources}.", "green", "bold"))
        return
    terminal.result(terminal.paint(f"Apply incomplete. Resources: {resources}.", "red", "bold"))
    if report.wrote:
        terminal.result("What is done is recorded; running the same command again continues from here.")


def show_tests(report: Report, plan: Plan, terminal: Terminal) -> None:
    """In the order in which the plan has them."""
    if not report.tests:
        return
    order = {check.address: place for place, check in enumerate(plan.checks)}
    tests = sorted(report.tests, key=lambda event: order[event.step.address])
    names = [printable(str(e.step.address)) for e in tests]
    width = max(map(len, names))
    terminal.result()
    terminal.result(terminal.paint("Tests", "bold"))
    for name, event in zip(names, tests, strict=True):
        match event:
            case StepDone():
                passed = terminal.paint("passed ", "green")
                row = f"{passed}  {name:<{width}}  {duration(event.seconds):>6}  {printable(event.detail)}"
            case StepFailed():
                row = f"{terminal.paint('FAILED ', 'red', 'bold')}  {name:<{width}}  {duration(event.seconds):>6}"
            case StepSkipped():
                row = f"{terminal.paint('skipped', 'yellow')}  {name}"
        terminal.result(f"  {row}")


def show_failures(report: Report, terminal: Terminal) -> None:
    """Each failure with the server's own message, once for all that it struck, and what was left out because of it."""
    if report.failed:
        terminal.tell()
    for first, *others in _by_cause(report.failed):
        what = printable(str(first.step.address))
        terminal.tell(terminal.paint("Error:", "red", "bold") + f" {what}: {printable(first.error.message)}")
        for line in details(first.error):
            terminal.tell(f"  {line}")
        if others:
            terminal.tell(f"  the same for: {', '.join(printable(str(event.step.address)) for event in others)}")
        struck = {event.step.key for event in (first, *others)}
        if because := [printable(e.step.key) for e in report.skipped if e.because in struck]:
            terminal.tell(f"  left out because of it: {', '.join(because)}")
    if report.skipped:
        terminal.tell(f"{plural(len(report.skipped), 'step')} left out in all.")


def _by_cause(failed: Sequence[StepFailed]) -> Iterable[list[StepFailed]]:
    """A key that is refused, or a host that is not there, strikes many steps and is one thing to mend."""
    causes: dict[object, list[StepFailed]] = {}
    for event in failed:
        error = event.error
        shared = isinstance(error, (Denied, Unreachable)) and error.hint
        causes.setdefault((type(error), error.hint) if shared else event.step.key, []).append(event)
    return causes.values()
