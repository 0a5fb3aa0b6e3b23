"""Ports: the Protocols through which the engine and the kinds use the outside world."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from enum import Enum
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

from algosync.core.event import Event
from algosync.core.lean import dataclass

if TYPE_CHECKING:
    from algosync.core.address import Address
    from algosync.core.planning.change import Change, Finding
    from algosync.core.planning.plan import Check
    from algosync.core.planning.schedule import Step, Verb
    from algosync.core.resource import KindTraits, Record, Resource
    from algosync.core.testing.parity import CaseParity, Sides
    from algosync.core.workflow import AlgorithmSpec

__all__ = ["Comparer", "Kind", "Ledger", "Outcome", "Performer", "Side", "Tell"]

Context_contra = TypeVar("Context_contra", contravariant=True)
Tell: TypeAlias = Callable[[Event], None]
"""Puts an event on the queue that the caller of apply reads."""


class Side(Enum):
    SOURCE = "source"
    DESTINATION = "destination"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a step: the new records, a short text for people, and the addresses that have no record any more."""

    records: tuple[Record, ...] = ()
    detail: str = ""
    forgotten: tuple[Address, ...] = ()


class Performer(Protocol[Context_contra]):
    """Carries out steps. The context gives it the clusters; the engine passes it on without using it."""

    def perform(self, step: Step, spec: AlgorithmSpec, context: Context_contra, tell: Tell, /) -> Outcome: ...


class Kind(Performer[Context_contra], Protocol[Context_contra]):
    """The behaviour of one kind of resource.

    `TRAITS` has the properties that planning uses. `desired` and `observed` list resources without reading bytes. `read` reads
    one resource for its digest. `explain` adds details to a visible change that only the kind knows, and the digest of new
    content that is cheap to read. `trace` adds to a finding what the destination tells of how it came about, without the source.
    `verbs` gives the steps that carry out a change, in order.
    """

    TRAITS: KindTraits

    def desired(self, spec: AlgorithmSpec, context: Context_contra, /) -> Iterable[Resource]: ...

    def observed(self, spec: AlgorithmSpec, context: Context_contra, /) -> Iterable[Resource]: ...

    def read(self, resource: Resource, side: Side, spec: AlgorithmSpec, context: Context_contra, /) -> Resource: ...

    def explain(self, change: Change, spec: AlgorithmSpec, context: Context_contra, /) -> Change: ...

    def trace(self, finding: Finding, spec: AlgorithmSpec, context: Context_contra, /) -> Finding: ...

    def verbs(self, change: Change, /) -> tuple[Verb, ...]: ...


class Ledger(Protocol):
    """The recorded state while a command works on it. Safe to use from several threads."""

    @property
    def records(self) -> Mapping[Address, Record]:
        """A view of the records, which shows every later change. A look-up takes the same time however many records there are."""

    @property
    def wrote(self) -> bool:
        """Whether a remote write succeeded since it was opened, or may have."""

    def writing(self, address: Address, verb: str) -> AbstractContextManager[None]:
        """Surrounds ONE remote write: the intent is durable before the body runs."""

    def announce(self, writes: Sequence[tuple[Address, str]]) -> None:
        """Makes the intents of several writes durable at once, so that `writing` has nothing to do for the first of each.

        A write that was announced need not follow.
        """

    def commit(self, record: Record) -> None:
        """Durable when it returns."""

    def forget(self, address: Address) -> None:
        """Durable when it returns."""

    def commit_all(self, records: Iterable[Record], forgotten: Iterable[Address] = ()) -> None:
        """Commits and then forgets, one after the other. Durable when it returns."""


class Comparer(Protocol):
    """Calls algorithms on both sides with the same payloads."""

    def sides(self, check: Check, /) -> Sides:
        """What a test calls. AlgosyncError: one of the sides has nothing that could be called."""

    def cases(self, check: Check, /) -> Iterable[CaseParity]:
        """The comparison of each payload, as it is carried out. AlgosyncError: a call could not be carried out."""
