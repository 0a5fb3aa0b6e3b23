"""Movement: what differs between a saved plan and the same plan made again, and whether the plan was applied since. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from algosync.core.address import Address
from algosync.core.lean import dataclass
from algosync.core.planning.change import Action, Change
from algosync.core.planning.saved_plan import Binding, RecordMark, SavedPlan
from algosync.core.resource import Json, Resource
from algosync.core.text import printable, size

__all__ = ["Movement", "is_applied", "movements"]

_NONE = "nothing"
_SHOWN = 80  # characters of a value
_SHORT = 12  # characters of a digest
_HEX = 40  # characters, at least, of a digest or a commit


@dataclass(frozen=True, slots=True)
class Movement:
    """`what` moved, and how it was `before` and is `now`, as one line each."""

    what: str
    before: str
    now: str

    def __str__(self) -> str:
        return f"{self.what}: {self.before} -> {self.now}"


def movements(saved: SavedPlan, now: SavedPlan) -> tuple[Movement, ...]:
    """Empty: the saved plan may be applied. Results of tests do not count."""
    found = (*_bound(saved.binding, now.binding), *_recorded(saved.binding, now.binding), *_changed(saved, now))
    return found or tuple(_checks(saved, now))


def is_applied(saved: SavedPlan, now: SavedPlan) -> bool:
    """Whether the records are those that the saved plan would have written: it was applied already, or another one like it."""
    changes = [change for change in saved.plan.visible if change.action is not Action.HOLD]
    before, after = saved.binding, now.binding
    if not changes or (before.destination, before.owner) != (after.destination, after.owner):
        return False
    if before.lineage not in (None, after.lineage):
        return False
    later = {change.address: change for change in now.plan.changes}
    return all(_is_recorded(change, before, after, later.get(change.address)) for change in changes)


def _is_recorded(change: Change, before: Binding, after: Binding, later: Change | None) -> bool:
    """Whether the record of a changed resource is new and has the planned content. `later`: the change that is planned now.

    A version's record has another digest than its plan after a change of data files. Then nothing may be left to do.
    """
    old, new = before.records.get(change.address), after.records.get(change.address)
    if change.action in (Action.DELETE, Action.FORGET):
        return old is not None and new is None
    wanted = change.before if change.action is Action.RECORD else change.after
    if wanted is None or new is None or new == old:
        return False
    return new.digest == wanted.digest or later is None or not later.action.visible


def _bound(saved: Binding, now: Binding) -> Iterator[Movement]:
    pairs = {
        "the destination": (saved.destination, now.destination),
        "the local cluster at the destination": (saved.identity, now.identity),
        "the owner at the destination": (saved.owner, now.owner),
        "the source": (saved.source, now.source),
        "the local cluster at the source": (saved.source_identity, now.source_identity),
        "the owner of the source's key": (saved.source_owner, now.source_owner),
        "the lineage of the state": (saved.lineage, now.lineage),
        "the workflow file of the state": (saved.state_file, now.state_file),
        "the digest of the workflow": (saved.workflow, now.workflow),
    }
    for what, (old, new) in pairs.items():
        if old != new:
            yield Movement(what, _text(old), _text(new))


def _recorded(saved: Binding, now: Binding) -> Iterator[Movement]:
    for address in sorted(saved.records.keys() | now.records.keys()):
        old, new = saved.records.get(address), now.records.get(address)
        if old != new:
            yield Movement(f"the record of {printable(str(address))}", *_marks(old, new))


def _marks(old: RecordMark | None, new: RecordMark | None) -> tuple[str, str]:
    if old is None or new is None:
        return tuple(_NONE if mark is None else f"digest {_text(mark.digest)}" for mark in (old, new))  # type: ignore[return-value]  # two of two
    for name in ("digest", "destination_stamp", "source_stamp", "content"):
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            word = name.replace("_", " ")
            return f"{word} {_text(before)}", f"{word} {_text(after)}"
    raise ValueError("the marks are equal")


def _changed(saved: SavedPlan, now: SavedPlan) -> Iterator[Movement]:
    old, new = ({change.address: change for change in each.plan.changes} for each in (saved, now))
    for address in sorted(old.keys() | new.keys()):
        yield from _change(address, old.get(address), new.get(address))


def _change(address: Address, old: Change | None, new: Change | None) -> Iterator[Movement]:
    name = printable(str(address))
    if old is None or new is None:
        yield Movement(name, *(_NONE if each is None else each.action.value for each in (old, new)))
        return
    found = False
    for side, before, after in (("source", old.after, new.after), ("destination", old.before, new.before)):
        if difference := _difference(before, after):
            found = True
            yield Movement(f"{name} at the {side}", *difference)
    if not found and _deed(old) != _deed(new):
        yield Movement(f"what to do with {name}", *map(_deed_text, (old, new)))


def _deed(change: Change) -> tuple[Action, bool, Mapping[str, Json]]:
    action = Action.NONE if change.action is Action.REFRESH else change.action
    return action, change.drifted, dict(change.details)


def _deed_text(change: Change) -> str:
    return printable(f"{change.action.value} {json.dumps(change.details, default=dict)}", _SHOWN)


def _difference(old: Resource | None, new: Resource | None) -> tuple[str, str] | None:
    """How one side of a change was, and how it is. None: it is provably the same."""
    if old is None or new is None:
        return None if old is new else (_side(old), _side(new))
    for name in sorted(old.attributes.keys() | new.attributes.keys()):
        before, after = old.attributes.get(name), new.attributes.get(name)
        if before != after:
            return f"{printable(name, _SHOWN)} {_text(before)}", f"{printable(name, _SHOWN)} {_text(after)}"
    if old.size != new.size:
        return _size(old), _size(new)
    if None not in (old.digest, new.digest) and old.digest != new.digest:
        return f"digest {_text(old.digest)}", f"digest {_text(new.digest)}"
    if None not in (old.stamp, new.stamp):
        return None if old.stamp == new.stamp else (f"stamp {_text(old.stamp)}", f"stamp {_text(new.stamp)}")
    return None if old.digest is not None and old.digest == new.digest else (_side(old), _side(new))


def _side(side: Resource | None) -> str:
    if side is None:
        return _NONE
    if side.digest is not None:
        return f"digest {_text(side.digest)}"
    return f"stamp {_text(side.stamp)}" if side.stamp is not None else "an unknown content"


def _size(side: Resource) -> str:
    return _NONE if side.size is None else size(side.size)


def _checks(saved: SavedPlan, now: SavedPlan) -> Iterator[Movement]:
    old, new = ([str(check.address) for check in each.plan.checks] for each in (saved, now))
    if saved.plan.checks != now.plan.checks:
        yield Movement("the tests", printable(", ".join(old) or _NONE, _SHOWN), printable(", ".join(new) or _NONE, _SHOWN))


def _text(value: Json) -> str:
    if value is None:
        return _NONE
    text = value if isinstance(value, str) else json.dumps(value, default=dict)
    if len(text) >= _HEX and text.isalnum():
        return f"{text[:_SHORT]}…"
    return printable(text, _SHOWN)
