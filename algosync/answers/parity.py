"""Parity: whether an answer equals those that another cluster gave to the same payload. Where these differ, nothing is compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from algosync.answers.baseline import digest
from algosync.answers.comparison import MOST_DIFFERENCES, differences
from algosync.answers.difference import ABSENT, Place, ValueDifference, path_of
from algosync.answers.exact_json import NotJson, Value
from algosync.answers.excerpt import excerpt, shortened, unseen
from algosync.answers.noise import Noise, is_length
from algosync.answers.selection import without
from algosync.answers.subject import Subject
from algosync.core.testing.answer import Answer, Mismatch
from algosync.core.testing.case import Expectation
from algosync.core.testing.parity import DIFFERENCE, NOISE

__all__ = ["alike", "parity"]

_LONGEST = 2000  # characters of an answer in a mismatch
_LARGE_PART = MOST_DIFFERENCES // 10


def alike(answers: Iterable[Answer]) -> bool:
    """Whether all answers are the same, byte by byte."""
    return len({(_form(answer), _content(answer)) for answer in answers}) <= 1


def parity(expect: Expectation, sources: Sequence[Answer], got: Answer) -> Iterator[Mismatch]:
    """The places at which the answers of the source differ from each other (NOISE), and the other places at which `got` differs
    from them (DIFFERENCE). `expected` is the source's value.

    `sources` has at least one answer. Of `expect`, `tolerance`, `ignore` and `ignore_order` count.
    """
    if alike((*sources, got)):
        return
    same_form = [answer for answer in sources if _form(answer) == _form(got)]
    other = next((answer for answer in sources if _form(answer) != _form(sources[0])), None)
    if other is not None:
        yield Mismatch(NOISE, "", _told(sources[0]), _told(other), "the source answers in different ways")
    if not same_form:
        yield Mismatch(DIFFERENCE, "", _told(sources[0]), _told(got))
    elif got.failure is not None or got.content_type == "binary":
        yield from _whole(same_form, got)
    else:
        yield from _values(expect, same_form, got)


def _form(answer: Answer) -> str:
    return "error" if answer.failure is not None else answer.content_type


def _content(answer: Answer) -> object:
    failure = answer.failure
    return answer.body if failure is None else (failure.kind, failure.message)


def _told(answer: Answer) -> str:
    if answer.failure is not None:
        return f"the error {answer.failure.message}"
    if answer.content_type == "binary":
        return f"{len(answer.body)} bytes, SHA-256 {digest(answer.body)}"
    return shortened(answer.body.decode("utf-8", "replace"), _LONGEST)


def _whole(sources: Sequence[Answer], got: Answer) -> Iterator[Mismatch]:
    """Errors and binary answers have no places: they are equal, or they are not."""
    other = next((answer for answer in sources if not alike((sources[0], answer))), None)
    if other is not None:
        yield Mismatch(NOISE, "", _told(sources[0]), _told(other))
    elif not alike((sources[0], got)):
        yield Mismatch(DIFFERENCE, "", _told(sources[0]), _told(got))


def _values(expect: Expectation, sources: Sequence[Answer], got: Answer) -> Iterator[Mismatch]:
    values: list[Value] = []
    for answer in (*sources, got):
        try:
            values.append(without(Subject(answer).value, expect.ignore))
        except NotJson as error:
            side = "destination" if answer is got else "source"
            yield Mismatch(DIFFERENCE, note=f"the answer of the {side} is {error}")
            return
    first, *others, last = values
    noise = Noise(ignore_order=expect.ignore_order)
    yield from chain.from_iterable(_noise(expect, noise, first, each) for each in others)
    noise.fit(last)
    compared = noise.masked(first), noise.masked(last)
    yield from (_difference(each) for each in _differences(expect, *compared))


def _noise(expect: Expectation, noise: Noise, first: Value, other: Value) -> Iterator[Mismatch]:
    """Adds the places at which the values differ, and yields them. Each round finds at most MOST_DIFFERENCES of them.

    A list or an object with a large part of these is noise as a whole, such as a vector of random numbers.
    """
    while found := list(_differences(expect, noise.masked(first), noise.masked(other))):
        lists, parts = set[Place](), Counter(each.place[:-1] for each in found)
        for each in found:
            around = each.place[:-1]
            noise.add(each, widened=len(found) >= MOST_DIFFERENCES and parts[around] >= _LARGE_PART)
            if not is_length(each):
                yield Mismatch(NOISE, path_of(each.place), excerpt(each.expected), excerpt(each.got))
            elif around not in lists:
                lists.add(around)
                path = f"{path_of(around)}[{each.place[-1]}:]"
                yield Mismatch(NOISE, path, excerpt(each.expected), excerpt(each.got), "the list has another length")
        for value in (first, other):
            noise.fit(value)


def _differences(expect: Expectation, one: Value, other: Value) -> Iterator[ValueDifference]:
    return differences(one, other, expect.tolerance, ignore_order=expect.ignore_order)


def _difference(each: ValueDifference) -> Mismatch:
    note = unseen(each.expected, each.got)
    if ABSENT in (each.expected, each.got):
        note = "only the source has it" if each.got is ABSENT else "only the destination has it"
    return Mismatch(DIFFERENCE, path_of(each.place), excerpt(each.expected), excerpt(each.got), note)
