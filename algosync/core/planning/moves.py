"""Moves: what a plan says and knows of algorithms that the workflow moved or removed. Pure.

The platform cannot rename an algorithm. So the new name is created, and the old one is forgotten. Its records still tell the
digests of files that the new name gets from the same source, so these are not read again.

With `--prune` the old one is deleted, after everything else has succeeded. A plan that does not publish the new one keeps the old
one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from algosync.core.address import Address
from algosync.core.planning.change import Action, Change
from algosync.core.planning.plan import Plan, restricted
from algosync.core.planning.target import UnknownTarget, matches
from algosync.core.resource import Record
from algosync.core.workflow import Workflow

__all__ = ["MOVED", "explained_moves", "keeping_unreplaced", "moved_records"]

MOVED = "moved to"
"""The beginning of the reason why the records of a moved algorithm are forgotten."""


def moved_records(recorded: Mapping[Address, Record], workflow: Workflow, kinds: Collection[str]) -> dict[Address, Record]:
    """The records of moved algorithms, of these kinds, under their new names.

    They are only good for the source: the destination has nothing yet under the new name.
    """
    if not workflow.moved:
        return {}
    new_names = {move.old: move.new for move in workflow.moved}
    moved = {a: record for a, record in recorded.items() if a.algorithm in new_names and a.kind in kinds}
    return {replace(a, algorithm=new_names[a.algorithm]): record for a, record in moved.items()}


def explained_moves(changes: Iterable[Change], workflow: Workflow) -> tuple[Change, ...]:
    """The changes, with the reason why records are forgotten, and a note on each algorithm that takes the place of another one."""
    changes = tuple(changes)
    forgotten = {change.address.algorithm for change in changes if change.action is Action.FORGET}
    if not forgotten:
        return changes
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


def keeping_unreplaced(part: Plan, whole: Plan, workflow: Workflow, recorded: Mapping[Address, Record]) -> Plan:
    """The part of a plan without deletions of moved algorithms whose new one is not published and not going to be. A note says so.

    UnknownTarget: a target names only such deletions.
    """
    if not workflow.moved:
        return part
    deleted = {change.address.algorithm for change in part.changes if change.action is Action.DELETE}
    moved = {move.old: move.new for move in workflow.moved if move.old in deleted and move.new in workflow.depends_on}
    known = {a.algorithm for a in recorded if a.kind in whole.kinds and whole.kinds[a.kind].publishes}
    stay = {old: new for old, new in moved.items() if not _is_published(new, part, whole, recorded=new in known)}
    if not stay:
        return part
    for target in part.targets:
        named = {change.address.algorithm for change in part.changes if matches(change.address, target)}
        if named and named <= stay.keys():
            raise UnknownTarget(*_refusal(min(named), stay))
    excluded = part.excluded
    if excluded.patterns:
        excluded = replace(excluded, left_out=(*excluded.left_out, *sorted(stay)))
    everything = [*(change.address for change in part.changes), *(check.address for check in part.checks)]
    rest = restricted(part, {address for address in everything if address.algorithm not in stay})
    return replace(rest, changes=tuple(_noted(rest.changes, stay)), excluded=excluded)


def _is_published(name: str, part: Plan, whole: Plan, *, recorded: bool) -> bool:
    """Whether a version of the algorithm is up to date, or is so after an apply of the part. `recorded`: a version is."""
    versions = [change for change in whole.versions if change.address.algorithm == name]
    planned = {change.address for change in part.versions}
    if not versions:  # targets leave out the algorithm
        return recorded
    return all(change.action is not Action.HOLD and (change.address in planned or not change.action.writes) for change in versions)


def _refusal(old: str, moved: Mapping[str, str]) -> tuple[str, str]:
    new = moved[old]
    return (
        f"{old} stays until {new}, which takes its place, is published",
        f"--target {new} publishes it; name both to delete {old}",
    )


def _noted(changes: Iterable[Change], moved: Mapping[str, str]) -> Iterable[Change]:
    """The changes, with a note on each algorithm that takes the place of one that stays."""
    old_names = {new: old for old, new in moved.items()}
    for change in changes:
        old = old_names.pop(change.address.algorithm, None) if change.after else None
        if change.after is None or old is None:
            yield change
        else:
            note = f"{old} is not deleted before this algorithm is published"
            yield replace(change, after=replace(change.after, notes=(*change.after.notes, note)))
