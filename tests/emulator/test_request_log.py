"""The request log: its size stays bounded, whatever the requests."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from algosync.emulator.http.request_log import RequestLog, older
from algosync.emulator.pages.requests import recent


@contextlib.contextmanager
def logging(path: Path, max_bytes: int) -> Iterator[RequestLog]:
    log = RequestLog(path, lambda _: False, max_bytes)
    yield log
    log.close()


def scope(path: str, method: str = "GET") -> dict[str, object]:
    return {"raw_path": path.encode(), "query_string": b"", "method": method}


def test_long_paths_are_cut(tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    with logging(log, 10**6) as writing:
        writing.add(scope("/" + "x" * 31_000, "M" * 500), 401, 0)
    entry = json.loads(log.read_text())
    assert entry["path"] == "/" + "x" * 1023 + "... (31001 characters)"
    assert entry["method"] == "M" * 16


def test_one_older_file_is_kept(tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    numbers: list[str] = []
    for start in (0, 50):
        # The second log continues the file, as a restarted server does.
        with logging(log, 4000) as writing:
            for n in range(start, start + 50):
                writing.add(scope(f"/{n}"), 200, 0)
                numbers = [line.path for line in recent(log)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["requests.jsonl", "requests.older.jsonl"]
    assert max(log.stat().st_size, older(log).stat().st_size) <= 4000 < log.stat().st_size + older(log).stat().st_size
    assert numbers == [f"/{n}" for n in range(99, 99 - len(numbers), -1)]
    assert len(numbers) == sum(path.read_text().count("\n") for path in (log, older(log)))


def test_a_full_disk_loses_whole_lines_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "requests.jsonl"
    write = os.write
    with logging(log, 10**6) as writing:
        with monkeypatch.context() as full:
            full.setattr(os, "write", lambda file, data: write(file, data[:20]))
            writing.add(scope("/half"), 200, 0)
            full.setattr(os, "write", _no_room)
            writing.add(scope("/none"), 200, 0)
        writing.add(scope("/whole"), 200, 0)
    assert [json.loads(line)["path"] for line in log.read_text().splitlines()] == ["/whole"]


def test_a_failed_rollover_is_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "requests.jsonl"
    with logging(log, 200) as writing:
        writing.add(scope("/first"), 200, 0)
        with monkeypatch.context() as none:
            none.setattr(os, "open", _no_room)
            writing.add(scope("/" + "x" * 200), 200, 0)
        for path in ("/second", "/third", "/fourth"):
            writing.add(scope(path), 200, 0)
    assert json.loads(log.read_text().splitlines()[-1])["path"] == "/fourth"


def _no_room(*_: object) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
