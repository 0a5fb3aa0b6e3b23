"""Previous bytes: what a data file had before this or an interrupted apply overwrote it, as its record remembers it.

The published version works with the previous bytes. They go back to the destination if the new version is not published.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from algosync.core.resource import Json, Record, digest_of
from algosync.core.workflow import AlgorithmSpec
from algosync.kinds.context import Context
from algosync.kinds.data_writes import WRITE

__all__ = [
    "Failure",
    "PreviousBytes",
    "candidate_of",
    "failure_now",
    "held_since",
    "left_overwritten",
    "with_previous",
    "without_previous",
    "write_number",
]

_PREVIOUS = "previous"
_FAILURE = "failed"


@dataclass(frozen=True, slots=True)
class PreviousBytes:
    """`sha256` (hex) and `size` (bytes) of the previous bytes; `new_size` of the new ones.

    `commit`: the published commit at that time. `write`: the number of the write that the previous bytes came from. `at`: the time
    of the overwrite, ISO 8601 in UTC.
    """

    sha256: str
    size: int
    new_size: int
    commit: str
    write: int
    at: str

    @classmethod
    def of(cls, record: Record | None) -> PreviousBytes | None:
        """None: the file was not overwritten, or what was overwritten is settled."""
        value = record.private.get(_PREVIOUS) if record else None
        if not isinstance(value, Mapping):
            return None
        try:
            return cls(
                sha256=str(value["sha256"]),
                size=int(str(value["size"])),
                new_size=int(str(value["new_size"])),
                commit=str(value["commit"]),
                write=int(str(value["write"])),
                at=str(value["at"]),
            )
        except (KeyError, ValueError):
            return None


@dataclass(frozen=True, slots=True)
class Failure:
    """A test that failed with changed data files. `candidate`: what was tested. `at`: when, ISO 8601 in UTC."""

    candidate: str
    at: str
    reason: str


def with_previous(record: Record, previous: PreviousBytes) -> Record:
    value: dict[str, Json] = {
        "sha256": previous.sha256,
        "size": previous.size,
        "new_size": previous.new_size,
        "commit": previous.commit,
        "write": previous.write,
        "at": previous.at,
    }
    return replace(record, private={**record.private, _PREVIOUS: value})


def without_previous(record: Record, failure: Failure | None = None) -> Record:
    """The record of a file whose overwriting is settled. `failure`: why the previous bytes were put back."""
    private = {name: value for name, value in record.private.items() if name not in (_PREVIOUS, _FAILURE)}
    if failure is not None:
        private[_FAILURE] = {"candidate": failure.candidate, "at": failure.at, "reason": failure.reason}
    return replace(record, private=private)


def failure_now(spec: AlgorithmSpec, context: Context) -> Failure | None:
    """The failed test of the algorithm in this run. None: no test failed; tests that could not be carried out do not count."""
    reason = context.failed_tests.get(spec.name)
    return None if reason is None else Failure(candidate_of(spec, context), context.now(), reason)


def held_since(record: Record | None, spec: AlgorithmSpec, context: Context) -> Failure | None:
    """Why a changed file is not written again: its test failed, and nothing has changed since. None: it is written."""
    value = record.private.get(_FAILURE) if record else None
    if not isinstance(value, Mapping) or spec.name in context.retried:
        return None
    failure = Failure(*(str(value.get(name, "")) for name in ("candidate", "at", "reason")))
    return failure if failure.candidate == candidate_of(spec, context) else None


def left_overwritten(record: Record | None, context: Context) -> PreviousBytes | None:
    """The previous bytes that an interrupted apply did not put back. None: there are none, or their successor was published."""
    previous = PreviousBytes.of(record)
    if record is None or previous is None or not context.kept.has(record.address, previous.sha256):
        return None
    version = context.destination.published(record.address.algorithm)
    return previous if version is not None and version.commit == previous.commit else None


def candidate_of(spec: AlgorithmSpec, context: Context) -> str:
    """A fingerprint of what a test of the algorithm tests: source, data files, settings, payload. It changes with each of them."""
    source = context.desired_sources.of(spec).resource
    files = {file.name: context.store.stat(file.source) for file in spec.data_files}
    return digest_of(
        {
            "source": source.digest,
            "files": {name: stat.stamp or f"{stat.size} bytes" for name, stat in files.items()},
            "settings": repr((spec.settings, spec.publish.callability)),
            "language": spec.language,
            "payload": context.redacted(spec.test_payload),
            "tests": [context.redacted(payload) for payload in context.tests.get(spec.name, ())],
        }
    )


def write_number(record: Record) -> int:
    value = record.private.get(WRITE)
    return value if isinstance(value, int) else 0
