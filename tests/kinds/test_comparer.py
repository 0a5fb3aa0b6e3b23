"""Calls of `compare` on both sides: what is called with which payload, how often, and what is told of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.clusters import FakeAlgorithms
from fakes.ledger import FakeLedger
from fakes.releases import Release

from algosync.answers import compared
from algosync.cluster.algorithms import Build, Version
from algosync.core.address import Address
from algosync.core.error import AlgosyncError, Denied, NotFound, TestFailed, Unreachable
from algosync.core.planning.plan import Check
from algosync.core.testing.answer import Answer, Mismatch
from algosync.core.testing.case import CaseFile, Expectation, Load, TestCase
from algosync.core.testing.parity import CaseParity, TestParity
from algosync.core.workflow import DataFile, SourceAlgorithm
from algosync.engine.compare import compare
from algosync.engine.streaming import concurrently
from algosync.kinds.testing.comparer import BothSides
from algosync.kinds.testing.source_caller import SourceCaller
from algosync.sources.payload_uris import PayloadUris

URI = '{"model":"data://.my/One/m.pb"}'


class Pair:
    """One algorithm on two clusters in memory. The source has versions 1.0.0 and 1.1.0, and belongs to `quality`."""

    def __init__(self, folder: Path) -> None:
        self.release = Release(folder).published()
        self.release.spec = replace(self.release.spec, data_files=(DataFile("data://.my/models/v3.pb", "m.pb"),))
        self.release.again()
        self.source = FakeAlgorithms()
        self.source.create("quality", "One", {}, {})
        there = self.source.algorithms["One"]
        there.versions = [Version("1.1.0", "b" * 40, {}), Version("1.0.0", "a" * 40, {})]
        there.builds = [Build("1", "a" * 40, "succeeded")]
        self.key_owner: Callable[[], str] = lambda: "quality"
        self.cases: Iterable[TestCase] = ()
        self.repeat = 1
        self.answers(texts(1), texts(1))

    def answers(self, there: Callable[[str], Answer], here: Callable[[str], Answer]) -> None:
        self.source.answer, self.release.cluster.algorithms.answer = there, here

    def both(self) -> BothSides:
        spec, time = self.release.spec, self.release.time
        context = replace(
            self.release.context,
            cases=lambda case, _: self.cases if case.cases else (case,),
            concurrently=concurrently,
        )
        payloads = PayloadUris(context.sources.data_files.sources, context.destination.owner)
        caller = SourceCaller(self.source, self.key_owner, payloads, time.clock)
        return BothSides({spec.name: spec}, caller, context, compared, self.repeat)

    def run(self, case: TestCase | None = None) -> TestParity:
        check = Check(Address("test", "One"), case or TestCase("", URI), of_algorithm=True)
        (found,) = compare([check], self.both()).tests
        return found

    def error(self) -> AlgosyncError:
        found = self.run().error
        assert found is not None
        return found

    @property
    def called(self) -> list[tuple[str, str, str]]:
        return [*self.source.calls, *self.release.cluster.algorithms.calls]


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


def texts(*values: object) -> Callable[[str], Answer]:
    """Answers one after the other; the last one again and again."""
    left = list(values)

    def answer(_: str) -> Answer:
        return Answer("json", json.dumps(left.pop(0) if len(left) > 1 else left[0]).encode())

    return answer


def test_the_newest_version_of_the_keys_owner_is_called_with_the_sources_uris(pair: Pair) -> None:
    found = pair.run()
    there = '{"model":"data://.my/models/v3.pb"}'
    assert pair.source.calls == [("quality/One", "1.1.0", there)] * 2
    assert pair.release.cluster.algorithms.calls == [("jane/One", "0.1.0", URI)]
    assert found.sides is not None
    assert (found.sides.source, found.sides.destination) == ("quality/One 1.1.0", "jane/One 0.1.0")


def test_what_somebody_else_published_at_the_destination_is_compared(pair: Pair) -> None:
    pair.release.there.versions.insert(0, Version("0.2.0", "c" * 40, {}))
    found = pair.run()
    assert [reference for _, reference, _ in pair.release.cluster.algorithms.calls] == ["0.2.0"]
    assert found.sides is not None
    assert found.sides.destination == "jane/One 0.2.0, not the recorded 0.1.0"


def test_the_workflow_names_another_algorithm_and_its_version(pair: Pair) -> None:
    pair.source.algorithms["Uno"] = pair.source.algorithms["One"]
    pair.release.spec = replace(pair.release.spec, compare_with=SourceAlgorithm("ada", "Uno"))
    pair.run()
    assert pair.source.calls[0][:2] == ("ada/Uno", "1.1.0")
    for version in ("1.0.0", "a" * 40):
        pair.source.calls.clear()
        pair.source.requests.clear()
        pair.release.spec = replace(pair.release.spec, compare_with=SourceAlgorithm("ada", "Uno", version))
        pair.run()
        assert pair.source.calls[0][:2] == ("ada/Uno", version)
        assert {request.partition(" ")[0] for request in pair.source.requests} == {"call"}


def test_equal_answers(pair: Pair) -> None:
    pair.answers(texts({"a": 1}), texts({"a": 1.0}))
    found = pair.run()
    assert (found.payloads, found.differing, found.cases, found.noise, found.error) == (1, 0, (), (), None)


def test_a_difference_is_told_with_its_payload(pair: Pair) -> None:
    pair.answers(texts({"a": 1, "b": 2}), texts({"a": 1, "b": 3}))
    found = pair.run()
    (case,) = found.cases
    assert (found.differing, case.payload, [each.path for each in case.differences]) == (1, URI, ["$.b"])
    assert len(pair.source.calls) == 3


def test_noise_is_no_difference(pair: Pair) -> None:
    pair.answers(texts({"t": 1, "b": 2}, {"t": 2, "b": 2}), texts({"t": 3, "b": 2}))
    found = pair.run()
    assert (found.differing, [each.path for each in found.noise], len(pair.source.calls)) == (0, ["$.t"], 2)


def test_before_a_difference_counts_the_source_is_asked_again(pair: Pair) -> None:
    """Two calls in one second answer the same time of day, and the destination is called in the next one."""
    pair.answers(texts({"t": "10:00"}, {"t": "10:00"}, {"t": "10:01"}), texts({"t": "10:01"}))
    found = pair.run()
    assert (found.differing, [each.path for each in found.noise], len(pair.source.calls)) == (0, ["$.t"], 3)


def test_the_destination_is_called_as_often_as_asked(pair: Pair) -> None:
    pair.repeat = 3
    pair.answers(texts({"a": 1}), texts({"a": 1}, {"a": 1}, {"a": 2}))
    found = pair.run()
    assert (found.differing, [each.path for each in found.cases[0].differences]) == (1, ["$.a"])
    assert (len(pair.source.calls), len(pair.release.cluster.algorithms.calls)) == (5, 3)


def test_what_the_test_ignores_does_not_count(pair: Pair) -> None:
    pair.answers(texts({"id": 1, "b": 2}), texts({"id": 2, "b": 2}))
    assert pair.run(TestCase("", URI, expect=Expectation(ignore=("$.id",)))).differing == 0


def test_the_same_error_on_both_sides_is_equal_and_one_side_is_not(pair: Pair) -> None:
    there = URI.replace("data://.my/One/m.pb", "data://.my/models/v3.pb")
    pair.source.failing_payloads.add(there)
    assert pair.run().differing == 1
    pair.release.cluster.algorithms.failing_payloads.add(URI)
    assert pair.run().differing == 0
    pair.source.failing_payloads.clear()
    assert pair.run().differing == 1


def test_cases_of_a_file_are_compared_one_by_one(pair: Pair) -> None:
    pair.cases = [TestCase(name, json.dumps(name)) for name in "abcdef"]
    changed = {'"c"': '"C"', '"e"': '"E"'}
    pair.answers(lambda text: Answer("json", text.encode()), lambda text: Answer("json", changed.get(text, text).encode()))
    found = pair.run(TestCase("letters", cases=CaseFile("letters.jsonl", "0", 6), load=Load(concurrency=3)))
    assert (found.payloads, found.differing) == (6, 2)
    assert [(case.number, case.name) for case in found.cases] == [(3, "c"), (5, "e")]


def test_medians_are_over_all_calls_of_a_side(pair: Pair) -> None:
    def taking(*seconds: float) -> Callable[[str], Answer]:
        left = iter(seconds)

        def answer(_: str) -> Answer:
            pair.release.time.now += next(left)
            return Answer("json", b"1")

        return answer

    pair.repeat = 2
    pair.answers(taking(9, 1, 2), taking(3, 4))
    found = pair.run()
    assert (found.source_median, found.destination_median) == (2, 3.5)


def test_a_key_without_the_right_to_call_is_told_how_to_get_it(pair: Pair) -> None:
    pair.source.failures["call"] = Denied("POST /v1/algo/quality/One/1.1.0: 403 not permitted", status=403, hint="look at X")
    error = pair.error()
    assert isinstance(error, Denied)
    assert error.message.startswith("the source's key may not call algo://quality/One/1.1.0: POST")
    assert error.hint is not None
    assert error.hint.startswith("the source's key (SOURCE_API_KEY) needs the right to call algorithms")
    assert error.hint.endswith("look at X")


def test_a_key_that_the_source_does_not_know_needs_no_rights_but_another_key(pair: Pair) -> None:
    pair.source.failures["published"] = Denied("401", status=401, hint="look at SOURCE_API_KEY: it is wrong, or has expired")
    hint = pair.error().hint
    assert hint is not None
    assert hint.startswith("the source does not accept the key in SOURCE_API_KEY")
    assert "owner" not in hint


def test_a_key_that_may_not_look_versions_up_is_told_to_name_one(pair: Pair) -> None:
    pair.source.failures["published"] = Denied("403", status=403)
    hint = pair.error().hint
    assert hint is not None
    assert "name it: compare: {source: algo://OWNER/NAME/VERSION}" in hint


def test_a_key_whose_owner_is_not_told(pair: Pair) -> None:
    def refuse() -> str:
        raise Denied("GET /v1/data/: 403", status=403)

    pair.key_owner = refuse
    error = pair.error()
    assert error.message == "the source does not tell the owner of its key: GET /v1/data/: 403"
    assert error.hint == "name the algorithm: compare: {source: algo://OWNER/NAME}"


def test_what_the_source_does_not_have_is_named(pair: Pair) -> None:
    pair.source.algorithms["One"].versions.clear()
    assert pair.error().message == "algo://quality/One has no published version at the source to compare with"
    pair.source.algorithms.clear()
    assert pair.error().message.startswith("the source has no algo://quality/One, or its key may not call it")


def test_what_is_not_published_at_the_destination_is_named_and_nothing_is_called(pair: Pair) -> None:
    pair.release.ledger = FakeLedger()
    pair.release.again()
    pair.release.there.versions.clear()
    assert pair.error().message == "One has no published version to test at the destination"
    pair.release.cluster.algorithms.algorithms.clear()
    pair.release.again()
    error = pair.error()
    assert error.message == "One has no published version to test at the destination"
    assert error.hint is not None
    assert error.hint.startswith("algosync apply creates the algorithm and publishes it")
    assert pair.called == []


def test_a_cluster_that_does_not_answer_ends_everything(pair: Pair) -> None:
    pair.source.failures["call"] = Unreachable("no reply")
    with pytest.raises(Unreachable):
        pair.run()


def test_an_error_in_the_middle_keeps_what_is_known(pair: Pair) -> None:
    pair.cases = [TestCase(name, json.dumps(name)) for name in "ab"]

    def answer(text: str) -> Answer:
        if text == '"b"':
            raise NotFound("gone")
        return Answer("json", b"1")

    pair.answers(texts(1), answer)
    found = pair.run(TestCase("letters", cases=CaseFile("letters.jsonl", "0", 2)))
    assert (found.payloads, type(found.error)) == (1, NotFound)


def test_a_secret_in_an_answer_is_not_told_in_parts(pair: Pair) -> None:
    pair.answers(texts({"a": "x" * 100 + "s3cret"}), texts({"a": "y"}))
    pair.release.context = replace(
        pair.release.context, holds=lambda value: "s3cret" in str(value), redacted=lambda value: str(value).replace("m.pb", "***")
    )
    both = replace(pair.both(), compare=lambda expect, sources, got: _cut(compared(expect, sources, got)))
    (case,) = _cases(both)
    assert case.payload == '{"model":"data://.my/One/***"}'
    assert [each.expected for each in case.differences] == ["***"]


def _cut(found: Iterable[Mismatch]) -> tuple[Mismatch, ...]:
    return tuple(replace(each, expected=f"{each.expected[:10]}…{each.expected[-3:]}") for each in found)


def _cases(both: BothSides) -> Iterator[CaseParity]:
    return both.cases(Check(Address("test", "One"), TestCase("", URI), of_algorithm=True))


def test_an_algorithm_that_raises_is_an_answer_with_its_time(pair: Pair) -> None:
    def fail(_: str) -> Answer:
        pair.release.time.now += 2
        raise TestFailed("boom", error_type="AlgorithmError")

    pair.answers(fail, fail)
    found = pair.run()
    assert (found.differing, found.source_median, found.destination_median) == (0, 2, 2)
