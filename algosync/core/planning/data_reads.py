"""Data reads: algorithms whose source reads data of other algorithms, and get a new version when that data changes. Pure.

Running workers keep the files that they loaded, also those of another algorithm's collection. The record of a version tells the
digests of the others' files that it was published with. What a record does not tell renews nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from algosync.core.address import Address
from algosync.core.lean import dataclass
from algosync.core.planning.change import Action, Change
from algosync.core.planning.renewal import Causes, ChangesOf, contents, may_be_newer, told_in, with_renewals
from algosync.core.planning.target import dependencies
from algosync.core.resource import Json, KindTraits, Record, Resource
from algosync.core.workflow import AlgorithmSpec

__all__ = [
    "READS",
    "READ_DATA",
    "READ_FROM",
    "READ_WRITTEN",
    "DataReads",
    "changed_since",
    "contents_of",
    "reads_of",
    "renewed_by_reads",
    "with_read_contents",
]

READS = "reads"
"""In the attributes of a source: for each collection that it reads, the names of the files. No names: any of its files."""

READ_DATA = "read_data"
"""In the private part of a version's record: with what others' data it was published, by algorithm, kind and name."""

READ_FROM = "read_from"
"""In the details of a version's change: the other algorithms whose changed data it reads."""

READ_WRITTEN = "read_written"
"""In the details of a version's change: whether this apply writes that data."""

_Names = Mapping[str, Sequence[str]]
"""For each collection the names of files. No names: any of its files."""


@dataclass(frozen=True, slots=True)
class DataReads:
    """The reads of each algorithm from others of the workflow, and the dependencies with them.

    `circular`: reads that would make a cycle of dependencies. They are not in `reads` and make no dependency.
    """

    reads: Mapping[str, _Names]
    depends_on: Mapping[str, tuple[str, ...]]
    circular: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, desired: Iterable[Resource], depends_on: Mapping[str, tuple[str, ...]]) -> DataReads:
        """`depends_on`: as the workflow says it. Earlier algorithms of the workflow come first where two make a cycle."""
        named = {r.address.algorithm: names for r in desired if r.attributes and (names := reads_of(r.attributes))}
        reads: dict[str, dict[str, Sequence[str]]] = defaultdict(dict)
        circular: dict[str, list[str]] = defaultdict(list)
        known = dict(depends_on)
        possible = ((name, other) for name in depends_on for other in named.get(name, ()) if other in known and other != name)
        for name, other in possible:
            if name in dependencies([other], known):
                circular[name].append(other)
            else:
                reads[name][other] = named[name][other]
                known[name] = tuple(dict.fromkeys((*known[name], other)))
        return cls(reads, known, circular)

    def noted(self, changes: Sequence[Change]) -> Sequence[Change]:
        """The changes, with a note on each source with circular reads."""
        return [self._noted(change) for change in changes] if self.circular else changes

    def _noted(self, change: Change) -> Change:
        others = self.circular.get(change.address.algorithm)
        if not others or change.after is None or not reads_of(change.after.attributes):
            return change
        name, read = change.address.algorithm, ", ".join(others)
        note = f"it reads data of {read}, which depends on {name}: {name} is not tested again when only that data changes"
        return replace(change, after=replace(change.after, notes=(*change.after.notes, note)))


def reads_of(attributes: Mapping[str, Json]) -> _Names:
    """The reads in the attributes of a source or of its record. Empty: it has none, or they are not known."""
    value = attributes.get(READS)
    found = value.items() if isinstance(value, Mapping) else ()
    return {name: [str(n) for n in names] for name, names in found if isinstance(names, Sequence) and not isinstance(names, str)}


def renewed_by_reads(
    changes: Sequence[Change],
    reads: Mapping[str, _Names],
    specs: Mapping[str, AlgorithmSpec],
    kinds: Mapping[str, KindTraits],
    recorded: Mapping[Address, Record],
) -> Sequence[Change]:
    """The changes, with an update of each version that reads changed data. `changes` are explained: held changes do not count."""

    if not reads:
        return changes

    def causes(change: Change, renewing: ChangesOf) -> Causes:
        told = _told(change, recorded.get(change.address))
        read = {} if change.action is Action.HOLD else reads.get(change.address.algorithm, {})
        found = [c for name, files in read.items() for c in renewing(name) if _reads(c, files) and _renews(c, told.get(name))]
        others = list(dict.fromkeys(c.address.algorithm for c in found))
        return Causes(found, {READ_FROM: others, READ_WRITTEN: any(map(_writes, found))})

    return with_renewals(changes, specs, kinds, causes)


def _reads(change: Change, names: Sequence[str]) -> bool:
    return not names or change.address.name in names


def _writes(change: Change) -> bool:
    """Whether new bytes are sent. Putting the previous bytes of an interrupted apply back does not count."""
    return change.action.writes and not change.details.get("put_back_only")


def _renews(change: Change, told: Mapping[str, Json] | None) -> bool:
    """`told`: what the version was published with. None: it is not known."""
    if change.action.has_steps or change.action is Action.HOLD or change.after is None or told is None:
        return _writes(change)
    names = told.get(change.address.kind)
    return isinstance(names, Mapping) and names.get(change.address.name or "") != change.after.digest


def _told(change: Change, record: Record | None) -> Mapping[str, Mapping[str, Json]]:
    """What the published version was published with. Empty: not known, for instance because the record is of another version."""
    if may_be_newer(change, record):
        return {}
    told = told_in(change, record).get(READ_DATA)
    return {o: kinds for o, kinds in told.items() if isinstance(kinds, Mapping)} if isinstance(told, Mapping) else {}


def changed_since(told: Json, now: Mapping[str, Mapping[str, Json]]) -> Sequence[str]:
    """The other algorithms whose data differs from what a version was published with. `told`: the value of `READ_DATA`, if any."""
    return [other for other, kinds in now.items() if isinstance(told, Mapping) and other in told and told[other] != kinds]


def contents_of(names: Sequence[str], kinds: Iterable[str], records: Iterable[Record]) -> Mapping[str, Json]:
    """What something that reads these files is published with: digests by kind and name. A named file without a record has none."""
    found = contents(r for r in records if r.address.kind in kinds and (not names or r.address.name in names))
    known: dict[str, dict[str, Json]] = {kind: dict.fromkeys(names) for kind in kinds}
    for kind, digests in found.items():
        known[kind].update(digests if isinstance(digests, Mapping) else {})
    return dict(known)


def with_read_contents(
    changes: Sequence[Change],
    depends_on: Mapping[str, tuple[str, ...]],
    kinds: Mapping[str, KindTraits],
    recorded: Mapping[Address, Record],
) -> Iterator[Record]:
    """The records of versions that do not tell what others' data they were published with, with what is recorded now.

    `depends_on`: as of the plan that has these changes.
    """
    reads = DataReads.of((c.after for c in changes if c.after is not None), depends_on).reads
    if not reads:
        return
    of: dict[str, list[Record]] = defaultdict(list)
    for address, record in sorted(recorded.items()):
        of[address.algorithm].append(record)
    for change in changes:
        by, record_of_it = kinds[change.address.kind].renewed_by, recorded.get(change.address)
        if not by or record_of_it is None or change.after is None:
            continue
        value = record_of_it.private.get(READ_DATA)
        told = value if isinstance(value, Mapping) else {}
        names = reads.get(change.address.algorithm, {})
        missing = {other: contents_of(names[other], by, of[other]) for other in names if other not in told}
        if missing:
            yield replace(record_of_it, private={**record_of_it.private, READ_DATA: {**told, **missing}})
