"""Explanation: why a resource changes, or why it does not, and the facts of both sides that decide it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum

from algosync.core.address import Address
from algosync.core.lean import dataclass
from algosync.core.planning.change import Action, Change
from algosync.core.planning.data_reads import READ_FROM
from algosync.core.planning.plan import Plan
from algosync.core.planning.target import UnknownTarget, matches
from algosync.core.resource import SENSITIVE, KindTraits, Record

__all__ = ["CONTENT_REPLACED", "DATA_CHANGES", "DATA_WRITTEN", "REPLACED", "Explanation", "Reason", "explanations", "reason_of"]

REPLACED = "--replace names it"
CONTENT_REPLACED = "--replace names its content"
DATA_CHANGES = "its data files change"
DATA_WRITTEN = "its data files were written after it was published"


class Reason(Enum):
    """Why a plan does with a resource what it does. The list is closed: each change has one of these."""

    EQUAL = "equal"
    RECORD_OUTDATED = "record-outdated"
    ALREADY_THERE = "already-there"
    NEW = "new"
    VANISHED = "vanished"
    NOT_RECORDED = "not-recorded"
    SOURCE_CHANGED = "source-changed"
    DESTINATION_CHANGED = "destination-changed"
    BOTH_CHANGED = "both-changed"
    UNFINISHED = "unfinished"
    REPLACE = "replace"
    DATA_CHANGES = "data-changes"
    DATA_WRITTEN = "data-written"
    READ_DATA_CHANGED = "read-data-changed"
    TEST_FAILED = "test-failed"
    NOT_IN_WORKFLOW = "not-in-workflow"
    DELETE = "delete"
    REFRESH_ONLY = "refresh-only"

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]


_SENTENCES = {
    Reason.EQUAL: "both sides are equal, as they were recorded",
    Reason.RECORD_OUTDATED: "both sides are equal; only the record is out of date",
    Reason.ALREADY_THERE: "it is not recorded, and both sides are equal",
    Reason.NEW: "the destination does not have it",
    Reason.VANISHED: "it is recorded, and the destination does not have it any more",
    Reason.NOT_RECORDED: "it is not recorded, and the two sides differ or cannot be proved equal",
    Reason.SOURCE_CHANGED: "the workflow or the source has changed since it was recorded",
    Reason.DESTINATION_CHANGED: "somebody has changed it at the destination since it was recorded",
    Reason.BOTH_CHANGED: "both sides have changed since it was recorded",
    Reason.UNFINISHED: "an earlier apply did not finish it, or its record cannot prove that both sides are equal",
    Reason.REPLACE: "--replace names it or its content",
    Reason.DATA_CHANGES: "its source and settings are equal, but data files of its algorithm change",
    Reason.DATA_WRITTEN: "data files of its algorithm were written after it was published",
    Reason.READ_DATA_CHANGED: "its source reads data of another algorithm, and that data changed since it was published",
    Reason.TEST_FAILED: "the test of this change failed, and nothing has changed since",
    Reason.NOT_IN_WORKFLOW: "it is recorded, and the workflow does not have it any more",
    Reason.DELETE: "it is recorded, and `--prune`, `--destroy` or `destroy` deletes what is recorded",
    Reason.REFRESH_ONLY: "the destination differs from the record, and `--refresh-only` records what is there",
}
_BY_ACTION = {
    Action.NONE: Reason.EQUAL,
    Action.REFRESH: Reason.RECORD_OUTDATED,
    Action.ADOPT: Reason.ALREADY_THERE,
    Action.HOLD: Reason.TEST_FAILED,
    Action.FORGET: Reason.NOT_IN_WORKFLOW,
    Action.DELETE: Reason.DELETE,
    Action.RECORD: Reason.REFRESH_ONLY,
}
_BY_TEXT = {
    REPLACED: Reason.REPLACE,
    CONTENT_REPLACED: Reason.REPLACE,
    DATA_CHANGES: Reason.DATA_CHANGES,
    DATA_WRITTEN: Reason.DATA_WRITTEN,
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """A change with its record. `stamps_from`: where the stamps of the source and of the destination come from."""

    change: Change
    reason: Reason
    record: Record | None
    stamps_from: tuple[str, str]


def explanations(plan: Plan, recorded: Mapping[Address, Record], patterns: Iterable[str]) -> Iterator[Explanation]:
    """An explanation of each change, also of those that do nothing, that a pattern names: an address, an algorithm, or a glob.

    UnknownTarget: a pattern names nothing in the plan.
    """
    patterns = tuple(patterns)
    addresses = [change.address for change in plan.changes]
    if strange := [pattern for pattern in patterns if not any(matches(address, pattern) for address in addresses)]:
        raise UnknownTarget.unnamed(strange, [*(name for name, _ in plan.depends_on), *map(str, addresses)])
    for change in plan.changes:
        if any(matches(change.address, pattern) for pattern in patterns):
            record = recorded.get(change.address)
            traits = plan.kinds.get(change.address.kind, KindTraits())
            yield Explanation(change, reason_of(change, record), record, traits.stamps_from)


def reason_of(change: Change, record: Record | None) -> Reason:
    """`record`: of the resource, as it was when the plan was made."""
    if change.action is Action.CREATE:
        return Reason.VANISHED if change.drifted else Reason.NEW
    if change.action is Action.RECORD and not change.drifted:
        return Reason.RECORD_OUTDATED
    reason = _BY_ACTION.get(change.action) or _BY_TEXT.get(change.reason)
    return reason or _reason_of_update(change, record)


def _reason_of_update(change: Change, record: Record | None) -> Reason:
    if record is None:
        return Reason.NOT_RECORDED
    match _source_changed(change, record), change.drifted:
        case True, True:
            return Reason.BOTH_CHANGED
        case True, False:
            return Reason.SOURCE_CHANGED
        case False, True:
            return Reason.DESTINATION_CHANGED
        case _:
            return _reason_of_renewal(change)


def _reason_of_renewal(change: Change) -> Reason:
    if "renewed_by" in change.details:
        return Reason.DATA_CHANGES
    return Reason.READ_DATA_CHANGED if READ_FROM in change.details else Reason.UNFINISHED


def _source_changed(change: Change, record: Record) -> bool:
    after = change.after
    if after is None or record.digest == SENSITIVE:  # then neither stamp nor digest is recorded
        return not change.drifted
    return after.stamp != record.source_stamp if after.digest is None else after.digest != record.digest
