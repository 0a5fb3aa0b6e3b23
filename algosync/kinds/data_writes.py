"""Data writes: numbers the writes of an algorithm's data files.

A running worker keeps the files that it loaded. So a version that was published before a write, and a commit that was called before
a write, may still work with the old file. Numbers tell that where clocks could be wrong: each apply that writes data files of an
algorithm gives all of them one new number, which is larger than every recorded number of the algorithm. Putting previous bytes back
is a later write of the same apply, and gets the number after that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from algosync.core.resource import Record

__all__ = ["CALLED", "WRITE", "DataWrites"]

WRITE = "write"
"""In the private part of a record. Data: the number of its last write. Version: of the last write before it was published."""

CALLED = "called"
"""In the private part of a source's record: the number of the last write before the first call of its commit."""


@dataclass(slots=True)
class DataWrites:
    """The numbers of one command. `before`: for each algorithm the largest recorded number of any kind."""

    before: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    written: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _now: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, records: Iterable[Record]) -> DataWrites:
        """The numbers at the beginning of a command; the work is linear in the records."""
        found = cls()
        for record in records:
            name = record.address.algorithm
            found.before[name] = max(found.before[name], _number(record, WRITE) or 0, _number(record, CALLED) or 0)
            if record.address.kind == "data":
                found.written[name] = max(found.written[name], _number(record, WRITE) or 0)
        return found

    def next(self, algorithm: str, *, restores: bool = False) -> int:
        """The number of a write that is about to happen."""
        number = self.before[algorithm] + (2 if restores else 1)
        self._now[algorithm] = max(number, self._now.get(algorithm, 0))
        return number

    def last(self, algorithm: str) -> int:
        """The number of the last write of the algorithm's data files. 0: none is known."""
        return max(self.written[algorithm], self._now.get(algorithm, 0))

    def since_publish(self, version: Record) -> bool:
        """Whether data files were written after the version was published."""
        return self.last(version.address.algorithm) > (_number(version, WRITE) or 0)

    def since_call(self, source: Record) -> bool:
        """Whether data files were written after the first call of the source's commit. False: it was not called."""
        called = _number(source, CALLED)
        return called is not None and self.last(source.address.algorithm) > called

    def was_called(self, source: Record) -> bool:
        return _number(source, CALLED) is not None


def _number(record: Record, name: str) -> int | None:
    value = record.private.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
