"""The published versions of one algorithm, as text and as a document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from algosync.core.lean import dataclass
from algosync.core.planning.plan import PlanHeader
from algosync.core.redaction import Word
from algosync.core.resource import Json
from algosync.core.text import printable

__all__ = ["VersionRow", "version_lines", "versions_document"]

_HEAD = ("VERSION", "COMMIT", "BUILT", "CALLABLE BY", "")
_CALLERS = {"public": "everybody", "private": "its owner"}


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version. `built_at` is as the cluster writes times, or empty. `recorded`: it is the version in the state."""

    number: str
    commit: str
    built_at: str
    callability: str
    recorded: bool


def version_lines(algorithm: str, rows: Sequence[VersionRow]) -> Iterator[str]:
    """A table with the newest version first."""
    if not rows:
        yield f"{algorithm} has no published version."
        return
    table = [_HEAD, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _cells(row: VersionRow) -> tuple[str, ...]:
    callers = _CALLERS.get(row.callability, printable(row.callability, 20))
    return row.number, row.commit[:12], printable(row.built_at, 40), callers, "recorded" if row.recorded else ""


def versions_document(algorithm: str, rows: Iterable[VersionRow], header: PlanHeader, meta: Mapping[str, Json]) -> Json:
    versions: list[Json] = [
        {
            "version": Word(row.number),
            "commit": Word(row.commit),
            "built_at": row.built_at or None,
            "callability": row.callability,
            "recorded": row.recorded,
        }
        for row in rows
    ]
    return {
        "format_version": Word("1.0"),
        "meta": meta,
        "destination": header.destination,
        "owner": header.owner,
        "algorithm": algorithm,
        "versions": versions,
    }
