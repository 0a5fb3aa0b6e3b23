"""Fixtures of the contract of backends, and no time limit for the examples of hypothesis: a busy machine is slow."""

from pathlib import Path

import pytest
from hypothesis import settings

from algosync.state import BACKENDS

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture(params=sorted(BACKENDS))
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """For each backend an address where nothing is kept yet. One whose addresses are not paths needs a line of its own here."""
    return f"{request.param}://{tmp_path}/new/place"
