"""A comparison as text and as a document."""

import json

from samples import CHECKS, COMPARED_TEXT, COMPARISON, HEADER, LABELLED, META, SIDES, SUBJECTS

from algosync.core.error import Denied
from algosync.core.redaction import Redactor
from algosync.core.testing.parity import Comparison, TestParity
from algosync.core.text import PAINT
from algosync.views import FORMATS
from algosync.views.subject import Compared

EQUAL = TestParity(CHECKS[0].address, SIDES, 1, 0, (), (), 0.1, 0.1)
DIFFERENT = TestParity(CHECKS[0].address, SIDES, 12, 12, (LABELLED,) * 12, (), 0.1, 0.1)


def test_the_text() -> None:
    assert PAINT.sub("", FORMATS["text"](SUBJECTS["compare"], Redactor())) == COMPARED_TEXT


def test_of_many_payloads_the_first_ten_are_shown() -> None:
    text = FORMATS["text"](Compared(HEADER, Comparison((DIFFERENT,)), META), Redactor())
    assert text.count("payload: ") == 10
    assert "and 2 other payloads of this test" in text


def test_the_document() -> None:
    document = json.loads(FORMATS["json"](SUBJECTS["compare"], Redactor()))
    assert document["counts"] == {"equal": 1, "different": 1, "error": 1}
    first, second, third = document["comparisons"]
    assert (first["outcome"], first["payloads"], first["differing"]) == ("different", 3, 1)
    assert first["cases"][0]["differences"][0] == {"path": "$.label", "source": '"cat"', "destination": '"dog"', "note": ""}
    assert second["noise"][0] == {"path": "$.time", "first": '"10:00"', "later": '"10:01"', "note": ""}
    assert (third["error"], third["source"], third["source_median_seconds"]) == ("boom \x07", None, None)


def test_the_exit_code_is_that_of_the_worst_test() -> None:
    denied = TestParity(CHECKS[0].address, error=Denied("403"))
    assert Comparison((EQUAL,)).exit_code == 0
    assert Comparison((EQUAL, DIFFERENT)).exit_code == 2
    assert Comparison((EQUAL, DIFFERENT, denied)).exit_code == 1
    assert len(Comparison((denied, denied)).errors) == 1
    assert len(COMPARISON.errors) == 1
