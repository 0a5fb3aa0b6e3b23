"""Held changes: a data change whose test failed is not written again until the source, the data or the tests change."""

from __future__ import annotations

from collections.abc import Mapping

from algosync.core.address import Address
from algosync.core.resource import Json, Record, digest_of
from algosync.core.testing.case import TestCase
from algosync.core.text import printable
from algosync.core.typed_json import to_json
from algosync.core.workflow import AlgorithmSpec
from algosync.kinds.context import Context
from algosync.kinds.failure import Failure

__all__ = ["failure_of", "held_since"]

_LONGEST_REASON = 300  # characters


def failure_of(message: str, spec: AlgorithmSpec, context: Context) -> Failure:
    """What is remembered of a test that has just failed. It is called before any data file gets its previous bytes back."""
    # A file that had just changed has no stamp yet. Its record has the digest of what was sent.
    records = context.ledger.records
    young = [file.name for file in spec.data_files if context.store.stat(file.source).stamp is None]
    digests = {name: record.digest for name in young if (record := records.get(Address.of("data", spec.name, name))) is not None}
    # The state holds the reason: an algorithm's message may repeat a secret of its payload.
    reason = printable(str(context.redacted(message)), _LONGEST_REASON)
    return Failure(_candidate_of(spec, context, digests), context.now(), reason, tuple(digests))


def held_since(record: Record | None, spec: AlgorithmSpec, context: Context) -> Failure | None:
    """Why a changed file is not written again: its test failed, and nothing has changed since. None: it is written."""
    failure = Failure.of(record)
    if failure is None or spec.name in context.retried:
        return None
    named = [file for file in spec.data_files if file.name in failure.by_digest]
    digests = {file.name: context.store.checksums(file.source)[0] for file in named}
    return failure if failure.candidate == _candidate_of(spec, context, digests) else None


def _candidate_of(spec: AlgorithmSpec, context: Context, digests: Mapping[str, str]) -> str:
    """A fingerprint of what a test of the algorithm tests: source, data files, settings, payloads. It changes with each of them.

    `digests`: SHA-256 of some data files; of the others it has the stamps. Nothing that could be guessed may be derived from a
    secret, so secrets are hidden first.
    """
    source = context.desired_sources.of(spec).resource
    stamps = {file.name: context.store.stat(file.source).stamp for file in spec.data_files if file.name not in digests}
    return digest_of(
        {
            "source": source.digest,
            "files": {**stamps, **{name: f"sha256 {digest}" for name, digest in digests.items()}},
            "settings": context.redacted(repr((spec.settings, spec.publish.callability))),
            "language": spec.language,
            "payload": context.redacted(spec.test_payload),
            "tests": [context.redacted(f"{case.payload} {case.timeout}") for case in context.tests.get(spec.name, ())],
            **_expected(spec, context),
        }
    )


def _expected(spec: AlgorithmSpec, context: Context) -> Mapping[str, Json]:
    """What the tests of the algorithm expect. Empty if each of them is only a payload: earlier versions knew no other tests."""
    cases = (*spec.tests, *context.tests.get(spec.name, ()))
    plain = all(case == TestCase(case.name, case.payload, case.timeout) for case in cases) and len(spec.tests) <= 1
    return {} if plain else {"cases": [context.redacted(to_json(case)) for case in cases]}
