"""Answers that changed although nothing was published: which of them `drift --with-tests` reports."""

from __future__ import annotations

from dataclasses import replace

import pytest

from algosync.cli.testing.behaviour import changed_answers
from algosync.core.address import Address
from algosync.core.planning.change import Drift
from algosync.core.planning.plan import Check
from algosync.core.test_result import TestResult
from algosync.core.testing.case import CaseFile, Expectation, TestCase

HERE = Address("test", "One", "t")
OLD = TestResult(
    HERE,
    passed=True,
    at="1",
    since="1",
    version="0.1.0",
    commit="c" * 40,
    payload_sha256="p" * 64,
    answer_sha256="a" * 64,
)
NEW = replace(OLD, answer_sha256="b" * 64)


def found(before: TestResult | None, now: TestResult, again: TestResult | None, case: TestCase | None = None) -> list[Drift]:
    check = Check(HERE, case or TestCase("t", "1"), of_algorithm=True)
    runs = ({HERE: now}, {HERE: again} if again else {})
    return [finding.drift for finding in changed_answers([check], {HERE: before} if before else {}, runs)]


def test_a_changed_answer_that_stays_changed_is_reported() -> None:
    assert found(OLD, NEW, NEW) == [Drift.BEHAVIOUR]
    assert found(replace(OLD, version=""), NEW, NEW) == [Drift.BEHAVIOUR]  # `apply` tested the commit before it was published
    check = Check(HERE, TestCase("t", "1"), of_algorithm=True)
    (finding,) = changed_answers([check], {HERE: OLD}, ({HERE: NEW}, {HERE: NEW}))
    assert finding.reason == (
        "the SHA-256 of its answer was aaaaaaaaaaaa… and is bbbbbbbbbbbb…; version 0.1.0 and the payload are the same"
    )


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (None, NEW),
        (OLD, OLD),
        (OLD, replace(NEW, version="0.2.0")),
        (OLD, replace(NEW, commit="d" * 40)),
        (OLD, replace(NEW, payload_sha256="q" * 64)),
        (OLD, replace(NEW, passed=False)),
        (replace(OLD, passed=False), NEW),
        (OLD, replace(NEW, answer_sha256="")),
        (replace(OLD, answer_sha256=""), NEW),
        (replace(OLD, payload_sha256=""), replace(NEW, payload_sha256="")),
        (replace(OLD, commit=""), replace(NEW, commit="")),
    ],
)
def test_an_answer_is_compared_only_if_all_else_is_known_and_the_same(before: TestResult | None, now: TestResult) -> None:
    assert found(before, now, now) == []


def test_an_answer_that_varies_by_itself_is_not_reported() -> None:
    assert found(OLD, NEW, replace(NEW, answer_sha256="d" * 64)) == []
    assert found(OLD, NEW, None) == []


@pytest.mark.parametrize("expect", [Expectation(equals="1"), Expectation(match=(("$", "1"),)), Expectation(schema="{}")])
def test_what_the_answer_has_to_be_decides_alone(expect: Expectation) -> None:
    assert found(OLD, NEW, NEW, TestCase("t", "1", expect=expect)) == []
    assert found(OLD, NEW, NEW, TestCase("t", cases=CaseFile("c.jsonl", "0", 1))) == []
    assert found(OLD, NEW, NEW, TestCase("t", "1", expect=Expectation(max_seconds=1.0))) == [Drift.BEHAVIOUR]
