"""The document of test results: merged, kept beside the state, and never a reason to fail."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from algosync.core.address import Address
from algosync.core.test_result import TestResult, decode_results, encode_results, merged
from algosync.state import TestResults, parse_address, results_name, state_name

A, B = Address("test", "A"), Address("test", "A", "a case")
NAME = results_name(state_name("w", "local", "me"))


def failed(address: Address, at: str, reason: str = "no") -> TestResult:
    return TestResult(address, passed=False, at=at, since=at, reason=reason)


def passed(address: Address, at: str) -> TestResult:
    return TestResult(address, passed=True, at=at, since=at)


def results(folder: Path) -> TestResults:
    return TestResults(parse_address(str(folder))(NAME, "algosync apply"))


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
    assert decode_results(encode_results(found, {"history": [1]})) == (found, {"history": [1]})


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


@pytest.mark.parametrize("damage", [b"", b"{", b'{"format_version": 9, "tests": {}}', b'{"format_version": 1, "tests": {"x": 1}}'])
def test_a_damaged_document_is_a_warning_and_is_written_anew(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / NAME).write_bytes(damage)
    found, warning = results(tmp_path).read()
    assert (found, NAME in warning) == ({}, True)
    assert "is written anew" in results(tmp_path).record({A: failed(A, "1")}, [A])
    assert results(tmp_path).read() == ({A: failed(A, "1")}, "")
    assert (tmp_path / f"{NAME}.backup").read_bytes() == damage


def test_a_document_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    assert "are not remembered" in results(tmp_path).record({A: failed(A, "1")}, [A])
