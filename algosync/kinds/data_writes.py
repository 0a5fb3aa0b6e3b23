"""Data writes: numbers the writes of an algorithm's data files.

A running worker keeps the files that it loaded. So a version that was published before a write, and a commit that was called before
a write, may still work with the old file. Numbers tell that where clocks could be wrong: each apply that writes data files of an
algorithm gives all of them one new number, which is larger than every recorded number of the algorithm. Putting previous bytes back
is a later write of the same apply, and gets the number after that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import field

from algosync.core.lean import dataclass
from algosync.core.resource import Json, Record

__all__ = ["RESTORED", "WRITE", "DataWrites", "Use", "number_of"]

WRITE = "write"
"""In the private part of a record. Data: the number of its last write. Version: of the last write before it was published."""

RESTORED = "restored"
"""In the private part of a data record: the number of the write that put its previous bytes back. `WRITE` then belongs to those."""

_CALLED = "called"


@dataclass(frozen=True, slots=True)
class Use:
    """The first call of a commit, in the private part of a source's record; publishing the commit counts as a call.

    `write`: the number of the last write before that. None: the commit was not called. `read`: a digest of the other algorithms'
    data that it could load. None: it reads none, or that is not known.
    """

    commit: str
    write: int | None = None
    read: str | None = None

    @classmethod
    def of(cls, source: Record | None) -> Use | None:
        """None: nothing is known, as in the records of older versions and of commits that algosync did not push."""
        value = source.private.get(_CALLED) if source else None
        if not isinstance(value, Mapping) or not isinstance(commit := value.get("commit"), str):
            return None
        read = value.get("read")
        return cls(commit, _count(value.get("write")), read if isinstance(read, str) else None)

    def private(self) -> Mapping[str, Json]:
        """The private part of the source's record."""
        called: dict[str, Json] = {"commit": self.commit, "write": self.write}
        return {_CALLED: called if self.read is None else {**called, "read": self.read}}


@dataclass(slots=True)
class DataWrites:
    """The numbers of one command, by algorithm.

    `before`: the largest recorded number of any kind. `written`: that of the data files' bytes. `_now`: that of this command.
    """

    before: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    written: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _now: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, records: Iterable[Record]) -> DataWrites:
        """The numbers at the beginning of a command; the work is linear in the records."""
        found = cls()
        for record in records:
            if not record.private:
                continue
            name, write = record.address.algorithm, number_of(record, WRITE)
            use = Use.of(record) if _CALLED in record.private else None
            restored = number_of(record, RESTORED) if RESTORED in record.private else 0
            found.before[name] = max(found.before[name], write, restored, (use.write or 0) if use else 0)
            if record.address.kind == "data":
                found.written[name] = max(found.written[name], write)
        return found

    def next(self, algorithm: str, *, restores: bool = False) -> int:
        """The number of a write that is about to happen."""
        number = self.before.get(algorithm, 0) + (2 if restores else 1)
        self._now[algorithm] = max(number, self._now.get(algorithm, 0))
        return number

    def last(self, algorithm: str) -> int:
        """The number of the last write of the algorithm's data files. 0: none is known."""
        return max(self.before.get(algorithm, 0), self._now.get(algorithm, 0))

    def since_publish(self, algorithm: str, commit: str, version: Record | None, source: Record | None) -> bool:
        """Whether data files were written after `commit` was published. Putting previous bytes back does not count.

        An apply that was killed right after it published the commit did not record the version, but the use of the commit.
        """
        use = Use.of(source)
        used = (use.write or 0) if use and use.commit == commit else 0
        published = number_of(version, WRITE) if version else 0
        return self.written.get(algorithm, 0) > max(used, published)

    def since_call(self, source: Record) -> bool:
        """Whether data files were written after the first call of the source's commit. False: it was not called."""
        called = _first_call(source)
        return called is not None and self.last(source.address.algorithm) > called

    def was_called(self, source: Record) -> bool:
        """True also if that is not known: somebody else may have called the commit, or an older version of algosync."""
        return _first_call(source) is not None


def _first_call(source: Record) -> int | None:
    """The number of the last write before it, 0 if that is not known. None: the commit was not called."""
    use = Use.of(source)
    return use.write if use and use.commit == source.destination_stamp else 0


def number_of(record: Record, name: str) -> int:
    """The number that a record has under `WRITE` or `RESTORED`. 0: it has none."""
    return _count(record.private.get(name)) or 0


def _count(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
