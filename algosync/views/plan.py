"""A plan as text, in Terraform's words. `change_rows` and `summary_lines` have no colours, so any format may use them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from algosync.core.address import Address
from algosync.core.planning.change import Action, Change
from algosync.core.planning.diff import GONE, NOT_WANTED
from algosync.core.planning.moves import MOVED
from algosync.core.planning.origin import Origin
from algosync.core.planning.plan import Plan, PlanHeader
from algosync.core.planning.target import Mode
from algosync.core.redaction import Word
from algosync.core.resource import Json
from algosync.core.text import paint, plural, printable, size
from algosync.views.address_list import address_lines
from algosync.views.value import UNKNOWN, Difference, Redact, differences, redacted, redacted_address, redacted_name, shown

__all__ = ["ACTIONS", "change_rows", "file_rows", "header_lines", "note_lines", "origin_words", "plan_lines", "summary_lines"]

_LEFT_OUT_SHOWN = 5
_EXCLUDED_SHOWN = 20
_LONGEST = 200  # characters of one value
NO_CHANGES = "No changes. Your destination matches the workflow."
NO_TARGET_CHANGES = "No changes. The targets match the workflow."
NO_OTHER_CHANGES = "No changes. What is not left out matches the workflow."
NOTHING_TO_DESTROY = "No changes. Nothing is recorded that could be destroyed."
ALL_LEFT_OUT = "No changes. Everything recorded that could be destroyed is left out."
NOTHING_TO_RECORD = "No changes. The record matches the destination."
_GONE = "is no longer at the destination, and is forgotten"
ACTIONS = {
    Action.CREATE: ("+", "green", "create", "will be created"),
    Action.UPDATE: ("~", "yellow", "update in-place", "will be updated in-place"),
    Action.ADOPT: ("=", "cyan", "adopt: it is there already, and is recorded", "is there already as the workflow wants it"),
    Action.HOLD: (
        "!",
        "red",
        "hold: its test failed, and it is left as it is until something changes",
        "is left as it is",
    ),
    Action.FORGET: (
        ".",
        "dim",
        "forget: it is left as it is, and is no longer recorded",
        "is no longer in the workflow; it stays at the destination",
    ),
    Action.RECORD: ("=", "cyan", "record: only the record changes", "is recorded as it is"),
    Action.DELETE: ("-", "red", "destroy", "will be destroyed"),
}
"""For each action that is shown its symbol, the symbol's colour, the legend, and the sentence about a resource."""
_VERSION_WORDS = {"major": "major version", "minor": "minor version", "revision": "revision"}
_WITH_REASON = (Action.HOLD, Action.UPDATE, Action.DELETE, Action.FORGET, Action.RECORD)
_COLOURS = {"+": "green", "~": "yellow", "-": "red"}
_FILE_SYMBOLS = {"create": "+", "update": "~", "delete": "-"}


def header_lines(header: PlanHeader, redact: Redact) -> Iterator[str]:
    source = header.source or "none"
    rows = {"Workflow": header.workflow, "Source": source, "Destination": header.destination, "Owner": header.owner}
    if header.state is not None:
        rows["State"] = header.state
    for name, value in rows.items():
        yield f"{name + ':':<13}{printable(redact(value))}"
    yield ""


def plan_lines(plan: Plan, redact: Redact) -> Iterator[str]:
    """Everything that an apply would do, or `No changes.` `redact` hides secrets in values and names."""
    yield from _drifted(plan.drifted, redact)
    if plan.compared and plan.visible:
        yield from _legend(plan)
        for change in plan.visible:
            yield from _change(change, redact)
    first, *notes = summary_lines(plan, redact)
    if plan.compared and not plan.visible:
        yield paint(first, "green", "bold")
    else:
        yield first.replace("Plan:", paint("Plan:", "bold"), 1)
    yield from notes
    if plan.compared:
        yield from address_lines(plan, {action: (symbol, legend) for action, (symbol, _, legend, _) in ACTIONS.items()}, redact)


def summary_lines(plan: Plan, redact: Redact) -> Iterator[str]:
    """The number of changes, or why there are none; then data to upload, notes, and tests. Without colours."""
    if not plan.compared:
        yield "Nothing is compared: the workflow says run_only."
    elif not plan.visible:
        yield _no_changes(plan)
    else:
        yield from _counts(plan, redact)
    yield from note_lines(plan, redact)
    for failed in plan.failing:
        address = printable(redacted_address(failed.address, redact))
        yield f"Note: {address} has failed since {printable(failed.since)}: {printable(redact(failed.reason), _LONGEST)}"
    if plan.checks:
        payloads = sum(1 for check in plan.checks if check.of_algorithm)
        tests = len(plan.checks) - payloads
        cases = sum(check.case.cases.count for check in plan.checks if check.case.cases)
        told = f", {plural(cases, 'case')}" if cases else ""
        yield f"Tests: {plural(payloads, 'algorithm payload')}, {plural(tests, 'workflow test')}{told}."
    yield from _left_out(plan, redact)


def _no_changes(plan: Plan) -> str:
    match plan.mode:
        case Mode.DESTROY:
            return ALL_LEFT_OUT if plan.excluded.left_out else NOTHING_TO_DESTROY
        case Mode.REFRESH:
            return NOTHING_TO_RECORD
        case Mode.APPLY:
            return NO_TARGET_CHANGES if plan.targets else NO_OTHER_CHANGES if plan.excluded.patterns else NO_CHANGES


def _left_out(plan: Plan, redact: Redact) -> Iterator[str]:
    """What the plan does not cover, and what it is for if that is not everything."""
    if plan.mode is Mode.REFRESH:
        yield "Note: Only the record is changed, and nothing at the destination."
    if plan.targets:
        targets = ", ".join(printable(redact(target)) for target in plan.targets)
        related = "what depends on them" if plan.mode is Mode.DESTROY else "what they depend on"
        yield f"Note: Only the targets and {related} were looked at: {targets}. The rest may differ."
    if plan.excluded.patterns:
        names = [printable(redact(name)) for name in plan.excluded.left_out]
        more = f" and {len(names) - _EXCLUDED_SHOWN} more" if len(names) > _EXCLUDED_SHOWN else ""
        shown = ", ".join(names[:_EXCLUDED_SHOWN]) or "nothing"
        yield f"Note: The plan may be incomplete: --exclude leaves out {shown}{more}."


def note_lines(plan: Plan, redact: Redact) -> Iterator[str]:
    """Each note once, with the first resource that has it."""
    addresses: dict[str, dict[Address, None]] = {}
    for address, note in plan.notes():
        addresses.setdefault(note, {})[address] = None
    for note, (first, *others) in addresses.items():
        more = f" and {len(others)} more" if others else ""
        yield f"Note: {printable(redacted_address(first, redact))}{more}: {printable(redact(note))}."


def _drifted(changes: Sequence[Change], redact: Redact) -> Iterator[str]:
    if not changes:
        return
    yield paint("Note: Objects have changed outside of algosync", "bold")
    yield ""
    for change in changes:
        how = "was removed" if change.before is None else "has changed"
        yield f"  # {printable(redacted_address(change.address, redact))} {how}"
        if known := ", ".join(origin_words(Origin.of(change), redact)):
            yield f"      ({known})"
        if change.recorded is not None and change.before is not None:
            found = [d for d in differences(change.recorded, change.before) if d.before != d.after]
            for symbol, text in _rows(found, redact):
                yield f"      {_painted(symbol, text)}"
    yield ""


def origin_words(origin: Origin, redact: Redact) -> Iterator[str]:
    """Who wrote it and when, as far as it is known. Without colours."""
    if origin.by:
        yield f"by {_cut(printable(redact(origin.by)))}"
    if origin.at:
        yield f"at {origin.at}"


def _legend(plan: Plan) -> Iterator[str]:
    shown_actions = {change.action for change in plan.visible}
    yield "Actions are indicated with the following symbols:"
    for action, (symbol, colour, legend, _) in ACTIONS.items():
        if action in shown_actions:
            yield f"  {paint(symbol, colour)} {legend}"
    yield ""
    yield "algosync will perform the following actions:"
    yield ""


def _change(change: Change, redact: Redact) -> Iterator[str]:
    address = printable(redacted_address(change.address, redact))
    symbol, colour, _, sentence = ACTIONS[change.action]
    sentence = _forgotten(change, sentence) if change.action is Action.FORGET else sentence
    yield f"  # {paint(address, 'bold')} {sentence}"
    yield f"  {paint(symbol, colour)} {address}"
    if change.action in _WITH_REASON and change.reason not in ("", NOT_WANTED, GONE):
        yield f"      ({printable(redact(change.reason))})"
    if change.action.has_steps:
        for symbol, text in change_rows(change, redact):
            yield f"      {_painted(symbol, text)}"
    yield ""


def _forgotten(change: Change, sentence: str) -> str:
    """`--prune` deletes what left the workflow or was moved, but nothing that `removed` names."""
    if change.drifted or change.reason == GONE:
        return _GONE
    return f"{sentence}; --prune would delete it" if change.reason.startswith((NOT_WANTED, MOVED)) else sentence


def _counts(plan: Plan, redact: Redact) -> Iterator[str]:
    count = plan.counted()
    adopted = f", {count[Action.ADOPT]} to adopt" if count[Action.ADOPT] else ""
    forgotten = f", {count[Action.FORGET]} to forget" if count[Action.FORGET] else ""
    held = f", {count[Action.HOLD]} held" if count[Action.HOLD] else ""
    recorded = f", {count[Action.RECORD]} to record" if count[Action.RECORD] else ""
    changed = f"{count[Action.CREATE]} to add, {count[Action.UPDATE]} to change, {count[Action.DELETE]} to destroy"
    yield f"Plan: {changed}{adopted}{recorded}{forgotten}{held}."
    files, octets = plan.upload()
    if files:
        yield f"Data: {plural(files, 'file')}, {size(octets)} to upload ({size(plan.kept())} already there)."
    for change in plan.untested():
        address = printable(redacted_address(change.address, redact))
        yield f"Note: {address} is published untested: its algorithm has no test_payload."
    for change in plan.live():
        address = printable(redacted_address(change.address, redact))
        yield f"Note: {address} is overwritten before the test. {_way_back(change)}"


def _way_back(change: Change) -> str:
    match change.details.get("keep"):
        case True:
            return "Its previous bytes come back if the new version is not published."
        case False:
            return "Its previous bytes are not kept: they cannot come back."
        case _:
            return "No new version is published: running workers keep the old file."


def change_rows(change: Change, redact: Redact, published: str | None = None) -> Iterable[tuple[str, str]]:
    """The lines of a change: for each value or file a symbol (`+`, `~`, `-`, or none) and one printable line. Without colours.

    `redact` hides secrets in a value before it is cut. `published`: after an apply the version that was published; empty: none was.
    Values that are still not known then have no line. None: nothing is applied yet.
    """
    if "files" in change.details:
        yield from file_rows(change.details["files"], redact)
        yield from _left_out_rows(change.details.get("left_out"), redact)
        return
    found = [d for d in differences(change.before, change.after, UNKNOWN) if d.before != d.after]
    if published is not None:
        found = [d for d in found if d.after is not UNKNOWN]
    if "publish" in change.details and (new := _new_version(change, published)):
        before = change.before.attributes.get("version") if change.before else None
        found.insert(0, Difference("version", None if before is None else shown(before), new))
    yield from _rows(found, redact)
    if not {"renewed_by", "read_from"}.isdisjoint(change.details) and not any(
        d.before != d.after for d in found if d.name != "version"
    ):
        yield "", "(a new version, because running workers keep the files that they loaded)"


def _new_version(change: Change, published: str | None) -> str:
    """The version after the change, as of `change_rows`. Empty: there is none."""
    if published is not None:
        return published and shown(published)
    return Word(f"{UNKNOWN[:-1]}: the next {_VERSION_WORDS.get(str(change.details['publish']), 'version')})")


def _rows(found: Sequence[Difference], redact: Redact) -> Iterator[tuple[str, str]]:
    width = max((len(d.name) for d in found), default=0)
    for difference in found:
        yield _row(difference, width, redact)


def _row(difference: Difference, width: int, redact: Redact) -> tuple[str, str]:
    name = f"{redacted_name(difference.name, redact):<{width}}"
    before, after = (_cut(redacted(side, redact)) for side in (difference.before, difference.after))
    if before is None:
        return "+", f"{name} = {after}"
    if after is None:
        return "-", f"{name} = {before}"
    return "~", f"{name} = {before} -> {after}"


def _painted(symbol: str, text: str) -> str:
    return f"{paint(symbol, _COLOURS[symbol])} {text}" if symbol else text


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def file_rows(files: Json, redact: Redact) -> Iterable[tuple[str, str]]:
    """A symbol and a text for each changed file, as a kind puts it into `details`. Without colours."""
    rows = [row for row in files if isinstance(row, dict)] if isinstance(files, list) else []
    paths = [printable(redact(str(row["path"]))) for row in rows]
    if not rows:
        yield "", "(an empty commit)"
    width = max(map(len, paths), default=0)
    for row, path in zip(rows, paths, strict=True):
        counts = "binary" if row["added"] is None else " ".join(_line_counts(row["added"], row["removed"]))
        counts = " ".join(filter(None, (counts if not _is_mode_alone(row) else "", *_mode_words(row.get("mode")))))
        yield _FILE_SYMBOLS[str(row["action"])], f"{path:<{width}}   {counts}".rstrip()


def _is_mode_alone(row: Mapping[str, Json]) -> bool:
    return row.get("mode") is not None and row["added"] == 0 and row["removed"] == 0


def _mode_words(mode: Json) -> Iterable[str]:
    if isinstance(mode, Sequence) and len(mode) == 2:
        yield f"mode {mode[0]} -> {mode[1]}"


def _left_out_rows(paths: Json, redact: Redact) -> Iterable[tuple[str, str]]:
    if isinstance(paths, Sequence) and not isinstance(paths, str) and paths:
        names = ", ".join(printable(redact(str(path)), 60) for path in paths[:_LEFT_OUT_SHOWN])
        more = f" and {len(paths) - _LEFT_OUT_SHOWN} more" if len(paths) > _LEFT_OUT_SHOWN else ""
        yield "", f"({plural(len(paths), 'path')} of the source left out: {names}{more})"


def _line_counts(added: Json, removed: Json) -> Iterable[str]:
    if added:
        yield f"+{added}"
    if removed:
        yield f"-{removed}"
