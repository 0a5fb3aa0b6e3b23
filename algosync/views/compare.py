"""A comparison of the source with the destination, as text and as a document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from algosync.core.planning.plan import PlanHeader
from algosync.core.redaction import Redactor, Word
from algosync.core.resource import Json
from algosync.core.testing.answer import Mismatch
from algosync.core.testing.parity import CaseParity, Comparison, TestParity
from algosync.core.text import latency, middle_cut, paint, plural, printable
from algosync.views.value import FORMAT_VERSION, Redact, redacted_address

__all__ = ["compare_document", "compare_lines"]

_SHOWN = 10  # cases of a test, differences of a case, and noise of a test
_LONGEST = 400  # characters of a payload, or of one difference
_STYLES = {"equal": ("green",), "different": ("red", "bold"), "error": ("red", "bold")}
_COUNTED = {"equal": "equal", "different": "different", "error": "not compared"}


def compare_lines(comparison: Comparison, redact: Redact) -> Iterator[str]:
    """Each test with the times of both sides, then what differs, what is noise, and the sums."""
    yield from _table(comparison.tests, redact)
    for test in comparison.tests:
        yield from _different(test, redact)
    yield from _noise(comparison.tests, redact)
    yield ""
    counts = Counter(map(_outcome, comparison.tests))
    told = ", ".join(f"{counts[name]} {word}" for name, word in _COUNTED.items())
    line = f"Compared {plural(len(comparison.tests), 'test')}: {told}."
    yield paint(line, "bold") if comparison.exit_code else paint(line, "green", "bold")


def _outcome(test: TestParity) -> str:
    return "error" if test.error is not None else "different" if test.differing else "equal"


def _table(tests: Iterable[TestParity], redact: Redact) -> Iterator[str]:
    """A row for each test. Latencies are medians."""
    head = ("", "test", "payloads", "source", "median", "destination", "median")
    rows = [head, *(_row(test, redact) for test in tests)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        word, *cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        styles = _STYLES.get(row[0])
        line = "  ".join([paint(word, *styles) if styles else word, *cells])
        yield f"  {line.rstrip()}"


def _row(test: TestParity, redact: Redact) -> tuple[str, ...]:
    address = printable(redacted_address(test.address, redact))
    payloads = f"{test.payloads:,}" if not test.differing else f"{test.differing:,} of {test.payloads:,} differ"
    there, here = (printable(redact(name)) for name in ((test.sides.source, test.sides.destination) if test.sides else ("", "")))
    return _outcome(test), address, payloads, there, _median(test.source_median), here, _median(test.destination_median)


def _median(seconds: float | None) -> str:
    return "" if seconds is None else latency(seconds)


def _different(test: TestParity, redact: Redact) -> Iterator[str]:
    for case in test.cases[:_SHOWN]:
        yield ""
        named = f" ({printable(redact(case.name), 80)})" if case.name else ""
        yield f"{printable(redacted_address(test.address, redact))}, payload {case.number:,}{named}"
        yield f"  payload: {_shortened(case.payload, redact)}"
        for each in case.differences[:_SHOWN]:
            yield f"  {paint('~', 'red')} {_told(each, redact)}"
        if more := len(case.differences[_SHOWN:]):
            yield f"  and {plural(more, 'other difference')}"
    if more := test.differing - len(test.cases[:_SHOWN]):
        yield f"and {plural(more, 'other payload')} of this test"


def _noise(tests: Iterable[TestParity], redact: Redact) -> Iterator[str]:
    noisy = [test for test in tests if test.noise]
    if noisy:
        yield ""
        yield "Noise: the source answers differently each time at these places, so they are not compared."
    for test in noisy:
        yield f"  {printable(redacted_address(test.address, redact))}"
        yield from (f"    {_told_of_noise(each, redact)}" for each in test.noise[:_SHOWN])
        if more := len(test.noise[_SHOWN:]):
            yield f"    and {plural(more, 'other place')}"


def _told_of_noise(each: Mismatch, redact: Redact) -> str:
    """Such as `$.time: "10:00", then "10:01"`."""
    path, first, later, note = _parts(each, redact)
    if not first and not later:
        return note
    return f"{path or 'the whole answer'}: {first or 'nothing'}, then {later or 'nothing'}{f' ({note})' if note else ''}"


def _told(each: Mismatch, redact: Redact) -> str:
    """Such as `$.label: source "cat", destination "dog"`."""
    path, there, here, note = _parts(each, redact)
    place = f"{path}: " if path else ""
    if not there and not here:
        return f"{place}{note}"
    return f"{place}source {there or 'nothing'}, destination {here or 'nothing'}{f' ({note})' if note else ''}"


def _parts(each: Mismatch, redact: Redact) -> tuple[str, str, str, str]:
    """The texts from outside, each on one line. The words around them are algosync's own, and are never hidden."""
    path, expected, got, note = (_shortened(text, redact) for text in (each.path, each.expected, each.got, each.note))
    return path, expected, got, note


def _shortened(text: str, redact: Redact) -> str:
    return printable(middle_cut(redact(text), _LONGEST))


def compare_document(header: PlanHeader, comparison: Comparison, meta: Json, redactor: Redactor) -> Mapping[str, Json]:
    counts = Counter(map(_outcome, comparison.tests))
    return {
        "format_version": FORMAT_VERSION,
        "meta": meta,
        "source": header.source,
        "destination": header.destination,
        "owner": header.owner,
        "counts": {word: counts[word] for word in _COUNTED},
        "comparisons": [_test(test, redactor) for test in comparison.tests],
    }


def _test(test: TestParity, redactor: Redactor) -> Json:
    return {
        "address": Word(redacted_address(test.address, redactor.redact)),
        "outcome": Word(_outcome(test)),
        "source": test.sides.source if test.sides else None,
        "destination": test.sides.destination if test.sides else None,
        "payloads": test.payloads,
        "differing": test.differing,
        "source_median_seconds": _seconds(test.source_median),
        "destination_median_seconds": _seconds(test.destination_median),
        "cases": [_case(case) for case in test.cases],
        "noise": [{"path": each.path, "first": each.expected, "later": each.got, "note": each.note} for each in test.noise],
        "error": None if test.error is None else test.error.message,
    }


def _case(case: CaseParity) -> Json:
    differences: list[Json] = [
        {"path": each.path, "source": each.expected, "destination": each.got, "note": each.note} for each in case.differences
    ]
    return {"number": case.number, "name": case.name, "payload": case.payload, "differences": differences}


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
