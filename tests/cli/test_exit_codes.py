"""The exit code of several results: the worst of them."""

from __future__ import annotations

import pytest

from algosync.cli.reporting.error_code import error_code, worst
from algosync.core.error import AlgosyncError, PlanRefused, Several, UsageError


@pytest.mark.parametrize(
    ("codes", "expected"),
    [((), 0), ((0, 0), 0), ((0, 2), 2), ((2, 3), 3), ((3, 64), 64), ((64, 6), 6), ((6, 5), 5), ((5, 1, 0), 1), ((1, 4), 4)],
)
def test_the_worst_counts(codes: tuple[int, ...], expected: int) -> None:
    assert worst(codes) == worst(codes[::-1]) == expected


def test_of_several_errors_the_worst_counts() -> None:
    assert error_code(Several((UsageError("a"), PlanRefused("b")))) == 5
    assert error_code(Several((PlanRefused("b"), AlgosyncError("c")))) == 1
