"""A plan as text, in Terraform's words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from algosync.core.change import Action, Change
from algosync.core.plan import Plan, PlanHeader
from algosync.core.resource import Json
from algosync.core.text import paint, plural, printable, size
from algosync.views.value import UNKNOWN, Difference, differences, shown

__all__ = ["ACTIONS", "header_lines", "plan_lines"]

_LONGEST = 200  # characters of one value
NO_CHANGES = "No changes. Your destination matches the workflow."
NO_TARGET_CHANGES = "No changes. The targets match the workflow."
ACTIONS = {
    Action.CREATE: ("+", "green", "create", "will be created"),
    Action.UPDATE: ("~", "yellow", "update in-place", "will be updated in-place"),
    Action.ADOPT: ("=", "cyan", "adopt: it is there already, and is recorded", "is there already as the workflow wants it"),
    Action.FORGET: (
        ".",
        "dim",
        "forget: it is left as it is, and is no longer recorded",
        "is no longer in the workflow; it stays at the destination",
    ),
}
"""For each action that is shown its symbol, the symbol's colour, the legend, and what is said of a resource."""
_FILE_SYMBOLS = {"create": ("+", "green"), "update": ("~", "yellow"), "delete": ("-", "red")}


def header_lines(header: PlanHeader) -> Iterator[str]:
    source = header.source or "none"
    rows = {"Workflow": header.workflow, "Source": source, "Destination": header.destination, "Owner": header.owner}
    for name, value in rows.items():
        yield f"{name + ':':<13}{printable(value)}"
    yield ""


def plan_lines(plan: Plan, redact: Callable[[str], str]) -> Iterator[str]:
    """Everything that an apply would do, or `No changes.` `redact` hides secrets in a value before it is cut."""
    yield from _drifted(plan.drifted, redact)
    if not plan.compared:
        yield "Nothing is compared: the workflow says run_only."
    elif not plan.visible:
        yield paint(NO_TARGET_CHANGES if plan.targets else NO_CHANGES, "green", "bold")
    else:
        yield from _legend(plan)
        for change in plan.visible:
            yield from _change(change, redact)
        yield from _counts(plan)
    if plan.checks:
        payloads = sum(1 for check in plan.checks if check.payload_of_algorithm)
        tests = len(plan.checks) - payloads
        yield f"Tests: {plural(payloads, 'algorithm payload')}, {plural(tests, 'workflow test')}."
    if plan.targets:
        targets = ", ".join(map(printable, plan.targets))
        yield f"Note: Only the targets and what they depend on were looked at: {targets}. The rest may differ."


def _drifted(changes: Sequence[Change], redact: Callable[[str], str]) -> Iterator[str]:
    if not changes:
        return
    yield paint("Note: Objects have changed outside of algosync", "bold")
    yield ""
    for change in changes:
        how = "was removed" if change.before is None else "has changed"
        yield f"  # {printable(str(change.address))} {how}"
        if change.recorded is not None and change.before is not None:
            found = [d for d in differences(change.recorded, change.before) if d.before != d.after]
            width = max((len(d.name) for d in found), default=0)
            yield from (f"      {_line(difference, width, redact)}" for difference in found)
    yield ""


def _legend(plan: Plan) -> Iterator[str]:
    shown_actions = {change.action for change in plan.visible}
    yield "Actions are indicated with the following symbols:"
    for action, (symbol, colour, legend, _) in ACTIONS.items():
        if action in shown_actions:
            yield f"  {paint(symbol, colour)} {legend}"
    yield ""
    yield "algosync will perform the following actions:"
    yield ""


def _change(change: Change, redact: Callable[[str], str]) -> Iterator[str]:
    address = printable(str(change.address))
    symbol, colour, _, sentence = ACTIONS[change.action]
    yield f"  # {paint(address, 'bold')} {sentence}"
    yield f"  {paint(symbol, colour)} {address}"
    if change.action.writes:
        for line in _lines(change, redact):
            yield f"      {line}"
    yield ""


def _counts(plan: Plan) -> Iterator[str]:
    count = plan.counted()
    adopted = f", {count[Action.ADOPT]} to adopt" if count[Action.ADOPT] else ""
    forgotten = f", {count[Action.FORGET]} to forget" if count[Action.FORGET] else ""
    counts = f"{count[Action.CREATE]} to add, {count[Action.UPDATE]} to change, 0 to destroy{adopted}{forgotten}."
    yield f"{paint('Plan:', 'bold')} {counts}"
    files, octets = plan.upload()
    if files:
        yield f"Data: {plural(files, 'file')}, {size(octets)} to upload ({size(plan.kept())} already there)."
    for change in plan.untested():
        yield f"Note: {printable(str(change.address))} is published untested: its algorithm has no test_payload."
    for change in plan.live():
        yield f"Note: {printable(str(change.address))} is live as soon as it is uploaded, before the test."


def _lines(change: Change, redact: Callable[[str], str]) -> Iterable[str]:
    if "files" in change.details:
        yield from _file_lines(change.details["files"])
        return
    found = [d for d in differences(change.before, change.after, UNKNOWN) if d.before != d.after]
    if "publish" in change.details:
        before = change.before.attributes.get("version") if change.before else None
        new = f"{UNKNOWN[:-1]}, {change.details['publish']})"
        found.insert(0, Difference("version", None if before is None else shown(before), new))
    width = max((len(d.name) for d in found), default=0)
    for difference in found:
        yield _line(difference, width, redact)


def _line(difference: Difference, width: int, redact: Callable[[str], str]) -> str:
    name = f"{difference.name:<{width}}"
    before, after = (None if side is None else _cut(redact(side)) for side in (difference.before, difference.after))
    if before is None:
        return f"{paint('+', 'green')} {name} = {after}"
    if after is None:
        return f"{paint('-', 'red')} {name} = {before}"
    return f"{paint('~', 'yellow')} {name} = {before} -> {after}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _file_lines(files: Json) -> Iterable[str]:
    rows = [row for row in files if isinstance(row, dict)] if isinstance(files, list) else []
    if not rows:
        yield "(an empty commit)"
    width = max((len(printable(str(row["path"]))) for row in rows), default=0)
    for row in rows:
        symbol, colour = _FILE_SYMBOLS[str(row["action"])]
        counts = "binary" if row["added"] is None else " ".join(_line_counts(row["added"], row["removed"]))
        yield f"{paint(symbol, colour)} {printable(str(row['path'])):<{width}}   {counts}".rstrip()


def _line_counts(added: Json, removed: Json) -> Iterable[str]:
    if added:
        yield f"+{added}"
    if removed:
        yield f"-{removed}"
