"""Equality of JSON values: exact, or of numbers within a tolerance."""

from __future__ import annotations

from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from typing import TypeGuard

from algosync.answers.exact_json import Value
from algosync.core.testing.case import Tolerance

__all__ = ["EXACT", "is_number", "same", "same_leaf"]

EXACT = Tolerance()

_SUMS = Context(prec=50, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])


def same(expected: Value, got: Value, tolerance: Tolerance = EXACT) -> bool:
    """Whether two values are equal as JSON. Booleans are no numbers. Members have no order."""
    pending = [(expected, got)]
    while pending:
        one, other = pending.pop()
        if isinstance(one, dict):
            if not isinstance(other, dict) or one.keys() != other.keys():
                return False
            pending += [(value, other[name]) for name, value in one.items()]
        elif isinstance(one, list):
            if not isinstance(other, list) or len(one) != len(other):
                return False
            pending += zip(one, other, strict=True)
        elif not same_leaf(one, other, tolerance):
            return False
    return True


def same_leaf(expected: Value, got: Value, tolerance: Tolerance) -> bool:
    """Like `same`, where one of the values is no list and no object."""
    if expected == got:
        return isinstance(expected, bool) == isinstance(got, bool)
    if tolerance == EXACT or not is_number(expected) or not is_number(got):
        return False
    return _close(Decimal(expected), Decimal(got), tolerance)


def is_number(value: object) -> TypeGuard[int | Decimal]:
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def _close(one: Decimal, other: Decimal, tolerance: Tolerance) -> bool:
    """Decimals count as people do: 1.1 and 1.0 differ by 0.1, which floats do not say."""
    apart = _SUMS.abs(_SUMS.subtract(one, other))
    larger = max(one.copy_abs(), other.copy_abs())
    allowed = _SUMS.multiply(Decimal(repr(float(tolerance.relative))), larger)
    return apart <= max(allowed, Decimal(repr(float(tolerance.absolute))))
