"""A plan as text, in Terraform's words."""

from __future__ import annotations

from collections.abc import Iterable

from algosync.core.change import Action, Change
from algosync.core.plan import Plan, PlanHeader
from algosync.core.resource import Json
from algosync.core.text import plural, printable, size
from algosync.views.terminal import Terminal
from algosync.views.value import UNKNOWN, Difference, differences, shown

__all__ = ["show_header", "show_plan"]

_LONGEST = 200  # characters of one value
NO_CHANGES = "No changes. Your destination matches the workflow."
_SYMBOLS = {Action.CREATE: "+", Action.UPDATE: "~", Action.ADOPT: "=", Action.FORGET: "."}
_COLOURS = {Action.CREATE: "green", Action.UPDATE: "yellow", Action.ADOPT: "cyan", Action.FORGET: "dim"}
_LEGEND = {
    Action.CREATE: "create",
    Action.UPDATE: "update in-place",
    Action.ADOPT: "adopt: it is there already, and is recorded",
    Action.FORGET: "forget: it is left as it is, and is no longer recorded",
}
_SENTENCES = {
    Action.CREATE: "will be created",
    Action.UPDATE: "will be updated in-place",
    Action.ADOPT: "is there already as the workflow wants it",
    Action.FORGET: "is no longer in the workflow; it stays at the destination",
}
_FILE_SYMBOLS = {"create": ("+", "green"), "update": ("~", "yellow"), "delete": ("-", "red")}


def show_header(header: PlanHeader, terminal: Terminal) -> None:
    source = header.source or "none"
    rows = {"Workflow": header.workflow, "Source": source, "Destination": header.destination, "Owner": header.owner}
    for name, value in rows.items():
        terminal.result(f"{name + ':':<13}{printable(value)}")
    terminal.result()


def show_plan(plan: Plan, terminal: Terminal) -> None:
    """Everything an apply would do, or `No changes.`"""
    _show_drifted(plan.drifted, terminal)
    if not plan.compared:
        terminal.result("Nothing is compared: the workflow says run_only.")
    elif not plan.visible:
        terminal.result(terminal.paint(NO_CHANGES, "green", "bold"))
    else:
        _show_changes(plan, terminal)
    if plan.checks:
        payloads = sum(1 for check in plan.checks if check.payload_of_algorithm)
        tests = len(plan.checks) - payloads
        terminal.result(f"Tests: {plural(payloads, 'algorithm payload')}, {plural(tests, 'workflow test')}.")


def _show_drifted(changes: Iterable[Change], terminal: Terminal) -> None:
    drifted = tuple(changes)
    if not drifted:
        return
    terminal.result(terminal.paint("Note: Objects have changed outside of algosync", "bold"))
    terminal.result()
    for change in drifted:
        how = "was removed" if change.before is None else "has changed"
        terminal.result(f"  # {printable(str(change.address))} {how}")
    terminal.result()


def _show_changes(plan: Plan, terminal: Terminal) -> None:
    terminal.result("Actions are indicated with the following symbols:")
    for action in (a for a in _SYMBOLS if any(c.action is a for c in plan.visible)):
        terminal.result(f"  {terminal.paint(_SYMBOLS[action], _COLOURS[action])} {_LEGEND[action]}")
    terminal.result()
    terminal.result("algosync will perform the following actions:")
    terminal.result()
    for change in plan.visible:
        _show_change(change, terminal)
    count = plan.counted()
    adopted = f", {count[Action.ADOPT]} to adopt" if count[Action.ADOPT] else ""
    forgotten = f", {count[Action.FORGET]} to forget" if count[Action.FORGET] else ""
    terminal.result(
        terminal.paint("Plan:", "bold")
        + f" {count[Action.CREATE]} to add, {count[Action.UPDATE]} to change, 0 to destroy{adopted}{forgotten}."
    )
    files, octets = plan.upload()
    if files:
        terminal.result(f"Data: {plural(files, 'file')}, {size(octets)} to upload ({size(plan.kept())} already there).")
    for change in plan.untested():
        terminal.result(f"Note: {printable(str(change.address))} is published untested: its algorithm has no test_payload.")
    for change in plan.live():
        terminal.result(f"Note: {printable(str(change.address))} is live as soon as it is uploaded, before the test.")


def _show_change(change: Change, terminal: Terminal) -> None:
    address = printable(str(change.address))
    symbol = terminal.paint(_SYMBOLS[change.action], _COLOURS[change.action])
    terminal.result(f"  # {terminal.paint(address, 'bold')} {_SENTENCES[change.action]}")
    terminal.result(f"  {symbol} {address}")
    if change.action.writes:
        for line in _lines(change, terminal):
            terminal.result(f"      {line}")
    terminal.result()


def _lines(change: Change, terminal: Terminal) -> Iterable[str]:
    if "files" in change.details:
        yield from _file_lines(change.details["files"], terminal)
        return
    found = [d for d in differences(change.before, change.after, UNKNOWN) if d.before != d.after]
    if "publish" in change.details:
        before = change.before.attributes.get("version") if change.before else None
        new = f"{UNKNOWN[:-1]}, {change.details['publish']})"
        found.insert(0, Difference("version", None if before is None else shown(before), new))
    width = max((len(d.name) for d in found), default=0)
    for difference in found:
        yield _line(difference, width, terminal)


def _line(difference: Difference, width: int, terminal: Terminal) -> str:
    name = f"{difference.name:<{width}}"
    before, after = (None if side is None else _cut(terminal.redact(side)) for side in (difference.before, difference.after))
    if before is None:
        return f"{terminal.paint('+', 'green')} {name} = {after}"
    if after is None:
        return f"{terminal.paint('-', 'red')} {name} = {before}"
    return f"{terminal.paint('~', 'yellow')} {name} = {before} -> {after}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _file_lines(files: Json, terminal: Terminal) -> Iterable[str]:
    rows = [row for row in files if isinstance(row, dict)] if isinstance(files, list) else []
    if not rows:
        yield "(an empty commit)"
    width = max((len(printable(str(row["path"]))) for row in rows), default=0)
    for row in rows:
        symbol, colour = _FILE_SYMBOLS[str(row["action"])]
        counts = "binary" if row["added"] is None else " ".join(_counts(row["added"], row["removed"]))
        yield f"{terminal.paint(symbol, colour)} {printable(str(row['path'])):<{width}}   {counts}".rstrip()


def _counts(added: Json, removed: Json) -> Iterable[str]:
    if added:
        yield f"+{added}"
    if removed:
        yield f"-{removed}"
