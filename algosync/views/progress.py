"""Events of an apply as text: a line for each, and the text of a transfer in a row of limited width."""

from __future__ import annotations

from algosync.core.event import CaseDone, Event, Measured, Note, Progress, StepDone, StepFailed, StepSkipped, StepStarted
from algosync.core.planning.schedule import Step, Verb
from algosync.core.text import duration, paint, printable, size

__all__ = ["VERBS", "event_line", "title", "transfer", "transfers_line"]

_BAR = 20  # columns
VERBS = {
    Verb.CREATE: ("Creating", "Created"),
    Verb.CONFIGURE: ("Updating settings", "Settings updated"),
    Verb.UPLOAD: ("Uploading", "Uploaded"),
    Verb.RECOVER: ("Putting previous bytes back", "Previous bytes checked"),
    Verb.PUSH: ("Pushing", "Pushed"),
    Verb.BUILD: ("Building", "Built"),
    Verb.OVERWRITE: ("Overwriting", "Overwritten"),
    Verb.VERIFY: ("Verifying", "Verified"),
    Verb.TEST: ("Testing", "Passed"),
    Verb.PUBLISH: ("Publishing", "Published"),
    Verb.RESTORE: ("Checking previous bytes", "Previous bytes checked"),
    Verb.DELETE: ("Destroying", "Destroyed"),
    Verb.CLEAR: ("Checking the collection", "Collection checked"),
}
"""The words for a verb: while its step runs, and when it is done."""
_TOLD = (Verb.DELETE, Verb.CLEAR, Verb.RECOVER, Verb.RESTORE)
"""The verbs whose detail tells what was found. That of the others continues the word, such as `Published 0.1.0`."""


def title(step: Step, note: str = "") -> str:
    """The current action of a running step, with its latest note."""
    text = f"{printable(str(step.address))}: {VERBS[step.verb][0]}"
    return f"{text}: {printable(note)}" if note else text


def event_line(event: Event) -> str | None:
    """The line of one event. None: it has none."""
    match event:
        case StepStarted(step=step):
            return None if step.verb is Verb.RESTORE else f"{title(step)}..."  # mostly there is nothing to put back
        case Note(step=step, text=text):
            return f"{title(step)}: {printable(text)}"
        case StepDone(step=step, seconds=seconds, detail=detail):
            done = paint(VERBS[step.verb][1], "green")
            line = f"{printable(str(step.address))}: {_done(step.verb, done, duration(seconds), printable(detail))}"
            return None if step.verb is Verb.RESTORE and not detail else line
        case StepFailed(step=step, seconds=seconds, error=error):
            failed = paint("FAILED", "red", "bold")
            message = printable(error.message, 300).removeprefix(f"{printable(str(step.address))}: ")
            return f"{title(step)} {failed} after {duration(seconds)}: {message}"
        case StepSkipped(step=step, because=because):
            return f"{title(step)} {paint('skipped', 'yellow')}: {printable(because)} did not succeed"
        case Progress() | CaseDone() | Measured():
            return None


def _done(verb: Verb, done: str, after: str, detail: str) -> str:
    if detail and verb in _TOLD:
        return f"{done} after {after}: {detail}"
    return f"{done}{' ' if detail else ''}{detail} after {after}"


def transfer(done: int, total: int, rate: float | None, left: float | None, room: int) -> str:
    """The state of a transfer in at most `room` columns, but at least a percentage.

    `done` and `total` in bytes, `rate` in bytes a second, `left` in seconds; None: not known yet.
    """
    total = max(total, 1)
    filled = _BAR * done // total
    rest = "".join(f" {text}" for text in _rest(rate, left))
    for text in (
        f"{'█' * filled}{'░' * (_BAR - filled)} {size(done)} of {size(total)}{rest}",
        f"{100 * done // total}%{rest}",
    ):
        if len(text) <= room:
            return text
    return f"{100 * done // total}%"


def transfers_line(done: int, total: int, rate: float | None, left: float | None) -> str:
    """All transfers of an apply, as of `transfer`."""
    return "Transfers: " + ", ".join((f"{size(done)} of {size(total)}", *_rest(rate, left)))


def _rest(rate: float | None, left: float | None) -> list[str]:
    return [*([f"{size(round(rate))}/s"] if rate else []), *([f"{duration(left)} left"] if left else [])]
