"""Data files in a rollback: those that get previous bytes back, and those of which the earlier bytes are lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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
    """A note on the data files that may differ from those that the earlier version was published with."""
    if earlier.following is None:
        return ()
    since = read_iso_time(earlier.following.built_at)  # the following version's files are overwritten after its build
    files, left = context.destination.files(spec.name), _left(spec, context)
    names = [record.address.name or "" for record in _recorded_files(spec.name, context)]

    def may_be_newer(name: str) -> bool:
        written = read_iso_time(files[name].modified)
        return since is None or written is None or written >= since

    newer = [name for name in names if name in files and name not in left and may_be_newer(name)]
    if not newer:
        return ()
    shown = ", ".join(newer[:_NAMED]) + (f" and {len(newer) - _NAMED} more" if len(newer) > _NAMED else "")
    why = "their earlier bytes are not kept"
    return (
        f"data files that were written after {earlier.target.number}, or may have been, stay as they are, because {why}: {shown}",
    )
