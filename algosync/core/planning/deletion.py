"""Deletion: which of the deletions of a plan the platform can carry out, and which ones a selection covers. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from algosync.core.address import Address
from algosync.core.planning.change import Action, Change
from algosync.core.planning.target import dependents
from algosync.core.resource import KindTraits

__all__ = ["possible", "targeted_deletions"]


def possible(changes: Sequence[Change], kinds: Mapping[str, KindTraits]) -> tuple[Change, ...]:
    """The changes, where what cannot be deleted alone is forgotten if its container is not deleted."""
    deleted = {change.address for change in changes if change.action is Action.DELETE}
    if not deleted:
        return tuple(changes)

    def decide(change: Change) -> Change:
        container = kinds[change.address.kind].deleted_with
        if change.action is not Action.DELETE or container is None or Address(container, change.address.algorithm) in deleted:
            return change
        reason = f"the platform deletes it only with its {container}, which is not recorded"
        return replace(change, action=Action.FORGET, drifted=False, reason=reason)

    return tuple(map(decide, changes))


def targeted_deletions(
    changes: Sequence[Change],
    direct: frozenset[Address],
    kinds: Mapping[str, KindTraits],
    depends_on: Mapping[str, tuple[str, ...]],
) -> frozenset[Address]:
    """The addresses to delete if only `direct` is named: they, what is deleted with them, and algorithms that depend on those.

    A part that is deleted only with its container names the container, too.
    """
    named = direct | {_container(address, kinds) for address in direct}
    whole = {a.algorithm for a in named if any(traits.deleted_with == a.kind for traits in kinds.values())}
    below = dependents(whole, depends_on)
    return frozenset(c.address for c in changes if _is_covered(c.address, named, whole, below, kinds))


def _container(address: Address, kinds: Mapping[str, KindTraits]) -> Address:
    kind = kinds[address.kind].deleted_with if address.kind in kinds else None
    return address if kind is None else Address(kind, address.algorithm)


def _is_covered(
    address: Address, named: frozenset[Address], whole: set[str], below: set[str], kinds: Mapping[str, KindTraits]
) -> bool:
    parts = address.algorithm in whole and kinds[address.kind].deleted_with is not None
    return address in named or address.algorithm in below or parts
