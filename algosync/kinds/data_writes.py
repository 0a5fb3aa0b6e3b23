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

__all__ = ["CALLED", "RESTORED", "WRITE", "DataWrites"]

WRITE = "write"
"""In the private part of a record. Data: the number of its last write. Version: of the last write before it was published."""

RESTORED = "restored"
"""In the private part of a data record: the number of the write that put its previous bytes back. `WRITE` then belongs to those."""

CALLED = "called"
"""In the private part of a source's record: the number of the last write before the first call of its commit."""


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
            name = record.address.algorithm
            numbers = (_number(record, kind) or 0 for kind in (WRITE, RESTORED, CALLED))
            found.before[name] = max(found.before[name], *numbers)
            if record.address.kind == "data":
                found.written[name] = max(found.written[name], _number(record, WRITE) or 0)
        return found

    def next(self, algorithm: str, *, restores: bool = False) -> int:
        """The number of a write that is about to happen."""
        number = self.before.get(algorithm, 0) + (2 if restores else 1)
        self._now[algorithm] = max(number, self._now.get(algorithm, 0))
        return number

    def last(self, algorithm: str) -> int:
        """The number of the last write of the algorithm's data files. 0: none is known."""
        return max(self.before.get(algorithm, 0), self._now.get(algorithm, 0))

    def since_publish(self, version: Record) -> bool:
        """Whether data files were written after the version was published. Putting previous bytes back does not count."""
        return self.written.get(version.address.algorithm, 0) > (_number(version, WRITE) or 0)

    def since_call(self, source: Record) -> bool:
        """Whether data files were written after the first call of the source's commit. False: it was not called."""
        called = _number(source, CALLED)
        return called is not None and self.last(source.address.algorithm) > called

    def was_called(self, source: Record) -> bool:
        return _number(source, CALLED) is not None


def _number(record: Record, name: str) -> int | None:
    value = record.private.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
