"""Result of a test: how its last run ended, as it is remembered beside the state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from algosync.core.address import Address
from algosync.core.codec import address_from_json, encode_json, parse_json, require_text
from algosync.core.error import Corrupt, TestFailed, TimedOut
from algosync.core.event import StepDone, StepFailed
from algosync.core.report import Report
from algosync.core.resource import Json

__all__ = ["TestResult", "decode_results", "encode_results", "merged", "results_of"]

_FORMAT_VERSION = 1
_LONGEST = 500  # characters of a reason
_TEXTS = ("at", "since", "reason")


@dataclass(frozen=True, slots=True)
class TestResult:
    """`at`: when the test ended. `since`: when it first failed since it last passed. Both are ISO 8601 in UTC.

    `reason`: why it failed, without secrets; empty if it passed.
    """

    __test__ = False  # without this pytest would collect the class

    address: Address
    passed: bool
    at: str
    since: str
    reason: str = ""


def results_of(report: Report, at: str) -> Mapping[Address, TestResult]:
    """The results of a run. A test that was skipped, or that could not be carried out, has none."""
    found = {}
    for event in report.tests:
        address = event.step.address
        if isinstance(event, StepDone):
            found[address] = TestResult(address, passed=True, at=at, since=at)
        elif isinstance(event, StepFailed) and isinstance(event.error, (TestFailed, TimedOut)):
            found[address] = TestResult(address, passed=False, at=at, since=at, reason=event.error.message[:_LONGEST])
    return found


def merged(
    before: Mapping[Address, TestResult], new: Mapping[Address, TestResult], tests: Iterable[Address]
) -> dict[Address, TestResult]:
    """The results after a run: a test that failed before goes on failing since then. Only those of `tests` are kept."""
    found = {}
    for address in tests:
        old, result = before.get(address), new.get(address)
        if old is not None and result is not None and not old.passed and not result.passed:
            result = replace(result, since=old.since)
        if (kept := result or old) is not None:
            found[address] = kept
    return found


def encode_results(results: Mapping[Address, TestResult], others: Mapping[str, Json]) -> bytes:
    """The bytes of the document. `others`: its other members, written by later versions; they are kept."""
    rows: dict[str, Json] = {
        str(result.address): {"passed": result.passed, "at": result.at, "since": result.since, "reason": result.reason}
        for result in results.values()
    }
    return (encode_json({**others, "format_version": _FORMAT_VERSION, "tests": rows}) + "\n").encode("ascii")


def decode_results(data: bytes) -> tuple[Mapping[Address, TestResult], Mapping[str, Json]]:
    """The results, and the other members of the document. Corrupt: it is damaged, or has a newer format."""
    document = parse_json(data)
    if not isinstance(document, dict) or document.get("format_version") != _FORMAT_VERSION:
        raise Corrupt("is damaged, or was written by a newer algosync")
    tests = document.get("tests")
    if not isinstance(tests, dict):
        raise Corrupt("is damaged: it has no tests")
    results = [_decoded(text, row) for text, row in tests.items()]
    others = {name: value for name, value in document.items() if name not in ("format_version", "tests")}
    return {result.address: result for result in results}, others


def _decoded(text: str, row: Json) -> TestResult:
    if not isinstance(row, dict) or not isinstance(row.get("passed"), bool):
        raise Corrupt(f"is damaged: {text} has no result")
    at, since, reason = (require_text(row.get(name), f"{name} of {text}") for name in _TEXTS)
    return TestResult(address_from_json(text), passed=bool(row["passed"]), at=at, since=since, reason=reason)
