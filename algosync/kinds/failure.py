"""Failure: a test that changed data files failed, as the records of these files remember it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from algosync.core.lean import dataclass
from algosync.core.resource import Json, Record

__all__ = ["Failure", "with_failure", "without_failure"]

_FAILURE = "failed"


@dataclass(frozen=True, slots=True)
class Failure:
    """A test that failed with changed data files.

    `candidate`: a fingerprint of what was tested. `by_digest`: the names of the data files that it has by their digests. `at`: when
    the test ended, ISO 8601 in UTC. `reason`: what the test said, without secrets.
    """

    candidate: str
    at: str
    reason: str
    by_digest: tuple[str, ...] = ()

    @classmethod
    def of(cls, record: Record | None) -> Failure | None:
        """None: no test failed with this file since it was last settled."""
        value = record.private.get(_FAILURE) if record else None
        if not isinstance(value, Mapping):
            return None
        candidate, at, reason = (str(value.get(name, "")) for name in ("candidate", "at", "reason"))
        return cls(candidate, at, reason, _names(value.get("by_digest")))


def _names(value: Json) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else ()


def with_failure(record: Record, failure: Failure) -> Record:
    value = {**asdict(failure), "by_digest": list(failure.by_digest)}
    return replace(record, private={**record.private, _FAILURE: value})


def without_failure(record: Record) -> Record:
    if _FAILURE not in record.private:
        return record
    return replace(record, private={name: value for name, value in record.private.items() if name != _FAILURE})
