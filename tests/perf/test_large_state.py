"""A state of many records: a commit takes as long as in a small one, and reading it a few times as long as its JSON."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from algosync.cli.workflow_file import lasting
from algosync.core.address import Address
from algosync.core.resource import Record
from algosync.state import open_session

pytestmark = pytest.mark.alone

SMALL, LARGE = 300, 6_000
COMMITS = 300
ROUNDS = 3


def record(number: int) -> Record:
    stamp = "1024@2026-11-30T10:00:00Z"
    return Record(Address("data", f"A{number // 10}", f"f{number}.bin"), "ab" * 32, stamp, stamp, 1024)


def filled(folder: Path, records: int) -> None:
    with open_session(str(folder), "w", exclusive=True) as session:
        for number in range(records):
            session.commit(record(number))


def seconds_of_commits(folder: Path) -> float:
    """The fastest of several rounds, in processor time of this thread. The file is written at the end, which does not count."""
    found = []
    for _ in range(ROUNDS):
        with open_session(str(folder), "w", exclusive=True) as session:
            began = time.thread_time()
            for number in range(COMMITS):
                session.commit(record(number % SMALL))
            found.append(time.thread_time() - began)
    return min(found)


def seconds_of_reading(folder: Path) -> float:
    found = []
    for _ in range(ROUNDS):
        began = time.thread_time()
        with lasting():
            session = open_session(str(folder), "w", exclusive=False)
        found.append(time.thread_time() - began)
        session.close()
    return min(found)


def seconds_of_json(text: str) -> float:
    found = []
    for _ in range(ROUNDS):
        began = time.thread_time()
        json.loads(text)
        found.append(time.thread_time() - began)
    return min(found)


def test_a_commit_and_reading(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    filled(small, SMALL)
    filled(large, LARGE)
    growth = seconds_of_commits(large) / seconds_of_commits(small)
    reading = seconds_of_reading(large) / seconds_of_json((large / "w").read_text())
    with capsys.disabled():
        print(f"\na commit among {LARGE} records: {growth:.1f} x one among {SMALL}; reading them: {reading:.1f} x their JSON")
    assert growth < 3  # 1
    assert reading < 14  # 7, and 4 of 100,000 records
