"""Origins: who wrote what is at the destination, and when."""

import pytest

from algosync.core.address import Address
from algosync.core.planning.change import Action, Change
from algosync.core.planning.origin import Origin, time_of, with_origin

HERE = Address("source", "A")
JANE = Origin("Jane <jane@example.com>", "2026-01-02T03:04:05+00:00")


def test_only_a_change_that_drifted_has_an_origin() -> None:
    drifted = Change(HERE, Action.UPDATE, None, None, drifted=True, details={"files": []})
    with_jane = with_origin(drifted, JANE)
    assert Origin.of(with_jane) == JANE
    assert with_jane.details["files"] == []
    assert with_origin(drifted, Origin()) == drifted
    assert Origin.of(with_origin(Change(HERE, Action.UPDATE, None, None), JANE)) == Origin()


@pytest.mark.parametrize(("seconds", "time"), [(0, "1970-01-01T00:00:00+00:00"), (-1, "1969-12-31T23:59:59+00:00"), (10**18, "")])
def test_the_time_of_a_commit(seconds: int, time: str) -> None:
    assert time_of(seconds) == time
