"""Baselines: what is written, how it reads in a diff, and what is read back."""

import difflib
import json

import pytest
from documents import check_document

from algosync.answers import accepted, judge, read_baseline
from algosync.core.testing.answer import Answer, CallFailure
from algosync.core.testing.case import Baseline, Expectation
from algosync.core.testing.timing import timing_of

TIMING = timing_of([0.2, 0.30000000000000004], [0.1], errors=1, total=0.7)


def test_it_is_sorted_with_one_member_a_line_and_the_digits_that_were_sent() -> None:
    text = accepted(Answer("json", '{"b":[1.0,1e400,-0.0],"a":{"é":"\u200b","id":9007199254740993}}'.encode()))
    assert (
        text
        == """{
  "answer": {
    "a": {
      "id": 9007199254740993,
      "é": "\\u200b"
    },
    "b": [
      1.0,
      1e400,
      -0.0
    ]
  },
  "content_type": "json",
  "format_version": 1
}
"""
    )


def test_a_diff_shows_the_line_that_changed() -> None:
    before = accepted(Answer("json", b'{"boxes": [{"label": "cat", "score": 0.9}], "ms": 1}'))
    after = accepted(Answer("json", b'{"ms": 1, "boxes": [{"score": 0.90, "label": "dog"}]}'))
    changed = [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line[0] in "+-"]
    assert [" ".join(line.split()) for line in changed] == [
        '- "label": "cat",',
        '+ "label": "dog",',
        '- "score": 0.9',
        '+ "score": 0.90',
    ]


def test_a_text_has_one_line_of_it_a_line() -> None:
    text = accepted(Answer("text", b"one\r\ntwo\n"))
    assert '"one\\r\\n",\n    "two\\n"\n' in text
    assert read_baseline(text).value == "one\r\ntwo\n"


def test_bytes_are_told_by_digest_and_size() -> None:
    accepted_bytes = read_baseline(accepted(Answer("binary", b"abc")))
    assert accepted_bytes.size == 3
    assert accepted_bytes.sha256.startswith("ba7816bf")


@pytest.mark.parametrize("answer", [Answer("json", b"[1]"), Answer("text", b"a"), Answer("binary", b"\xff")])
def test_the_timing_of_the_run_is_kept(answer: Answer) -> None:
    text = accepted(answer, TIMING)
    check_document("baseline", json.loads(text))
    assert read_baseline(text).timing == TIMING
    assert judge(Expectation(baseline=Baseline("a.json", text)), answer) == ()


@pytest.mark.parametrize(
    "answer",
    [Answer("json", b"", failure=CallFailure("boom")), Answer("json", b"NaN"), Answer("json", b"\xff"), Answer("text", b"\xff")],
)
def test_what_is_no_answer_is_not_accepted(answer: Answer) -> None:
    with pytest.raises(ValueError, match=r"call failed|not JSON|not UTF-8"):
        accepted(answer)


def test_a_file_that_was_damaged_is_a_mismatch() -> None:
    (found,) = judge(Expectation(baseline=Baseline("a.json", "<<<<<<< HEAD")), Answer("json", b"1"))
    assert "not JSON" in found.note
