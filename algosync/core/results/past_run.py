"""Past run: one command that worked on a state, as the history beside the state remembers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from types import MappingProxyType

from algosync.core.codec import encode_json, require_text
from algosync.core.error import Corrupt
from algosync.core.lean import dataclass
from algosync.core.resource import Json
from algosync.core.timestamp import read_iso_time

__all__ = ["COMMANDS", "COUNTS", "PastRun", "PublishedVersion", "runs_in", "with_run"]

COMMANDS = ("apply", "destroy", "drift", "import", "rollback", "test")
"""The commands that the history has."""
COUNTS = ("added", "changed", "destroyed", "imported", "published", "tests_passed", "tests_failed", "findings")
"""What is counted of a run. A command has those that it can have."""
_ENTRIES, _BYTES = 500, 256 * 1024  # of the history
_VERSIONS = 100  # of one run; `published` counts all


@dataclass(frozen=True, slots=True)
class PublishedVersion:
    algorithm: str
    version: str
    commit: str


@dataclass(frozen=True, slots=True)
class PastRun:
    """`command`: its word after `algosync`. `by`: USER@HOST. `ci`: the run of a CI system that it was part of, or empty.

    `at`: when it started, ISO 8601 in UTC. `seconds`: how long it took. `versions`: those that it published, at most the first 100.
    """

    command: str
    workflow: str
    by: str
    at: str
    seconds: float
    exit_code: int
    ci: str = ""
    counts: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    versions: tuple[PublishedVersion, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether it could not do its work. That `drift` finds differences is no failure."""
        return self.exit_code not in (0, 2)

    def to_json(self) -> dict[str, Json]:
        versions: list[Json] = [
            {"algorithm": each.algorithm, "version": each.version, "commit": each.commit} for each in self.versions[:_VERSIONS]
        ]
        return {
            "command": self.command,
            "workflow": self.workflow,
            "by": self.by,
            "ci": self.ci,
            "at": self.at,
            "seconds": round(self.seconds, 3),
            "exit_code": self.exit_code,
            "counts": {name: self.counts[name] for name in COUNTS if name in self.counts},
            "versions": versions,
        }


def with_run(document: Mapping[str, Json], run: PastRun) -> Mapping[str, Json]:
    """The document with one more run. Its history has at most 500 runs and 256 KiB: the oldest ones are dropped.

    Earlier runs stay as they are, with members that a later version wrote.
    """
    before = document.get("history", [])
    if not isinstance(before, list):
        raise Corrupt("is damaged: its history is no list")
    return {**document, "history": _newest([*before, run.to_json()])}


def _newest(rows: Sequence[Json]) -> list[Json]:
    kept: list[Json] = []
    size = 0
    for row in reversed(rows[-_ENTRIES:]):
        size += len(encode_json(row)) + 1
        if size > _BYTES:
            break
        kept.append(row)
    return kept[::-1]


def runs_in(document: Mapping[str, Json]) -> tuple[tuple[PastRun, ...], int]:
    """The history of a document, the oldest run first, and how many of its entries cannot be read. Corrupt: it is no list."""
    rows = document.get("history", [])
    if not isinstance(rows, list):
        raise Corrupt("is damaged: its history is no list")
    runs, unreadable = [], 0
    for row in rows:
        try:
            runs.append(_run(row))
        except Corrupt:  # one entry must not hide the others; the caller learns the number
            unreadable += 1
    return tuple(runs), unreadable


def _run(row: Json) -> PastRun:
    if not isinstance(row, dict):
        raise Corrupt("an entry is no object")
    command, workflow, by, at = (require_text(row.get(name), name) for name in ("command", "workflow", "by", "at"))
    if read_iso_time(at) is None:
        raise Corrupt("an entry has no time")
    seconds = row.get("seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise Corrupt("seconds is not a number")
    counts, versions = row.get("counts", {}), row.get("versions", [])
    if not isinstance(counts, dict) or not isinstance(versions, list):
        raise Corrupt("an entry has no counts")
    known = {name: _whole(counts[name]) for name in COUNTS if name in counts}
    ci = require_text(row.get("ci", ""), "ci")
    published = tuple(map(_version, versions))
    return PastRun(command, workflow, by, at, float(seconds), _whole(row.get("exit_code")), ci, known, published)


def _whole(value: Json) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Corrupt("a count is not a whole number")
    return value


def _version(row: Json) -> PublishedVersion:
    if not isinstance(row, dict):
        raise Corrupt("a version is no object")
    return PublishedVersion(*(require_text(row.get(name), name) for name in ("algorithm", "version", "commit")))
