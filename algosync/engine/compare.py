"""Compare: calls the algorithms on both sides with the payloads of the tests. Nothing is changed on either side."""

from __future__ import annotations

from collections.abc import Iterable

from algosync.core.error import AlgosyncError, TimedOut, Unreachable
from algosync.core.planning.plan import Check
from algosync.core.ports import Comparer
from algosync.core.testing.parity import Comparison, TestParity, parity_of

__all__ = ["compare"]


def compare(checks: Iterable[Check], comparer: Comparer) -> Comparison:
    """One test after another. A test that cannot be compared has an `error`, and the others are compared all the same.

    Unreachable: a cluster does not answer, so the next tests would wait in vain, too.
    """
    return Comparison(tuple(_compared(check, comparer) for check in checks))


def _compared(check: Check, comparer: Comparer) -> TestParity:
    try:
        sides = comparer.sides(check)
    except Unreachable:
        raise
    except AlgosyncError as error:
        return TestParity(check.address, error=error)
    found = parity_of(check.address, sides, comparer.cases(check))
    if isinstance(found.error, Unreachable) and not isinstance(found.error, TimedOut):
        raise found.error
    return found
