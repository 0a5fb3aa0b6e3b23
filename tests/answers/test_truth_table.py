"""What passes and what does not, as data: each expectation, each modifier, numbers, texts, order, depth, bytes."""

import pytest
from truth_table import FAILS, PASSES, Row

from algosync.answers import EXPECTATIONS, faults, judge


@pytest.mark.parametrize("row", PASSES, ids=str)
def test_the_answer_passes(row: Row) -> None:
    assert faults(row.expect) == []
    assert judge(row.expect, row.answer) == ()


@pytest.mark.parametrize("row", FAILS, ids=str)
def test_the_answer_does_not_pass(row: Row) -> None:
    assert faults(row.expect) == []
    found = judge(row.expect, row.answer)
    assert [(each.expectation, each.path) for each in found] == list(row.places)
    for each in found:
        assert each.expected or each.got or each.note
        assert max(len(each.expected), len(each.got)) <= 80


def test_the_table_has_every_expectation_and_modifier() -> None:
    used = {name for row in (*PASSES, *FAILS) for name in row.given}
    assert len(PASSES) + len(FAILS) >= 120
    assert used == {*EXPECTATIONS, "tolerance", "ignore", "ignore_order"}
