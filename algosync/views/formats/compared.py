"""The outline of a comparison of answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from algosync.core.redaction import Redactor
from algosync.core.testing.answer import Mismatch
from algosync.core.testing.parity import TestParity
from algosync.core.text import latency, middle_cut, plural
from algosync.views.formats.outline import Count, Ending, Entry, Outline, OutlineSection
from algosync.views.formats.shown import LONGEST_ROW, address_text, facts_of, numbers, short
from algosync.views.subject import Compared
from algosync.views.value import Redact

__all__ = ["compared_outline"]

_SHOWN = 100  # rows of a test
_WORDS = {Ending.PASSED: "equal", Ending.FAILED: "different", Ending.ERROR: "not compared"}


def compared_outline(subject: Compared, redactor: Redactor) -> Outline:
    redact, tests = redactor.redact, subject.comparison.tests
    counted = Counter(map(_ending, tests))
    told = ", ".join(f"{counted[ending]:,} {word}" for ending, word in _WORDS.items())
    entries = tuple(_entry(test, redact) for test in tests)
    return Outline(
        "Compare",
        f"Compared {plural(len(tests), 'test')}: {told}.",
        good=subject.comparison.exit_code == 0,
        facts=facts_of(subject.header, subject.meta, redact),
        counts=tuple(Count("tests", word, counted[ending]) for ending, word in _WORDS.items()),
        sections=(OutlineSection("tests", "Tests", entries),) if entries else (),
        **numbers(subject.header, subject.meta, redact),
    )


def _ending(test: TestParity) -> Ending:
    return Ending.ERROR if test.error is not None else Ending.FAILED if test.differing else Ending.PASSED


def _entry(test: TestParity, redact: Redact) -> Entry:
    ending = _ending(test)
    lines = [_sentence(test), *_error(test, redact), *_lines(test, redact)] if ending is not Ending.PASSED else []
    return Entry(
        address_text(test.address, redact),
        short(redact(test.address.algorithm)),
        "",
        _sentence(test),
        ending,
        rows=tuple(("", text) for text in _noise(test, redact)),
        facts=tuple(_facts(test, redact)),
        lines=tuple(lines),
    )


def _sentence(test: TestParity) -> str:
    if test.differing:
        return f"{test.differing:,} of {plural(test.payloads, 'payload')} differ"
    return "could not be compared" if test.error is not None else f"equal for {plural(test.payloads, 'payload')}"


def _error(test: TestParity, redact: Redact) -> Iterator[str]:
    if test.error is not None:
        yield short(redact(test.error.message), LONGEST_ROW)


def _lines(test: TestParity, redact: Redact) -> Iterator[str]:
    for case in test.cases[:_SHOWN]:
        named = f" ({short(redact(case.name), 80)})" if case.name else ""
        yield f"payload {case.number:,}{named}: {_cut(case.payload, redact)}"
        yield from (f"  {_difference(each, redact)}" for each in case.differences[:10])
        if more := len(case.differences[10:]):
            yield f"  and {plural(more, 'other difference')}"
    if (more := test.differing - len(test.cases[:_SHOWN])) > 0:
        yield f"and {plural(more, 'other payload')}"


def _difference(each: Mismatch, redact: Redact) -> str:
    """The words in between are never secret."""
    path, source, here, note = (_cut(text, redact) for text in (each.path, each.expected, each.got, each.note))
    sides = f"source {source or 'nothing'}, destination {here or 'nothing'}" if source or here else ""
    return ": ".join(part for part in (path, sides or note) if part)


def _noise(test: TestParity, redact: Redact) -> Iterator[str]:
    for each in test.noise[:_SHOWN]:
        yield f"not compared, because the source itself differs: {_cut(each.path or each.note or 'the whole answer', redact)}"


def _facts(test: TestParity, redact: Redact) -> Iterator[tuple[str, str]]:
    if test.sides is not None:
        yield from (("source", short(redact(test.sides.source))), ("destination", short(redact(test.sides.destination))))
    for name, median in (("source_median", test.source_median), ("destination_median", test.destination_median)):
        if median is not None:
            yield name, latency(median)


def _cut(text: str, redact: Redact) -> str:
    return short(middle_cut(redact(text), 400), LONGEST_ROW)
