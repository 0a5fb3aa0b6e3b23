"""Result of a test: how its last run ended, as it is remembered beside the state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from algosync.core.address import Address
from algosync.core.codec import address_from_json, require_text
from algosync.core.error import Corrupt, TestFailed, TimedOut
from algosync.core.event import Event, Measured, StepDone, StepFailed
from algosync.core.lean import dataclass
from algosync.core.planning.schedule import Verb
from algosync.core.resource import Json
from algosync.core.results.document import decode_document, encode_document

__all__ = ["TestResult", "decode_results", "encode_results", "merged", "result_of", "results_in", "with_results"]

_TEXTS = ("at", "since", "reason")
_ADDED = ("version", "commit", "payload_sha256", "answer_sha256")  # not in documents of earlier versions


@dataclass(frozen=True, slots=True)
class TestResult:
    """`at`: when the test ended. `since`: when it first failed since it last passed. Both are ISO 8601 in UTC.

    `reason`: why it failed; empty if it passed. What is stored has no secrets in it, and is shortened. `version` and `commit`: what
    was called; a commit that was not published has no version. `seconds`: how long the test took. The digests are those of
    `Measured`. Texts are empty if they are not known, as in documents of earlier versions.
    """

    __test__ = False  # without this pytest would collect the class

    address: Address
    passed: bool
    at: str
    since: str
    reason: str = ""
    version: str = ""
    commit: str = ""
    seconds: float = 0.0
    payload_sha256: str = ""
    answer_sha256: str = ""


def result_of(event: Event, at: str, measured: Measured | None = None) -> TestResult | None:
    """The result that an event tells, with the whole reason. None: no test ended, or it was skipped or could not be carried out.

    `measured`: the measures of the same test, which come before its end.
    """
    match event:
        case StepDone(step=step) if step.verb is Verb.TEST:
            result = TestResult(step.address, passed=True, at=at, since=at, seconds=event.seconds)
        case StepFailed(step=step, error=TestFailed() | TimedOut() as error) if step.verb is Verb.TEST:
            result = TestResult(step.address, passed=False, at=at, since=at, reason=error.message, seconds=event.seconds)
        case _:
            return None
    return _with_measures(result, measured) if measured else result


def _with_measures(result: TestResult, measured: Measured) -> TestResult:
    return replace(
        result,
        version=measured.called.version,
        commit=measured.called.commit,
        payload_sha256=measured.payload_sha256,
        answer_sha256=measured.answer_sha256,
    )


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


def encode_results(results: Mapping[Address, TestResult], document: Mapping[str, Json]) -> bytes:
    """The bytes of the document. `document`: the one before, as of `with_results`."""
    return encode_document(with_results(results, document))


def with_results(results: Mapping[Address, TestResult], document: Mapping[str, Json]) -> Mapping[str, Json]:
    """The document with these results. Members that a later version wrote, also those of a test, stay."""
    before = document.get("tests")
    known = before if isinstance(before, dict) else {}
    rows: dict[str, Json] = {
        name: {**known.get(name, {}), **_row(r)} for name, r in ((str(result.address), result) for result in results.values())
    }
    return {**document, "tests": rows}


def _row(result: TestResult) -> dict[str, Json]:
    texts: dict[str, Json] = {name: getattr(result, name) for name in (*_TEXTS, *_ADDED)}
    return {"passed": result.passed, **texts, "seconds": round(result.seconds, 3)}


def decode_results(data: bytes) -> tuple[Mapping[Address, TestResult], Mapping[str, Json]]:
    """The results, and the whole document. Raises what `decode_document` and `results_in` raise."""
    document = decode_document(data)
    return results_in(document), document


def results_in(document: Mapping[str, Json]) -> Mapping[Address, TestResult]:
    """The results of a document. Corrupt: they are damaged."""
    tests = document.get("tests", {})
    if not isinstance(tests, dict):
        raise Corrupt("is damaged: its tests are no object")
    results = [_decoded(text, row) for text, row in tests.items()]
    return {result.address: result for result in results}


def _decoded(text: str, row: Json) -> TestResult:
    if not isinstance(row, dict) or not isinstance(row.get("passed"), bool):
        raise Corrupt(f"is damaged: {text} has no result")
    texts = {name: require_text(row.get(name), f"{name} of {text}") for name in _TEXTS}
    texts |= {name: require_text(row.get(name, ""), f"{name} of {text}") for name in _ADDED}
    seconds = row.get("seconds", 0.0)
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise Corrupt(f"is damaged: seconds of {text} is not a number")
    return TestResult(address_from_json(text), passed=bool(row["passed"]), seconds=float(seconds), **texts)
