"""The history beside a state: bounded, independent of the other sections and of the state, and never a reason to fail."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from documents import check_document
from state_samples import a_record

from algosync.core.address import Address
from algosync.core.codec import encode_json
from algosync.core.error import StateError
from algosync.core.resource import Json
from algosync.core.results.past_run import PastRun, PublishedVersion, with_run
from algosync.core.test_result import TestResult
from algosync.state import ResultsDocument, TestResults, copied, open_session, parse_address, state_name
from algosync.state.history import History
from algosync.state.local import LocalBackend

STATE = state_name("w", "local", "me")
NAME, ASIDE = "w@local~me.json.results", "w@local~me.json.results.damaged"
AT = "2026-11-30T12:00:00+00:00"
PUBLISHED = (PublishedVersion("A", "1.0.0", "c0"),)
RUN = PastRun("apply", "w", "me@here", AT, 1.5, 0, "GitHub run 7", {"added": 2, "published": 1}, PUBLISHED)
TEST = TestResult(Address("test", "A"), passed=True, at=AT, since=AT)


def document(folder: Path, state: str = STATE) -> ResultsDocument:
    return ResultsDocument(lambda name: parse_address(str(folder))(name, "algosync apply"), state)


def results(folder: Path) -> TestResults:
    return TestResults(lambda name: parse_address(str(folder))(name, "algosync apply"), STATE)


def history(folder: Path) -> History:
    return History(document(folder))


def numbered(number: int) -> PastRun:
    return replace(RUN, exit_code=number)


def test_runs_are_read_as_they_were_added_the_oldest_first(tmp_path: Path) -> None:
    assert history(tmp_path).read() == ((), 0)
    assert [history(tmp_path).add(each) for each in (RUN, numbered(4))] == ["", ""]
    assert history(tmp_path).read() == ((RUN, numbered(4)), 0)
    check_document("test_results", json.loads((tmp_path / NAME).read_bytes()))


def test_results_of_tests_and_the_history_leave_each_other_alone(tmp_path: Path) -> None:
    assert history(tmp_path).add(RUN) == ""
    assert results(tmp_path).record({TEST.address: TEST}, [TEST.address]) == ""
    assert history(tmp_path).add(numbered(1)) == ""
    assert results(tmp_path).read() == ({TEST.address: TEST}, "")
    assert history(tmp_path).read() == ((RUN, numbered(1)), 0)


def test_the_history_keeps_the_newest_500_runs() -> None:
    found: dict[str, Json] = {}
    for number in range(503):
        found = dict(with_run(found, numbered(number)))
    rows = found["history"]
    assert isinstance(rows, list)
    assert [row["exit_code"] for row in rows if isinstance(row, dict)] == [*range(3, 503)]


def test_the_history_keeps_256_kib_and_a_run_names_100_versions() -> None:
    versions = tuple(PublishedVersion(f"Algorithm{number}", "1.0.0", "c" * 40) for number in range(2000))
    found: dict[str, Json] = {}
    for number in range(100):
        found = dict(with_run(found, replace(numbered(number), versions=versions, counts={"published": 2000})))
    rows = found["history"]
    assert isinstance(rows, list)
    assert 10 < len(rows) < 100
    assert len(encode_json(rows)) <= 256 * 1024
    assert isinstance(rows[-1], dict)
    assert (rows[-1]["exit_code"], len(rows[-1]["versions"]), rows[-1]["counts"]) == (99, 100, {"published": 2000})


def test_runs_of_later_versions_stay_and_unreadable_ones_are_counted(tmp_path: Path) -> None:
    later = {**RUN.to_json(), "later": 1}
    rows: list[Json] = [later, 5, {**RUN.to_json(), "at": "noon"}, {**RUN.to_json(), "counts": {"added": True}}]
    (tmp_path / NAME).write_text(json.dumps({"format_version": 1, "tests": {}, "history": rows}))
    assert history(tmp_path).read() == ((RUN,), 3)
    assert history(tmp_path).add(numbered(1)) == ""
    assert json.loads((tmp_path / NAME).read_bytes())["history"] == [*rows, numbered(1).to_json()]


def test_a_damaged_history_is_written_anew_and_the_results_stay(tmp_path: Path) -> None:
    assert results(tmp_path).record({TEST.address: TEST}, [TEST.address]) == ""
    damaged = json.dumps({**json.loads((tmp_path / NAME).read_bytes()), "history": 5}).encode()
    (tmp_path / NAME).write_bytes(damaged)
    with pytest.raises(StateError, match=f"{NAME} is damaged: its history is no list"):
        history(tmp_path).read()
    assert "is written anew" in history(tmp_path).add(RUN)
    assert (tmp_path / ASIDE).read_bytes() == damaged
    assert history(tmp_path).read() == ((RUN,), 0)
    assert results(tmp_path).read() == ({TEST.address: TEST}, "")


def test_many_commands_at_once_lose_nothing(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        warnings = list(pool.map(lambda number: history(tmp_path).add(numbered(number)), range(24)))
    assert warnings == [""] * 24
    assert sorted(run.exit_code for run in history(tmp_path).read()[0]) == [*range(24)]


def test_a_run_is_one_write(tmp_path: Path) -> None:
    class Counted(LocalBackend):
        def write(self, data: bytes, *, expect: str | None) -> None:
            writes.append(expect)
            super().write(data, expect=expect)

    writes: list[str | None] = []
    assert History(ResultsDocument(lambda name: Counted(tmp_path / name), STATE)).add(RUN) == ""
    assert writes == [None]


def test_neither_the_lock_nor_the_serial_of_the_state_is_touched(tmp_path: Path) -> None:
    with open_session(str(tmp_path), STATE, exclusive=True) as session:
        session.commit(a_record())
        before = session.serial
        assert history(tmp_path).add(RUN) == ""
    with open_session(str(tmp_path), STATE, exclusive=False) as session:
        assert session.serial == before


def test_a_history_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    assert history(tmp_path).add(RUN).startswith("this command is not in the history: ")


def test_a_renamed_state_takes_all_sections_along(tmp_path: Path) -> None:
    assert copied(document(tmp_path), document(tmp_path, "other.json")) == ""
    assert not (tmp_path / "other.json.results").exists()
    history(tmp_path).add(RUN)
    results(tmp_path).record({TEST.address: TEST}, [TEST.address])
    assert copied(document(tmp_path), document(tmp_path, "other.json")) == ""
    assert (tmp_path / "other.json.results").read_bytes() == (tmp_path / NAME).read_bytes()
