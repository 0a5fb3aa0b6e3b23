"""Data files in a rollback: those that get previous bytes back, and those of which the earlier bytes are lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from algosync.cluster.data import FileStat
from algosync.core.planning.change import Change
from algosync.core.resource import Record, Resource
from algosync.core.timestamp import read_iso_time
from algosync.core.workflow import AlgorithmSpec
from algosync.kinds import data
from algosync.kinds.context import Context
from algosync.kinds.left_files import explained, is_left
from algosync.kinds.previous_bytes import PreviousBytes
from algosync.kinds.rollback.earlier_version import EarlierVersion

__all__ = ["LeftData", "cannot_be_put_back"]

_NAMED = 5  # data files in one note


class LeftData:
    """The kind `data` of a rollback.

    Data has no versions, and bytes are kept only until a version is published. So only files that an interrupted apply left
    overwritten are changed: they get their previous bytes back. `cannot_be_put_back` tells of the others.
    """

    TRAITS = data.TRAITS
    read = staticmethod(data.read)
    trace = staticmethod(data.trace)
    verbs = staticmethod(data.verbs)
    perform = staticmethod(data.perform)

    @staticmethod
    def desired(spec: AlgorithmSpec, context: Context) -> Iterable[Resource]:
        for record in _recorded_files(spec.name, context):
            previous = PreviousBytes.of(record)
            if previous is not None and record.address.name in _left(spec, context):
                yield Resource(record.address, digest=previous.sha256, size=previous.size)

    @staticmethod
    def observed(spec: AlgorithmSpec, context: Context) -> Iterable[Resource]:
        return (found for found in data.observed(spec, context) if is_left(found))

    @staticmethod
    def explain(change: Change, spec: AlgorithmSpec, context: Context) -> Change:  # noqa: ARG004  # as the Protocol says
        return explained(change)


def _left(spec: AlgorithmSpec, context: Context) -> set[str | None]:
    return {found.address.name for found in LeftData.observed(spec, context)}


def _recorded_files(algorithm: str, context: Context) -> Iterator[Record]:
    for address, record in sorted(context.ledger.records.items()):
        if address.kind == "data" and address.algorithm == algorithm:
            yield record


def cannot_be_put_back(spec: AlgorithmSpec, earlier: EarlierVersion, context: Context) -> tuple[str, ...]:
    """Notes on the data files that may differ from those that the earlier version was published with."""
    files, names = (
        context.destination.files(spec.name),
        [record.address.name or "" for record in _recorded_files(spec.name, context)],
    )
    lost = {found.address.name or "": found.notes for found in data.observed(spec, context) if found.notes and not is_left(found)}
    left = _left(spec, context)
    notes = [f"{name}: {note}" for name, found in lost.items() for note in found]
    if gone := [name for name in names if name not in files]:
        notes.append(f"data files that are no longer at the destination do not come back: {_named(gone)}")
    rest = [name for name in names if name in files and name not in left and name not in lost]
    if newer := [name for name in rest if _may_be_newer(files[name], earlier)]:
        since = f"data files that were written after {earlier.target.number}, or may have been, stay as they are"
        notes.append(f"{since}, because their earlier bytes are not kept: {_named(newer)}")
    return tuple(notes)


def _may_be_newer(file: FileStat, earlier: EarlierVersion) -> bool:
    """Whether a file may have been written for a version that came after the target.

    A listing has whole seconds (PLATFORM.md §2.3), and the time of a build has fractions.
    """
    if earlier.following is None:
        return False
    since = read_iso_time(earlier.following.built_at)  # the following version's files are overwritten after its build
    written = read_iso_time(file.modified)
    return since is None or written is None or written >= since.replace(microsecond=0)


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
