"""Moves: what a plan says and knows of algorithms that the workflow moved or removed. Pure.

The platform cannot rename an algorithm. So the new name is created, and the old one is forgotten. Its records still tell the
digests of files that the new name gets from the same source, so these are not read again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from algosync.core.address import Address
from algosync.core.planning.change import Action, Change
from algosync.core.resource import Record
from algosync.core.workflow import Workflow

__all__ = ["MOVED", "explained_moves", "moved_records"]

MOVED = "moved to"
"""The beginning of the reason why the records of a moved algorithm are forgotten."""


def moved_records(recorded: Mapping[Address, Record], workflow: Workflow, kinds: Collection[str]) -> dict[Address, Record]:
    """The records of moved algorithms, of these kinds, under their new names.

    They are only good for the source: the destination has nothing yet under the new name.
    """
    new_names = {move.old: move.new for move in workflow.moved}
    moved = {a: record for a, record in recorded.items() if a.algorithm in new_names and a.kind in kinds}
    return {replace(a, algorithm=new_names[a.algorithm]): record for a, record in moved.items()}


def explained_moves(changes: Iterable[Change], workflow: Workflow) -> tuple[Change, ...]:
    """The changes, with the reason why records are forgotten, and a note on each algorithm that takes the place of another one."""
    changes = tuple(changes)
    forgotten = {change.address.algorithm for change in changes if change.action is Action.FORGET}
    new_names = {move.old: move.new for move in workflow.moved}
    old_names = {move.new: move.old for move in workflow.moved if move.old in forgotten}

    def explained(change: Change) -> Change:
        name = change.address.algorithm
        if change.action is Action.FORGET:
            if name in new_names:
                return replace(change, reason=f"{MOVED} {new_names[name]}, and the platform cannot rename")
            return replace(change, reason="`removed` names it") if name in workflow.removed else change
        if change.after is None or name not in old_names:
            return change
        old = old_names.pop(name)  # one note for each algorithm is enough
        note = f"it was {old}; the platform cannot rename, so it gets a repository, versions and data files of its own"
        return replace(change, after=replace(change.after, notes=(*change.after.notes, note)))

    return tuple(map(explained, changes))
