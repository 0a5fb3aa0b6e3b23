"""The document of test results: merged, kept beside the state, and never a reason to fail."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import pytest
from state_samples import a_record

from algosync.core.address import Address
from algosync.core.error import Corrupt
from algosync.core.resource import Json
from algosync.core.test_result import TestResult, decode_results, encode_results, merged
from algosync.state import TestResults, open_session, parse_address, state_name
from algosync.state.local import LocalBackend

A, B = Address("test", "A"), Address("test", "A", "a case")
STATE = state_name("w", "local", "me")
NAME, ASIDE = "w@local~me.json.results", "w@local~me.json.results.damaged"


def failed(address: Address, at: str, reason: str = "no") -> TestResult:
    return TestResult(address, passed=False, at=at, since=at, reason=reason)


def passed(address: Address, at: str) -> TestResult:
    return TestResult(address, passed=True, at=at, since=at)


def results(folder: Path) -> TestResults:
    return TestResults(lambda name: parse_address(str(folder))(name, "algosync apply"), STATE)


def test_a_test_goes_on_failing_since_it_first_failed() -> None:
    once = merged({}, {A: failed(A, "1")}, [A])
    again = merged(once, {A: failed(A, "2", "worse")}, [A])
    assert again == {A: TestResult(A, passed=False, at="2", since="1", reason="worse")}
    mended = merged(again, {A: passed(A, "3")}, [A])
    assert merged(mended, {A: failed(A, "4")}, [A])[A].since == "4"


def test_a_test_that_did_not_run_keeps_its_result_and_one_that_is_gone_loses_it() -> None:
    before = {A: failed(A, "1"), B: failed(B, "1")}
    assert merged(before, {}, [A]) == {A: failed(A, "1")}


def test_the_document_is_read_as_it_was_written_with_members_of_later_versions() -> None:
    found = {A: failed(A, "1", "a reason with \x1b and é"), B: passed(B, "2")}
    later: dict[str, Json] = {"history": [1], "tests": {str(A): {"streak": 3}, "test.Gone": {"streak": 4}}}
    results, document = decode_results(encode_results(found, later))
    assert (results, document["history"]) == (found, [1])
    rows = cast("dict[str, dict[str, Json]]", document["tests"])
    assert {name: row.get("streak") for name, row in rows.items()} == {str(A): 3, str(B): None}


def test_results_are_recorded_and_read(tmp_path: Path) -> None:
    assert results(tmp_path).read() == ({}, "")
    assert results(tmp_path).record({A: failed(A, "1")}, [A, B]) == ""
    assert results(tmp_path).record({B: passed(B, "2")}, [A, B]) == ""
    assert results(tmp_path).read() == ({A: failed(A, "1"), B: passed(B, "2")}, "")


def test_many_runs_at_once_lose_nothing(tmp_path: Path) -> None:
    tests = [Address("test", "A", f"case {number}") for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        warnings = list(pool.map(lambda test: results(tmp_path).record({test: failed(test, "1")}, tests), tests))
    assert warnings == [""] * len(tests)
    assert list(results(tmp_path).read()[0]) == sorted(tests, key=str)


@pytest.mark.parametrize(
    "damage", [b"", b"{", b'{"format_version": true, "tests": {}}', b'{"format_version": 1, "tests": {"x": 1}}']
)
def test_a_damaged_document_is_a_warning_and_is_written_anew(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / NAME).write_bytes(damage)
    found, warning = results(tmp_path).read()
    assert (found, NAME in warning) == ({}, True)
    assert "is written anew" in results(tmp_path).record({A: failed(A, "1")}, [A])
    assert results(tmp_path).read() == ({A: failed(A, "1")}, "")
    assert results(tmp_path).record({A: passed(A, "2")}, [A]) == ""
    assert (tmp_path / ASIDE).read_bytes() == damage


def test_a_document_of_a_newer_format_is_a_warning_and_stays(tmp_path: Path) -> None:
    newer = b'{"format_version": 2, "tests": {}}'
    (tmp_path / NAME).write_bytes(newer)
    assert "a newer algosync: format 2" in results(tmp_path).read()[1]
    assert "a newer algosync: format 2" in results(tmp_path).record({A: failed(A, "1")}, [A])
    assert (tmp_path / NAME).read_bytes() == newer


def test_a_document_that_changes_past_its_lock_is_merged_again(tmp_path: Path) -> None:
    """As with a backend whose lock has expired."""

    class Raced(LocalBackend):
        def write(self, data: bytes, *, expect: str | None) -> None:
            if not raced and self.where.endswith(NAME):
                raced.append(self.where)
                (tmp_path / NAME).write_bytes(encode_results({B: failed(B, "1")}, {}))
            super().write(data, expect=expect)

    raced: list[str] = []
    assert TestResults(lambda name: Raced(tmp_path / name), STATE).record({A: failed(A, "2")}, [A, B]) == ""
    assert results(tmp_path).read() == ({A: failed(A, "2"), B: failed(B, "1")}, "")


def test_neither_the_lock_nor_the_serial_of_the_state_is_touched(tmp_path: Path) -> None:
    with open_session(str(tmp_path), STATE, exclusive=True) as session:
        session.commit(a_record())
        before = session.serial
        assert results(tmp_path).record({A: failed(A, "1")}, [A]) == ""
        assert results(tmp_path).read() == ({A: failed(A, "1")}, "")
    with open_session(str(tmp_path), STATE, exclusive=False) as session:
        assert session.serial == before


def test_a_document_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    assert "are not remembered" in results(tmp_path).record({A: failed(A, "1")}, [A])


def test_several_sections_are_one_write_and_a_damaged_one_keeps_the_others(tmp_path: Path) -> None:
    document = results(tmp_path).document
    assert document.update("later", lambda before: {**before, "later": 1}) == ""

    def first(before: Mapping[str, Json]) -> Mapping[str, Json]:
        if before.get("first") == "damage":
            raise Corrupt("is damaged: no first")
        return {**before, "first": "mended"}

    assert document.update_all({"damage": lambda before: {**before, "first": "damage"}}) == ""
    warning = document.update_all({"first": first, "second": lambda before: {**before, "second": 2}})
    assert "is damaged: no first; it is written anew" in warning
    assert {name: document.read()[name] for name in ("first", "second", "later")} == {"first": "mended", "second": 2, "later": 1}
    assert (tmp_path / ASIDE).exists()
