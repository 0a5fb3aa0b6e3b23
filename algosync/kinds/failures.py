"""Failures: the tests that changed data files failed, as the records of these files remember them.

A change whose test failed is held: it is not written again until the source, the data or the tests change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from algosync.core.resource import Record, digest_of
from algosync.core.text import printable
from algosync.core.workflow import AlgorithmSpec
from algosync.kinds.context import Context

__all__ = ["Failure", "failure_now", "held_since", "with_failure", "without_failure"]

_FAILURE = "failed"
_LONGEST_REASON = 300  # characters


@dataclass(frozen=True, slots=True)
class Failure:
    """A test that failed with changed data files.

    `candidate`: a fingerprint of what was tested. `at`: when, ISO 8601 in UTC. `reason`: what the test said, without secrets.
    """

    candidate: str
    at: str
    reason: str


def with_failure(record: Record, failure: Failure) -> Record:
    value = {"candidate": failure.candidate, "at": failure.at, "reason": failure.reason}
    return replace(record, private={**record.private, _FAILURE: value})


def without_failure(record: Record) -> Record:
    return replace(record, private={name: value for name, value in record.private.items() if name != _FAILURE})


def failure_now(spec: AlgorithmSpec, context: Context) -> Failure | None:
    """The failed test of the algorithm in this run. None: no test failed; tests that could not be carried out do not count."""
    reason = context.failed_tests.get(spec.name)
    if reason is None:
        return None
    # The state holds it: an algorithm's message may repeat a secret of its payload.
    return Failure(_candidate_of(spec, context), context.now(), printable(str(context.redacted(reason)), _LONGEST_REASON))


def held_since(record: Record | None, spec: AlgorithmSpec, context: Context) -> Failure | None:
    """Why a changed file is not written again: its test failed, and nothing has changed since. None: it is written."""
    value = record.private.get(_FAILURE) if record else None
    if not isinstance(value, Mapping) or spec.name in context.retried:
        return None
    failure = Failure(*(str(value.get(name, "")) for name in ("candidate", "at", "reason")))
    return failure if failure.candidate == _candidate_of(spec, context) else None


def _candidate_of(spec: AlgorithmSpec, context: Context) -> str:
    """A fingerprint of what a test of the algorithm tests: source, data files, settings, payloads. It changes with each of them.

    Nothing that could be guessed may be derived from a secret, so secrets are hidden first.
    """
    source = context.desired_sources.of(spec).resource
    files = {file.name: context.store.stat(file.source) for file in spec.data_files}
    return digest_of(
        {
            "source": source.digest,
            "files": {name: stat.stamp or f"{stat.size} bytes" for name, stat in files.items()},
            "settings": context.redacted(repr((spec.settings, spec.publish.callability))),
            "language": spec.language,
            "payload": context.redacted(spec.test_payload),
            "tests": [context.redacted(payload) for payload in context.tests.get(spec.name, ())],
        }
    )
