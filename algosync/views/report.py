"""What came of an apply: the tests, the failures with everything known about them, the closing line."""

from __future__ import annotations

from algosync.core.change import Action
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
    """Each failure with the server's own message, and what was left out because of it."""
    if report.failed:
        terminal.tell()
    for event in report.failed:
        what = printable(str(event.step.address))
        terminal.tell(terminal.paint("Error:", "red", "bold") + f" {what}: {printable(event.error.message)}")
        for line in details(event.error):
            terminal.tell(f"  {line}")
        if because := [printable(e.step.key) for e in report.skipped if e.because == event.step.key]:
            terminal.tell(f"  left out because of it: {', '.join(because)}")
    if report.skipped:
        terminal.tell(f"{plural(len(report.skipped), 'step')} left out in all.")
