"""Gates as they are carried out: the candidate and the published version answer the same cases, and a failing gate is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.releases import CODE, Release

from algosync.core.address import Address
from algosync.core.error import TestFailed
from algosync.core.event import CaseDone, Event, Measured
from algosync.core.planning.plan import Check
from algosync.core.planning.schedule import Step, Verb
from algosync.core.testing.answer import Answer, CaseResult
from algosync.core.testing.case import CaseFile, Expectation, Load, QualityGate, TestCase
from algosync.core.testing.gate import GateOutcome, LabelledCase
from algosync.engine.streaming import concurrently
from algosync.kinds import test

HERE = Address("test", "One", "species")
FILE = CaseFile("labelled.csv", "0" * 64, 2)
WORSE = QualityGate("accuracy", "$.label", no_worse_than_published=0.01, by="region")


def cases(north: int, south: int) -> list[LabelledCase]:
    """The payload is the number of the case; the label of even ones is `a`, of odd ones `b`."""
    return [
        LabelledCase(f"line {n + 2}", str(n), expect=Expectation(equals=label(n)), part="north" if n < north else "south")
        for n in range(north + south)
    ]


def label(number: int) -> str:
    return '"b"' if number % 2 else '"a"'


def answering(wrong: Callable[[int], bool]) -> Callable[[str], Answer]:
    return lambda payload: Answer("json", f'{{"label": {label(int(payload) + wrong(int(payload)))}}}'.encode())


class Gated:
    """A published version, a candidate, and one gate. `wrong` and `before`: the cases that they answer wrongly."""

    def __init__(
        self,
        folder: Path,
        gate: QualityGate,
        labelled: Iterable[TestCase],
        wrong: Callable[[int], bool] = lambda _: False,
        before: Callable[[int], bool] = lambda _: False,
        *,
        published: bool = True,
    ) -> None:
        self.release = Release(folder)
        if published:
            self.release.published()
            self.release.write("src/One.py", CODE + b"# new\n")
        else:
            self.release.created()
        self.release.pushed()
        self.release.perform(Verb.BUILD, self.release.change("version"))
        self.events: list[Event] = []
        case = TestCase("species", cases=FILE, load=Load(concurrency=4), gate=gate)
        self.check = Check(HERE, case, of_algorithm=True, candidate=True)
        labelled = list(labelled)
        self.context = replace(self.release.context, cases=lambda case, algorithm: labelled, concurrently=concurrently)
        self.new, self.old = answering(wrong), answering(before)
        algorithms = self.release.cluster.algorithms
        real = algorithms.call

        def call(owner: str, name: str, reference: str, payload: str, timeout: int) -> Answer:
            real(owner, name, reference, payload, timeout)
            return (self.old if reference == "0.1.0" else self.new)(payload)

        algorithms.call = call  # type: ignore[method-assign]  # the two versions answer differently

    def run(self) -> GateOutcome:
        test.perform(Step(HERE, Verb.TEST, check=self.check), self.release.spec, self.context, self.events.append)
        return self.outcome

    def failure(self) -> TestFailed:
        with pytest.raises(TestFailed) as caught:
            self.run()
        return caught.value

    @property
    def outcome(self) -> GateOutcome:
        (found,) = (event.gate for event in self.events if isinstance(event, Measured))
        assert found is not None
        return found

    @property
    def results(self) -> list[CaseResult]:
        return [event.result for event in self.events if isinstance(event, CaseDone)]

    @property
    def references(self) -> list[str]:
        return [reference for _, reference, _ in self.release.cluster.algorithms.calls]


def test_a_model_better_overall_and_worse_in_one_slice_is_refused_before_it_is_published(tmp_path: Path) -> None:
    """The published version is wrong in every sixth case of the north, the candidate in every third of the south."""
    gated = Gated(tmp_path, WORSE, cases(600, 90), lambda n: n >= 600 and n % 3 == 0, lambda n: n < 600 and n % 6 == 0)
    error = gated.failure()
    overall, north, south = gated.outcome.scores
    assert overall.published is not None
    assert overall.value > overall.published
    assert (north.value, north.part, south.part, south.published) == (1.0, "north", "south", 1.0)
    assert error.message.startswith("accuracy of region south is 0.6667, 0.3333 worse (95%: ")
    assert error.message.endswith("; 90 cases), which has to be at most 0.01 worse than the published 1")
    assert [each.path for each in error.broken] == ["accuracy of region south"]
    assert error.called == f"One, commit {gated.release.head[:12]}"
    assert "One" in gated.context.failed_tests


def test_both_versions_answer_each_case_in_the_same_run(tmp_path: Path) -> None:
    gated = Gated(tmp_path, WORSE, cases(30, 30))
    assert gated.run().broken == ()
    assert sorted(gated.references) == sorted(["0.1.0"] * 60 + [gated.release.head] * 60)
    assert [result.number for result in gated.results] == [*range(1, 61)]


def test_only_the_candidate_is_called_if_nothing_is_compared(tmp_path: Path) -> None:
    gated = Gated(tmp_path, QualityGate("exact", "$.label", at_least=1.0), cases(5, 0))
    assert gated.run().scores[0].published is None
    assert gated.references == [gated.release.head] * 5


def test_without_a_published_version_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    outcome = Gated(tmp_path, WORSE, cases(5, 5), lambda n: True, published=False).run()
    assert outcome.notes == ("no version is published yet, so there is none to compare with",)
    assert (outcome.broken, outcome.scores[0].value) == ((), 0.0)


def test_a_published_version_is_not_compared_with_itself(tmp_path: Path) -> None:
    gated = Gated(tmp_path, replace(WORSE, at_least=0.9), cases(20, 0), before=lambda n: n < 10)
    gated.check = replace(gated.check, candidate=False)
    assert gated.failure().message.startswith("accuracy is 0.5 (95%: 0.2993 to 0.7007; 20 cases), which has to be at least 0.9")
    assert gated.outcome.notes[0] == "what is called is published, so it is not compared with the published version"
    assert set(gated.references) == {"0.1.0"}


def test_wrong_predictions_are_no_failed_calls_and_calls_without_one_are_named(tmp_path: Path) -> None:
    gated = Gated(tmp_path, QualityGate("accuracy", "$.label", at_least=0.9), cases(20, 0), lambda n: n == 4)
    gated.run()
    assert all(result.passed for result in gated.results)
    none = Gated(tmp_path / "none", QualityGate("accuracy", "$.label", at_least=0.9), cases(20, 0))
    none.new = lambda payload: Answer("json", b"{}")
    error = none.failure()
    assert error.message.startswith(
        "20 of 20 calls failed; call 1 (line 2): the answer is not as expected: $.label: the answer has no value there; "
        "the prediction at $.label is missing (20 cases)"
    )
    assert (len(error.failures), error.failed, error.calls) == (3, 20, 20)


def test_a_call_that_fails_counts_as_wrong(tmp_path: Path) -> None:
    gated = Gated(tmp_path, QualityGate("accuracy", "$.label", at_least=0.9), cases(20, 0))
    gated.release.cluster.algorithms.failing_payloads.add("7")
    outcome = gated.run()
    assert outcome.scores[0].value == 0.95
    assert outcome.notes == ("1 case without a prediction counted as wrong",)
    assert [result.name for result in gated.results if not result.passed] == ["line 9"]


def test_long_names_of_slices_are_shortened_and_stay_apart(tmp_path: Path) -> None:
    long = [replace(case, part="x" * 100_000 + str(place % 2)) for place, case in enumerate(cases(8, 0))]
    outcome = Gated(tmp_path, replace(WORSE, at_least=0.5), long).run()
    names = [score.part or "" for score in outcome.scores[1:]]
    assert len({*names}) == 2
    assert max(map(len, names)) < 120


def test_secrets_in_the_names_of_slices_are_hidden(tmp_path: Path) -> None:
    gated = Gated(tmp_path, replace(WORSE, at_least=1.0), cases(9, 0), lambda n: True)
    gated.context = replace(gated.context, redacted=lambda value: str(value).replace("north", "***"))
    assert "north" not in str(gated.failure().broken)
    assert gated.outcome.scores[1].part == "***"
