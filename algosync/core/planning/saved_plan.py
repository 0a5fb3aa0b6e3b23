"""Saved plan: a plan with everything that it depends on, and without secrets. Pure.

Where a text holds a secret, the saved plan has `***`, and no digest of the text: it could be guessed. So a plan that is made again
is compared with the saved one only after its secrets were hidden in the same way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import cast

from algosync.core.address import Address
from algosync.core.lean import dataclass
from algosync.core.planning.change import Action, Change
from algosync.core.planning.plan import Check, FailedCheck, Plan
from algosync.core.planning.target import Selection
from algosync.core.redaction import MASK
from algosync.core.resource import SENSITIVE, Json, Record, Resource, canonical_json, digest_of, digest_of_text
from algosync.core.testing.case import Expectation
from algosync.core.typed_json import from_json, json_form, to_json
from algosync.core.workflow import DataFile, Workflow

__all__ = ["Binding", "Conceal", "RecordMark", "SavedPlan", "plan_digest", "record_marks", "without_secrets", "workflow_digest"]

_UNSAID = ("name", "folder", "source_address")  # of a workflow
_NOTHING: Mapping[str, Json] = {}  # a read-only view of an empty mapping takes a call of Python code to write


@dataclass(frozen=True, slots=True)
class Conceal:
    """Hides secrets. `redact`: in a text. `holds`: whether a value holds a secret, also inside of a word.

    `may_hold`: whether the JSON text of a value may hold one; False is certain.
    """

    redact: Callable[[str], str]
    holds: Callable[[Json], bool]
    may_hold: Callable[[str], bool] = lambda _: True

    def is_needed(self, *values: Json) -> bool:
        """Whether one of the values may have to be changed. False is certain, and much cheaper to know than by changing it."""
        return any(values) and self._is_needed_in(json.dumps(values, ensure_ascii=False, default=dict))

    def _is_needed_in(self, text: str) -> bool:
        return MASK in text or self.may_hold(text)

    def digest_if_free(self, text: str) -> str | None:
        """The digest of a canonical JSON text. None: its value may have to be changed.

        A cut text, whose beginning may be that of a secret, shows its `…` only if the JSON does not escape it.
        """
        return None if "\\u" in text or self._is_needed_in(text) else digest_of_text(text)

    def __call__(self, value: Json) -> Json:
        """The value without secrets, also in the names of its members."""
        return self._hidden(value) if self.is_needed(value) else value

    def _hidden(self, value: Json) -> Json:
        match value:
            case str():
                return self.text(value)
            case Mapping():
                return {self.text(name): self._hidden(item) for name, item in value.items()}
            case list() | tuple():
                return [self._hidden(item) for item in value]
            case _:
                return value

    def text(self, text: str) -> str:
        redacted = self.redact(text)
        return MASK if self.holds(redacted) else redacted

    def members(self, value: Mapping[str, Json]) -> Mapping[str, Json]:
        return cast("Mapping[str, Json]", self(value))


@dataclass(frozen=True, slots=True)
class RecordMark:
    """What a plan depends on of one record. `content`: the SHA-256 (hex) of its attributes and of what its kind remembers."""

    digest: str
    source_stamp: str | None
    destination_stamp: str | None
    content: str


@dataclass(frozen=True, slots=True)
class Binding:
    """What a plan was made from.

    `lineage`: of the state; None: there was none. `state_file`: the workflow file that the state belonged to. `destination` and
    `source`: their addresses. `identity` and `source_identity`: of a local cluster, at every address. `source_owner`: what `.my` is
    at the source cluster; None: nothing is read from there under this name. `workflow`: as of `workflow_digest`. `records`: those
    of the algorithms in the plan.
    """

    lineage: str | None
    state_file: str | None
    destination: str
    identity: str | None
    owner: str
    source: str | None
    source_identity: str | None
    source_owner: str | None
    workflow: str
    records: Mapping[Address, RecordMark]


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """`plan` has no secrets. `selection`: the options that it was made with. `digest`: of the plan before more files were read."""

    plan: Plan
    selection: Selection
    binding: Binding
    digest: str = ""


def without_secrets(plan: Plan, conceal: Conceal) -> Plan:
    """The plan without secrets, and without digests of them. In nearly every plan one look at all values finds no secret."""
    free = not conceal.is_needed(*(value for change in plan.changes for value in _values(change)))
    return replace(
        plan,
        changes=tuple(_without_private(change) if free else _concealed(change, conceal) for change in plan.changes),
        checks=tuple(_concealed_check(check, conceal) for check in plan.checks),
        failing=tuple(FailedCheck(_address(each.address, conceal), each.since, conceal.text(each.reason)) for each in plan.failing),
    )


def _values(change: Change) -> list[Json]:
    """The values of a change that may hold a secret, as far as they are not empty: those of most data files are."""
    found: list[Json] = [value for value in (change.reason, change.details) if value]
    for side in (change.before, change.after, change.recorded):
        if side is not None and (side.attributes or side.notes):
            found += side.attributes, side.notes
    return found


def _concealed(change: Change, conceal: Conceal) -> Change:
    if not conceal.is_needed(*_values(change)):
        return _without_private(change)
    sides = (change.before, change.after, change.recorded)
    secret = any(side is not None and _is_secret(side.attributes, conceal) for side in sides)
    before, after, recorded = (_concealed_side(side, conceal, secret=secret) for side in sides)
    return replace(
        change,
        before=before,
        after=after,
        recorded=recorded,
        reason=conceal.text(change.reason),
        details=conceal.members(change.details),
    )


def _without_private(change: Change) -> Change:
    sides = (change.before, change.after, change.recorded)
    for side in sides:
        if side is not None and side.private is not None:
            before, after, recorded = (each and replace(each, private=None) for each in sides)
            return replace(change, before=before, after=after, recorded=recorded)
    return change


def _concealed_side(side: Resource | None, conceal: Conceal, *, secret: bool) -> Resource | None:
    """`secret`: a stamp or digest may be a hash of a secret value, on this side or the other one."""
    if side is None:
        return None
    return replace(
        side,
        attributes=conceal.members(side.attributes),
        stamp=None if secret else side.stamp,
        digest=SENSITIVE if secret and side.digest is not None else side.digest,
        notes=tuple(map(conceal.text, side.notes)),
        private=None,
    )


def _is_secret(attributes: Mapping[str, Json], conceal: Conceal) -> bool:
    return MASK in str(to_json(attributes)) or conceal.holds(dict(attributes))


def _concealed_check(check: Check, conceal: Conceal) -> Check:
    case = check.case
    expect = from_json(Expectation, _concealed_texts(to_json(case.expect), conceal), "expect")
    hidden = replace(case, name=conceal.text(case.name), payload=_concealed_text(case.payload, conceal), expect=expect)
    return replace(check, address=_address(check.address, conceal), case=hidden)


def _concealed_texts(value: Json, conceal: Conceal) -> Json:
    """A JSON value in which a text with a secret is hidden as a whole: it may be JSON itself. Names of members stay."""
    match value:
        case str():
            return _concealed_text(value, conceal)
        case Mapping():
            return {name: _concealed_texts(item, conceal) for name, item in value.items()}
        case list():
            return [_concealed_texts(item, conceal) for item in value]
        case _:
            return value


def _concealed_text(text: str, conceal: Conceal) -> str:
    return MASK if conceal.holds(text) else conceal.text(text)


def _address(address: Address, conceal: Conceal) -> Address:
    """The address of a test, whose name is any text."""
    return address if address.name is None else replace(address, name=conceal.text(address.name))


def record_marks(records: Mapping[Address, Record], algorithms: Iterable[str], conceal: Conceal) -> Mapping[Address, RecordMark]:
    """The marks of the records of these algorithms."""
    names = set(algorithms)
    return {address: _mark(record, conceal) for address, record in sorted(records.items()) if address.algorithm in names}


def _mark(record: Record, conceal: Conceal) -> RecordMark:
    content = digest_of([conceal(record.attributes), conceal(record.private)])
    if conceal.holds(dict(record.attributes)):  # an older version, or an older workflow, recorded it
        return RecordMark(SENSITIVE, None, None, content)
    return RecordMark(record.digest, record.source_stamp, record.destination_stamp, content)


def workflow_digest(workflow: Workflow, conceal: Conceal) -> str:
    """The SHA-256 (hex) of what the workflow says, without secrets. Its name, its place and its lines do not count.

    The source's address does not count either: a plan is bound to the source itself, which may have several addresses.
    """
    said = {name: value for name, value in json_form(workflow).items() if name not in _UNSAID}
    text = canonical_json(said, _part_said)
    return conceal.digest_if_free(text) or digest_of(conceal(json.loads(text)))


def _part_said(part: object) -> object:
    """What a part of a workflow says, for `canonical_json`."""
    return {"source": part.source, "name": part.name} if isinstance(part, DataFile) else json_form(part)


def plan_digest(saved: SavedPlan) -> str:
    """`sha256:` and the digest of what the plan would do. Two plans from equal inputs have the same one, in any folder.

    A local cluster counts by its identity, because it has several addresses.

    Stamps of files whose content is known do not count: the times of local files differ between two checkouts.
    """
    plan, binding = saved.plan, saved.binding
    document: Json = {
        "source": binding.source if binding.source_identity is None else f"local-{binding.source_identity}",
        "source_owner": binding.source_owner,
        "destination": binding.destination if binding.identity is None else f"local-{binding.identity}",
        "owner": binding.owner,
        "workflow": binding.workflow,
        "selection": to_json(saved.selection),
        "changes": [_said(change) for change in plan.changes],
        "checks": to_json(plan.checks),
    }
    return f"sha256:{digest_of(document)}"


def _said(change: Change) -> Json:
    action = Action.NONE if change.action is Action.REFRESH else change.action  # a refresh changes only the record
    before, after = _content(change.before), _content(change.after)
    return [str(change.address), action.value, change.drifted, before, after, change.details or _NOTHING]


def _content(side: Resource | None) -> Json:
    if side is None:
        return None
    return [side.attributes or _NOTHING, side.size, side.digest or side.stamp]
