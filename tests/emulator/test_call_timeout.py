"""Time limits of calls, tested without a server because a test cannot wait 3000 s."""

import pytest

from algosync.emulator.api.calls import _timeout
from algosync.emulator.errors import ApiError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [(None, 300), ("", 300), ("1", 1), ("0.5", 0.5), ("3000", 3000), ("3001", 3000), ("99999", 3000), ("inf", 3000)],
)
def test_valid_timeouts(text: str | None, seconds: float) -> None:
    """The platform's default and maximum. Calls from inside an algorithm have no parameter, and so the default."""
    assert _timeout(text) == seconds


@pytest.mark.parametrize("text", ["0", "-1", "nan", "soon"])
def test_invalid_timeouts(text: str) -> None:
    with pytest.raises(ApiError) as refused:
        _timeout(text)
    assert refused.value.status == 400
