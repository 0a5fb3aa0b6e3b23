"""Verdict: all expectations of a case, applied to one answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from types import MappingProxyType
from typing import Any, TypeAlias

from algosync.answers import content, envelope
from algosync.answers.comparison import MOST_DIFFERENCES
from algosync.answers.exact_json import NotJson
from algosync.answers.excerpt import shortened
from algosync.answers.expectation_fault import faults
from algosync.answers.parity import parity
from algosync.answers.subject import Subject
from algosync.core.testing.answer import Answer, Mismatch
from algosync.core.testing.case import Expectation
from algosync.core.testing.parity import DIFFERENCE, NOISE

__all__ = ["EXPECTATIONS", "OF_ANY_CALL", "Begun", "compared", "given", "judge", "presented", "verdict"]

Rule: TypeAlias = "Callable[[Expectation, Subject], Iterable[Mismatch]]"
Begun: TypeAlias = tuple[str, int]
"""The name of an expectation, and the place of one of its items, from 0."""

EXPECTATIONS: Mapping[str, Rule] = MappingProxyType(
    {
        "error": envelope.error,
        "content_type": envelope.content_type,
        "equals": content.equals,
        "contains": content.contains,
        "match": content.match,
        "schema": content.schema,
        "baseline": content.baseline,
        "sha256": envelope.sha256,
        "size": envelope.size,
        "printed": envelope.printed,
        "not_printed": envelope.not_printed,
        "max_seconds": envelope.max_seconds,
    }
)
"""What an answer may be expected to be, by the key of `expect` and the field of `Expectation`."""

OF_ANY_CALL = frozenset({"error", "printed", "not_printed", "max_seconds"})
"""What is also expected of a call that failed."""

_OF_ITEMS = frozenset({"match", "printed", "not_printed"})
_SHOWN = 10
_SHOWN_OF_PARITY = 100
_LONGEST_PATH = 200
_LONGEST_TEXT = 2000


def judge(expect: Expectation, answer: Answer, redact: Callable[[str], str] = str) -> tuple[Mismatch, ...]:
    """All that is not as expected; empty: the answer passes. `redact` hides secrets before a text is shortened.

    Unbounded: an expectation may be costly (a `Judge` bounds it).
    """
    return presented(verdict(expect, answer), redact)


def presented(mismatches: Iterable[Mismatch], redact: Callable[[str], str]) -> tuple[Mismatch, ...]:
    """The mismatches with texts that fit on a line."""
    return tuple(
        replace(
            each,
            path=shortened(redact(each.path), _LONGEST_PATH),
            expected=shortened(redact(each.expected)),
            got=shortened(redact(each.got)),
            note=redact(each.note),
        )
        for each in mismatches
    )


def verdict(expect: Expectation, answer: Answer, begins: Callable[[Begun], object] = str) -> tuple[Mismatch, ...]:
    """Like `judge`, with texts of up to 2,000 characters. `begins` is told of each expectation before it is applied."""
    subject, failed = Subject(answer), answer.failure
    found = list(_failed_call(expect, answer))
    for name in given(expect):
        if failed is None or name in OF_ANY_CALL:
            found += _limited(name, _each(name, expect, subject, begins))
    return tuple(found)


def _each(name: str, expect: Expectation, subject: Subject, begins: Callable[[Begun], object]) -> Iterator[Mismatch]:
    """What does not hold of an expectation, item by item if it has several."""
    items = getattr(expect, name) if name in _OF_ITEMS else (None,)
    for place, item in enumerate(items):
        begins((name, place))
        alone: dict[str, Any] = {} if len(items) == 1 else {name: (item,)}
        yield from _applied(name, replace(expect, **alone), subject)


def compared(expect: Expectation, sources: Sequence[Answer], got: Answer) -> tuple[Mismatch, ...]:
    """`parity`, with texts of up to 2,000 characters."""
    try:
        found = list(parity(expect, sources, got))
    except RecursionError:
        return (Mismatch(DIFFERENCE, note="the answers are nested too deep to be compared"),)
    except ValueError as error:
        return (Mismatch(DIFFERENCE, note=_unreadable("ignore", expect, error)),)
    kinds = {name: iter([each for each in found if each.expectation == name]) for name in (NOISE, DIFFERENCE)}
    return tuple(each for name, kind in kinds.items() for each in _limited(name, kind, _SHOWN_OF_PARITY))


def given(expect: Expectation) -> list[str]:
    """The names of the expectations that are given."""
    return [name for name in EXPECTATIONS if getattr(expect, name) not in (None, ())]


def _failed_call(expect: Expectation, answer: Answer) -> Iterator[Mismatch]:
    if answer.failure is not None and expect.error is None:
        yield Mismatch("call", got=shortened(answer.failure.message, _LONGEST_TEXT), note="the call failed")


def _applied(name: str, expect: Expectation, subject: Subject) -> Iterator[Mismatch]:
    try:
        yield from EXPECTATIONS[name](expect, subject)
    except RecursionError:
        yield Mismatch(name, note="the answer or the expectation is nested too deep to be judged")
    except (LookupError, TypeError, ValueError, re.error) as error:
        yield Mismatch(name, note=_unreadable(name, expect, error))


def _unreadable(name: str, expect: Expectation, error: Exception) -> str:
    """Which side cannot be read. Expectations of a file of cases may have faults that nobody looked for."""
    if found := [fault for fault in faults(expect) if fault.key in {name, "ignore"}]:
        return f"the expectation cannot be met: `{found[0].key}` {found[0].message}"
    if isinstance(error, NotJson):
        return f"the answer is {error}"
    raise error


def _limited(name: str, found: Iterator[Mismatch], most_shown: int = _SHOWN) -> list[Mismatch]:
    """The first ones, and how many there are more."""
    shown = [_bounded(each) for each in islice(found, most_shown)]
    more = sum(1 for _ in islice(found, MOST_DIFFERENCES))
    if more:
        most = "over " if more + most_shown >= MOST_DIFFERENCES else ""
        shown.append(Mismatch(name, note=f"and {most}{more} more"))
    return shown


def _bounded(each: Mismatch) -> Mismatch:
    texts = {part: shortened(getattr(each, part), _LONGEST_TEXT) for part in ("path", "expected", "got", "note")}
    return replace(each, **texts)
