"""The desired source of each algorithm, and the data files that its model manifest pins.

A model manifest pins data files by MD5. To keep a plan cheap, the record of a source stores its digest and its pins: as long as the
stamp of the archive is the recorded one, the archive is not read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import field
from itertools import chain

from algosync.cluster.once import OncePerKey
from algosync.core.address import Address
from algosync.core.error import ClusterError, NotFound, SourceError, TransferError
from algosync.core.lean import dataclass
from algosync.core.planning.data_reads import READS
from algosync.core.ports import Ledger
from algosync.core.resource import READ_NOW, RECORDED, Json, Record, Resource
from algosync.core.workflow import AlgorithmSpec
from algosync.sources.code import archive_uri
from algosync.sources.manifest import PATHS
from algosync.sources.pins import Pin, pins_from_json, pins_to_json
from algosync.sources.source import Sources

__all__ = ["DesiredSource", "DesiredSources", "blobs_of", "paths_of"]

_KEPT = ("paths", "blobs", "manifest", READS)  # the attributes that a record shares with the desired resource


@dataclass(frozen=True, slots=True)
class DesiredSource:
    """The resource of kind `source`, and the pins of its model manifest."""

    resource: Resource
    pins: tuple[Pin, ...]


@dataclass(frozen=True, slots=True)
class DesiredSources:
    """The desired sources of a workflow. `reached`: the algorithms that the command looks at; None: all of them.

    `trusts_stamps`: an archive is not read if its stamp is the recorded one.
    """

    sources: Sources
    ledger: Ledger
    reached: Collection[str] | None = None
    trusts_stamps: bool = True
    _sources_read: OncePerKey[tuple[str, str | None], DesiredSource] = field(default_factory=OncePerKey, init=False, repr=False)
    _pinned: OncePerKey[str, frozenset[Address]] = field(default_factory=OncePerKey, init=False, repr=False)
    _all_pinned: OncePerKey[None, frozenset[Address]] = field(default_factory=OncePerKey, init=False, repr=False)
    _left: OncePerKey[None, deque[AlgorithmSpec]] = field(default_factory=OncePerKey, init=False, repr=False)

    def of(self, spec: AlgorithmSpec) -> DesiredSource:
        """SourceError: the source cannot be read or used."""
        stamp = self._archive_stamp(spec)
        return self._recorded(spec, stamp) or self._read(spec, stamp)

    def pinned_files(self, spec: AlgorithmSpec) -> frozenset[Address]:
        """The data files that the manifest of any algorithm in reach pins.

        Threads that plan different algorithms read different sources: first that of their own algorithm, then those that are left.
        """
        self._pinned_by(spec)
        left = self._left.get(None, lambda: deque(self._reached()))
        with suppress(IndexError):  # nothing is left
            while True:
                self._pinned_by(left.popleft())
        found = self._all_pinned.get(None, lambda: frozenset(chain.from_iterable(map(self._pinned_by, self._reached()))))
        own = self._pinned_by(spec)  # a plan also looks at algorithms whose data one in reach reads
        return found if own <= found else found | own

    def _reached(self) -> Iterator[AlgorithmSpec]:
        return (spec for spec in self.sources.algorithms if self.reached is None or spec.name in self.reached)

    def _pinned_by(self, spec: AlgorithmSpec) -> frozenset[Address]:
        """Empty if the source cannot be read. That error is reported for its own algorithm only, by `of`."""

        def look() -> frozenset[Address]:
            with suppress(SourceError, ClusterError, TransferError):
                return frozenset(pin.file for pin in self.of(spec).pins)
            return frozenset()

        return self._pinned.get(spec.name, look)

    def _archive_stamp(self, spec: AlgorithmSpec) -> str | None:
        """None: the archive is too young to have a stamp, or the code is local and has none."""
        uri = archive_uri(spec)
        try:
            return None if uri is None else self.sources.store.stat(uri).stamp
        except NotFound as error:
            raise SourceError(error.message, hint=self.sources.store.hint_for([uri or ""], self._archives())) from None

    def _archives(self) -> Iterable[str]:
        return filter(None, map(archive_uri, self.sources.algorithms))

    def _recorded(self, spec: AlgorithmSpec, stamp: str | None) -> DesiredSource | None:
        """None: there is no usable record, or the archive has changed since."""
        record = self.ledger.records.get(Address.of("source", spec.name))
        if record is None or stamp is None or stamp != record.source_stamp or not self.trusts_stamps:
            return None
        pins = self._recorded_pins(record, spec)
        if pins is None:
            return None
        attributes = {name: record.attributes[name] for name in _KEPT if name in record.attributes}
        return DesiredSource(Resource(record.address, attributes, stamp, record.digest, digest_from=RECORDED), pins)

    def _recorded_pins(self, record: Record, spec: AlgorithmSpec) -> tuple[Pin, ...] | None:
        """None: the record does not tell the pins, so the archive has to be read."""
        paths = paths_of(record.attributes)
        if paths is None:
            return None
        if PATHS.isdisjoint(paths):
            return ()
        files = self.sources.data_files
        return pins_from_json(record.attributes.get("manifest"), files.digest_for(spec.name), files.named)

    def _read(self, spec: AlgorithmSpec, stamp: str | None) -> DesiredSource:
        return self._sources_read.get((spec.name, stamp), lambda: self._made(spec, stamp))

    def _made(self, spec: AlgorithmSpec, stamp: str | None) -> DesiredSource:
        facts = self.sources.facts(spec, remembered=self.trusts_stamps)
        attributes: dict[str, Json] = {"paths": facts.paths}
        if facts.blobs:
            attributes["blobs"] = facts.blobs
        if facts.reads:
            attributes[READS] = facts.reads
        pins: tuple[Pin, ...] = ()
        if facts.has_manifest:
            pins = self.sources.tree(spec).pins
            attributes["manifest"] = pins_to_json(pins, self.sources.data_files.digest_for(spec.name))
        notes = tuple(facts.notes)
        resource = Resource(Address.of("source", spec.name), attributes, stamp, facts.id, notes=notes, digest_from=READ_NOW)
        return DesiredSource(resource, pins)


def paths_of(attributes: Mapping[str, Json]) -> Sequence[str] | None:
    """The paths of a source in the attributes of its resource or record. None: they are missing."""
    value = attributes.get("paths")
    return [str(path) for path in value] if isinstance(value, Sequence) and not isinstance(value, str) else None


def blobs_of(attributes: Mapping[str, Json]) -> Mapping[str, str] | None:
    """The blob ids of a source's files outside `src/`. None: they are missing, as in the records of older versions."""
    value = attributes.get("blobs")
    return {str(path): str(number) for path, number in value.items()} if isinstance(value, Mapping) else None
