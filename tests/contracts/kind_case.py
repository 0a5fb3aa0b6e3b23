"""What a test of the contract of kinds needs to know of one kind, fake or real."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from algosync.core.address import Address
from algosync.core.event import Event
from algosync.core.planning.change import Action, Change
from algosync.core.planning.diff import assume_desired, assume_observed, diff, undecided
from algosync.core.planning.schedule import Step
from algosync.core.ports import Kind, Ledger, Side
from algosync.core.resource import Record, Resource
from algosync.core.workflow import AlgorithmSpec

__all__ = ["KindCase"]

Site = TypeVar("Site")


@dataclass(frozen=True, slots=True)
class KindCase(Generic[Site]):
    """One kind on a site whose source has one resource of it, and whose destination has none.

    `edit` changes the resource at the source, `tamper` what the destination has of it.
    """

    name: str
    kind: Kind[Site]
    site: Site
    spec: AlgorithmSpec
    ledger: Ledger
    edit: Callable[[], None]
    tamper: Callable[[], None]

    def desired(self) -> dict[Address, Resource]:
        return {r.address: r for r in self.kind.desired(self.spec, self.site)}

    def observed(self) -> dict[Address, Resource]:
        return {r.address: r for r in self.kind.observed(self.spec, self.site)}

    def changes(self) -> tuple[Change, ...]:
        """What a plan would hold of this kind; it reads what decides."""
        desired = assume_desired(self.desired(), self.ledger.records)
        observed = assume_observed(self.observed(), self.ledger.records)
        at_source, at_destination = undecided(desired, observed)
        desired |= {a: self.kind.read(desired[a], Side.SOURCE, self.spec, self.site) for a in at_source}
        observed |= {a: self.kind.read(observed[a], Side.DESTINATION, self.spec, self.site) for a in at_destination}
        return tuple(c for c in diff(desired, observed, self.ledger.records) if c.address in desired)

    def carry_out(self, changes: Sequence[Change]) -> list[Event]:
        """Does all steps of the changes in their order and commits what they say."""
        told: list[Event] = []
        for change in changes:
            for verb in self.kind.verbs(change) if change.action.writes else ():
                step = Step(change.address, verb, change=change)
                self._commit(self.kind.perform(step, self.spec, self.site, told.append).records)
            if change.action in (Action.ADOPT, Action.REFRESH):
                raise AssertionError(f"nothing is to be recorded without a write: {change.address}")
        return told

    def _commit(self, records: Sequence[Record]) -> None:
        for record in records:
            self.ledger.commit(record)
