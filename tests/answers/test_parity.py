"""Parity: noise is what the source answers differently each time; all else that differs is a difference."""

from __future__ import annotations

import json

import pytest

from algosync.answers import Judge, compared
from algosync.core.testing.answer import Answer, CallFailure, Mismatch
from algosync.core.testing.case import Expectation, Tolerance
from algosync.core.testing.parity import DIFFERENCE, NOISE

PLAIN = Expectation()


def of(value: object) -> Answer:
    return Answer("json", json.dumps(value).encode())


def failed(message: str, kind: str = "AlgorithmError") -> Answer:
    return Answer("", b"", failure=CallFailure(message, kind, f"trace of {message}"))


def places(found: tuple[Mismatch, ...], name: str) -> list[str]:
    return [each.path for each in found if each.expectation == name]


TABLE: dict[str, tuple[object, object, object, list[str], list[str]]] = {
    # the source twice, the destination; noise; differences
    "equal": ({"a": 1}, {"a": 1}, {"a": 1.0}, [], []),
    "another value": ({"a": 1, "b": 2}, {"a": 1, "b": 2}, {"a": 3, "b": 2}, [], ["$.a"]),
    "several values": ({"a": 1, "b": [1, 2]}, {"a": 1, "b": [1, 2]}, {"a": 3, "b": [1, 4]}, [], ["$.a", "$.b[1]"]),
    "noise": ({"t": 1, "b": 2}, {"t": 2, "b": 2}, {"t": 3, "b": 2}, ["$.t"], []),
    "noise and a difference": ({"t": 1, "b": 2}, {"t": 2, "b": 2}, {"t": 3, "b": 4}, ["$.t"], ["$.b"]),
    "noise that the destination repeats": ({"t": 1}, {"t": 2}, {"t": 1}, ["$.t"], []),
    "noise inside lists": ([{"t": 1, "l": "a"}], [{"t": 2, "l": "a"}], [{"t": 3, "l": "b"}], ["$[0].t"], ["$[0].l"]),
    "a type that changes": ({"t": 1}, {"t": {"x": 1}}, {"t": [1, 2]}, ["$.t"], []),
    "a text that changes": ("10:00", "10:01", "10:02", ["$"], []),
    "a member that comes and goes": ({"a": 1, "t": 1}, {"a": 1}, {"a": 1, "t": 7}, ["$.t"], []),
    "and is left out": ({"a": 1, "t": 1}, {"a": 1}, {"a": 2}, ["$.t"], ["$.a"]),
    "noise that is missing": ({"t": 1}, {"t": 2}, {}, ["$.t"], ["$.t"]),
    "noise around a difference": ({"x": {"t": 1}}, {"x": {"t": 2}}, {"x": None}, ["$.x.t"], ["$.x"]),
    "a list of any length": ([1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 9, 9, 9], ["$[3:]"], []),
    "is compared as far as it goes": ([1, 2, 3], [1, 2, 3, 4], [1, 5], ["$[3:]"], ["$[1]"]),
    "a longer list": ([1, 2], [1, 2], [1, 2, 3], [], ["$[2]"]),
    "a shorter list": ([1, 2], [1, 2], [1], [], ["$[1]"]),
    "noise at the end of a shorter list": ([1, 2], [1, 3], [1], ["$[1]"], ["$[1]"]),
    "null is a value": ({"a": None}, {"a": None}, {}, [], ["$.a"]),
}


@pytest.mark.parametrize("row", TABLE)
def test_noise_and_differences(row: str) -> None:
    first, second, got, noise, different = TABLE[row]
    found = compared(PLAIN, (of(first), of(second)), of(got))
    assert (places(found, NOISE), places(found, DIFFERENCE)) == (noise, different)


def test_a_difference_tells_both_sides() -> None:
    (found,) = compared(PLAIN, (of({"label": "cat"}),) * 2, of({"label": "dog"}))
    assert found == Mismatch(DIFFERENCE, "$.label", '"cat"', '"dog"')
    missing, added = compared(PLAIN, (of({"a": 1}),) * 2, of({"b": 2}))
    assert (missing.note, added.note) == ("only the source has it", "only the destination has it")


def test_the_modifiers_of_the_expectation_apply_to_noise_and_differences() -> None:
    near = Expectation(tolerance=Tolerance(absolute=0.1))
    assert compared(near, (of({"s": 1.0}), of({"s": 1.05})), of({"s": 1.02})) == ()
    assert places(compared(near, (of({"s": 1.0}),) * 2, of({"s": 1.2})), DIFFERENCE) == ["$.s"]
    ignoring = Expectation(ignore=("$.id",))
    assert compared(ignoring, (of({"id": 1, "a": 1}), of({"id": 2, "a": 1})), of({"id": 3, "a": 1})) == ()
    unordered = Expectation(ignore_order=True)
    assert compared(unordered, (of([1, 2, 3]), of([3, 1, 2])), of([2, 3, 1])) == ()
    assert places(compared(unordered, (of([1, 2]), of([2, 1])), of([2, 4])), DIFFERENCE) == ["$[1]"]


def test_an_ignored_place_that_cannot_be_read_is_a_difference() -> None:
    """Cases of files may have such places: nobody looked for faults of theirs."""
    (found,) = compared(Expectation(ignore=("$.[",)), (of(1),) * 2, of(2))
    assert found.expectation == DIFFERENCE
    assert found.note.startswith("the expectation cannot be met: `ignore`")


def test_without_order_noise_in_one_element_is_noise_in_all() -> None:
    first, second, got = (
        [{"t": t, "l": label} for t, label in zip(times, "ab", strict=True)] for times in ((1, 1), (1, 2), (3, 4))
    )
    unordered = Expectation(ignore_order=True)
    found = compared(unordered, (of(first), of(second)), of(list(reversed(got))))
    assert places(found, DIFFERENCE) == []
    assert places(compared(unordered, (of(first), of(second)), of([got[0], {"t": 5, "l": "z"}])), DIFFERENCE) != []


def test_thousands_of_noisy_places_hide_no_difference() -> None:
    def answer(seed: int, label: str) -> Answer:
        return of({"a": seed, "vector": [at * seed for at in range(1, 5000)], "z": label})

    found = compared(PLAIN, (answer(1, "cat"), answer(2, "cat")), answer(3, "dog"))
    assert places(found, DIFFERENCE) == ["$.z"]
    assert places(found, NOISE)[:2] == ["$.a", "$.vector[0]"]
    assert found[100].note == "and over 900 more"


def test_noise_in_each_of_thousands_of_elements_hides_no_difference() -> None:
    def answer(seed: int, label: str) -> Answer:
        return of({"rows": [{"l": at if at < 2999 else label, "t": at * seed} for at in range(1, 3000)]})

    found = compared(PLAIN, (answer(1, "cat"), answer(2, "cat")), answer(3, "dog"))
    assert places(found, DIFFERENCE) == ["$.rows[2998].l"]


def test_errors_are_equal_if_kind_and_message_are() -> None:
    assert compared(PLAIN, (failed("boom"),) * 2, failed("boom")) == ()
    (found,) = compared(PLAIN, (failed("boom"),) * 2, failed("crash"))
    assert (found.expectation, found.expected, found.got) == (DIFFERENCE, "the error boom", "the error crash")
    assert places(compared(PLAIN, (failed("boom"),) * 2, failed("boom", "TimeoutError")), DIFFERENCE) == [""]
    (noise,) = compared(PLAIN, (failed("at 10:00"), failed("at 10:01")), failed("at 10:02"))
    assert noise.expectation == NOISE


def test_one_side_that_fails_is_a_difference() -> None:
    (found,) = compared(PLAIN, (of(1),) * 2, failed("boom"))
    assert (found.expected, found.got) == ("1", "the error boom")
    assert places(compared(PLAIN, (failed("boom"),) * 2, of(1)), DIFFERENCE) == [""]


def test_a_source_that_sometimes_fails_is_noise_and_its_answers_still_count() -> None:
    noise, different = compared(PLAIN, (of({"a": 1}), failed("busy")), of({"a": 2}))
    assert (noise.expectation, noise.note) == (NOISE, "the source answers in different ways")
    assert (different.expectation, different.path) == (DIFFERENCE, "$.a")
    assert places(compared(PLAIN, (of({"a": 1}), failed("busy")), failed("busy")), DIFFERENCE) == []


def test_content_types_and_bytes() -> None:
    text, data = Answer("text", b"1"), Answer("binary", b"\x00")
    assert places(compared(PLAIN, (of(1),) * 2, text), DIFFERENCE) == [""]
    (found,) = compared(PLAIN, (data,) * 2, Answer("binary", b"\x01"))
    assert (found.path, found.expected[:16]) == ("", "1 bytes, SHA-256")
    assert places(compared(PLAIN, (data, Answer("binary", b"\x01")), Answer("binary", b"\x02")), NOISE) == [""]
    assert compared(PLAIN, (Answer("text", b"a"),) * 2, Answer("text", b"b"))[0].path == "$"


def test_answers_that_are_no_json_are_equal_only_byte_by_byte() -> None:
    nan = Answer("json", b'{"a": NaN}')
    assert compared(PLAIN, (nan,) * 2, nan) == ()
    (found,) = compared(PLAIN, (nan,) * 2, of({"a": 1}))
    assert found.note.startswith("the answer of the source is not JSON")


def test_a_judge_compares_in_its_process_and_hides_secrets() -> None:
    with Judge(lambda text: text.replace("s3cret", "***")) as judge:
        assert judge.compare(PLAIN, (of(1),) * 2, of(1)) == ()
        assert judge.started == 0
        (found,) = judge.compare(PLAIN, (of({"k": "s3cret"}),) * 2, of({"k": "x"}))
        assert (found.expectation, found.expected, judge.started) == (DIFFERENCE, '"***"', 1)
        assert judge.judge(Expectation(equals="2"), of(1))[0].expectation == "equals"


def test_answers_that_are_too_large_to_compare_are_a_difference() -> None:
    large = Answer("json", b'"' + b"x" * (32 * 1024**2) + b'"')
    with Judge() as judge:
        (found,) = judge.compare(PLAIN, (large, large), of(1))
        assert (found.expectation, judge.started) == (DIFFERENCE, 0)
