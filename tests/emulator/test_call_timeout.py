"""What becomes of a call's `timeout`: nobody waits 3000 s to see it."""

import pytest

from algosync.emulator.api.calls import _timeout
from algosync.emulator.errors import ApiError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [(None, 300), ("", 300), ("1", 1), ("0.5", 0.5), ("3000", 3000), ("3001", 3000), ("99999", 3000), ("inf", 3000)],
)
def test_seconds(text: str | None, seconds: float) -> None:
    """The platform's usual and its longest time; calls from inside say nothing, and so get the usual one."""
    assert _timeout(text) == seconds


@pytest.mark.parametrize("text", ["0", "-1", "nan", "soon"])
def test_no_seconds(text: str) -> None:
    with pytest.raises(ApiError) as refused:
        _timeout(text)
    assert refused.value.status == 400
