"""File locks: shared or exclusive, waiting or not."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from algosync.state.file_lock import file_lock, open_lock_file, try_lock


@pytest.fixture
def other(tmp_path: Path) -> Iterator[int]:
    """A second descriptor of the lock file, whose locks conflict with those of `file_lock` as another process's would."""
    descriptor = open_lock_file(tmp_path / "x.lock")
    yield descriptor
    os.close(descriptor)


@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize("wanted", [True, False])
def test_only_shared_locks_are_held_together(tmp_path: Path, other: int, exclusive: bool, wanted: bool) -> None:
    with file_lock(tmp_path / "x.lock", exclusive=exclusive):
        assert try_lock(other, exclusive=wanted) == (not exclusive and not wanted)


def test_a_lock_is_released_when_the_body_fails(tmp_path: Path, other: int) -> None:
    with pytest.raises(KeyError), file_lock(tmp_path / "x.lock", exclusive=True):
        raise KeyError
    assert try_lock(other, exclusive=True)


def test_file_lock_waits(tmp_path: Path, other: int) -> None:
    assert try_lock(other, exclusive=True)
    order: list[str] = []

    def take() -> None:
        with file_lock(tmp_path / "x.lock", exclusive=True):
            order.append("taken")

    waiting = threading.Thread(target=take)
    waiting.start()
    waiting.join(0.1)
    order.append("released")
    fcntl.flock(other, fcntl.LOCK_UN)
    waiting.join(20)
    assert order == ["released", "taken"]


def test_the_file_is_for_its_owner_only(tmp_path: Path, other: int) -> None:
    assert (tmp_path / "x.lock").stat().st_mode & 0o777 == 0o600
