"""Proportions: the intervals of a part of the cases, and of the difference of two parts of the same cases."""

from __future__ import annotations

from math import sqrt

from algosync.core.testing.gate import Interval

__all__ = ["paired_difference", "wilson"]

_Z = 1.959963984540054  # 95 % of a normal distribution


def wilson(part: float, cases: int) -> Interval:
    """Wilson's interval. It is wide for few cases, also where all of them are right."""
    shrunk = 1 + _Z**2 / cases
    middle = (part + _Z**2 / (2 * cases)) / shrunk
    half = _Z * sqrt(part * (1 - part) / cases + _Z**2 / (4 * cases**2)) / shrunk
    return Interval(max(0.0, middle - half), min(1.0, middle + half))


def paired_difference(lost: int, won: int, cases: int) -> Interval:
    """Of the part of cases that only one side has right: `lost` minus `won` (Bonett and Price, 2012)."""
    one, other = (lost + 1) / (cases + 2), (won + 1) / (cases + 2)
    half = _Z * sqrt((one + other - (one - other) ** 2) / (cases + 2))
    return Interval(max(-1.0, one - other - half), min(1.0, one - other + half))
