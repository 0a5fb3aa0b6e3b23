"""Fixtures of the command line's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import Workspace


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Workspace]:
    """An empty folder, whose local clusters are stopped after the test."""
    place = Workspace(tmp_path)
    yield place
    for root in tmp_path.glob("state/local/*"):
        assert place.run("emulator", "stop", "--name", root.name).returncode == 0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of a cluster that has never run."""
    root = tmp_path / "state" / "local" / "default"
    root.mkdir(parents=True)
    return root
