"""The calls of a test: cases, judged answers, load, limits, and what is told of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from fakes.releases import Release

from algosync.core.address import Address
from algosync.core.error import Denied, NotFound, TestFailed, Unexpected
from algosync.core.event import CaseDone, Event, Measured, Note
from algosync.core.planning.plan import Check
from algosync.core.planning.schedule import Step, Verb
from algosync.core.testing.answer import Answer, Called, CaseResult, Mismatch
from algosync.core.testing.case import Baseline, CaseFile, Expectation, Limit, Load, TestCase
from algosync.core.testing.timing import Timing
from algosync.engine.streaming import concurrently
from algosync.kinds import Context, test

T = TypeVar("T")
R = TypeVar("R")
HERE = Address("test", "One", "t")


def equal(expect: Expectation, answer: Answer) -> tuple[Mismatch, ...]:
    """A judge that knows `equals` and `error` only."""
    if answer.failure is not None:
        return () if expect.error is not None and expect.error in answer.failure.message else (Mismatch("error", got="other"),)
    got = answer.body.decode()
    if expect.equals is None or json.loads(expect.equals) == json.loads(got):
        return ()
    return (Mismatch("equals", "$", expect.equals, got),)


class Played:
    """One run of a test on a cluster in memory."""

    def __init__(self, release: Release, case: TestCase, cases: Iterable[TestCase] = (), **given: object) -> None:
        self.release, self.events = release, list[Event]()
        self.check = Check(HERE, case, of_algorithm=False)
        self.context: Context = replace(
            release.context,
            judge=equal,
            cases=lambda case, algorithm: cases if case.cases else (case,),
            **given,  # type: ignore[arg-type]  # fields of different types
        )

    def run(self) -> str:
        step = Step(HERE, Verb.TEST, check=self.check)
        return test.perform(step, self.release.spec, self.context, self.events.append).detail

    def failure(self) -> TestFailed:
        with pytest.raises(TestFailed) as caught:
            self.run()
        return caught.value

    @property
    def results(self) -> list[CaseResult]:
        return [event.result for event in self.events if isinstance(event, CaseDone)]

    @property
    def measured(self) -> Measured:
        (found,) = (event for event in self.events if isinstance(event, Measured))
        return found

    @property
    def payloads(self) -> list[str]:
        return [payload for _, _, payload in self.release.cluster.algorithms.calls]


@pytest.fixture
def release(tmp_path: Path) -> Release:
    return Release(tmp_path).published()


def of_file(count: int = 3, **given: object) -> TestCase:
    return replace(TestCase("t", cases=CaseFile("cases.jsonl", "0" * 64, count)), **given)  # type: ignore[arg-type]


def numbered(count: int, wrong: Iterable[int] = ()) -> Iterator[TestCase]:
    for number in range(1, count + 1):
        yield TestCase(f"case {number}", str(number), expect=Expectation(equals=str(-number if number in wrong else number)))


def test_an_answer_that_is_not_as_expected_fails_the_test(release: Release) -> None:
    played = Played(release, TestCase("t", '"Ada"', expect=Expectation(equals='"Hello, Ada"')))
    error = played.failure()
    assert error.message == 'the answer is not as expected: $: expected "Hello, Ada", got "Ada"'
    assert (error.called, error.payload, error.calls, error.failed) == ("One, version 0.1.0", '"Ada"', 1, 1)
    assert error.failures == tuple(played.results)
    assert error.hint == "fix the algorithm or its data; if the answer is right, change what the test expects"
    assert played.measured.called == Called("0.1.0", release.head)


def test_an_answer_as_expected_passes(release: Release) -> None:
    played = Played(release, TestCase("t", "1", expect=Expectation(equals="1.0")))
    assert played.run() == "version 0.1.0"
    assert [result.passed for result in played.results] == [True]


def test_an_error_that_is_expected_passes_and_any_other_fails(release: Release) -> None:
    release.cluster.algorithms.failing_payloads.add("1")
    assert Played(release, TestCase("t", "1", expect=Expectation(error="it fail"))).run() == "version 0.1.0"
    assert Played(release, TestCase("t", "1", expect=Expectation(error="other"))).failure().failed == 1
    assert Played(release, TestCase("t", "1", expect=Expectation(equals="1"))).failure().message == "it failed"


def test_a_failure_of_the_cluster_is_no_failure_of_the_test(release: Release) -> None:
    release.cluster.algorithms.failures["call"] = Denied("403")
    with pytest.raises(Denied):
        Played(release, TestCase("t", "1", expect=Expectation(error="403"))).run()


def test_every_case_of_a_file_is_called_and_the_first_failures_are_in_the_error(release: Release) -> None:
    played = Played(release, of_file(), numbered(10, wrong=(3, 5, 7, 9)))
    error = played.failure()
    assert played.payloads == [str(number) for number in range(1, 11)]
    assert error.message == "4 of 10 calls failed; call 3 (case 3): the answer is not as expected: $: expected -3, got 3"
    assert ([result.number for result in error.failures], error.failed, error.calls) == ([3, 5, 7], 4, 10)


def test_a_file_without_cases_fails(release: Release) -> None:
    assert Played(release, of_file(), ()).failure().message == "cases.jsonl has no cases"


def test_cases_are_read_while_they_are_called(release: Release) -> None:
    """Ten thousand cases are never in memory together: no case is read before the one before it is answered."""
    read: list[int] = []

    def cases() -> Iterator[TestCase]:
        for case in numbered(10_000):
            read.append(len(release.cluster.algorithms.calls))
            yield case

    played = Played(release, of_file(), cases())
    assert played.run() == "version 0.1.0"
    assert len(played.payloads) == 10_000
    assert all(called >= place - 1 for place, called in enumerate(read))


def test_each_payload_is_repeated(release: Release) -> None:
    played = Played(release, of_file(load=Load(repeat=3)), numbered(2))
    played.run()
    assert played.payloads == ["1", "1", "1", "2", "2", "2"]
    assert [result.number for result in played.results] == [1, 2, 3, 4, 5, 6]


def test_calls_for_warming_up_do_not_count(release: Release) -> None:
    times = iter([5.0, 1.0, 1.0, 1.0, 1.0])
    release.cluster.algorithms.answer = lambda payload: slow(release, next(times), payload)
    played = Played(release, TestCase("t", "1", load=Load(repeat=3, warmup=2)))
    played.run()
    timing = played.measured.timing
    assert (len(played.payloads), timing.calls, timing.cold, timing.max, timing.total) == (5, 3, 5.0, 1.0, 3.0)


@pytest.mark.parametrize(("concurrency", "cold"), [(1, 1), (2, 3)])
def test_without_warming_up_cold_starts_are_measured_apart(release: Release, concurrency: int, cold: int) -> None:
    times = iter([5.0] * cold + [1.0, 1.0])
    release.cluster.algorithms.answer = lambda payload: slow(release, next(times), payload)
    played = Played(release, TestCase("t", "1", load=Load(repeat=cold + 2, concurrency=concurrency)))
    played.run()
    timing = played.measured.timing
    assert (timing.calls, timing.cold, timing.max, timing.p50, timing.total) == (cold + 2, 5.0, 1.0, 1.0, 5.0 * cold + 2)


def test_if_all_calls_are_cold_they_count(release: Release) -> None:
    release.cluster.algorithms.answer = lambda payload: slow(release, 5.0, payload)
    played = Played(release, TestCase("t", "1", load=Load(repeat=1, limits=(Limit("max", 9.0),))))
    played.run()
    assert (played.measured.timing.max, played.measured.timing.cold) == (5.0, 5.0)


def slow(release: Release, seconds: float, payload: str) -> Answer:
    release.time.now += seconds
    return Answer("json", payload.encode(), seconds=0.0)


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        (Limit("p50", 1.0), None),
        (Limit("p50", 0.5), "p50 is 1.00 s, which has to be at most 500 ms"),
        (Limit("max", 0.9), "max is 1.00 s, which has to be at most 900 ms"),
        (Limit("throughput", 1.0), None),
        (Limit("throughput", 2.0), "throughput is 1 a second, which has to be at least 2 a second"),
        (Limit("p95_vs_baseline", 1.25), None),
    ],
)
def test_a_broken_limit_fails_the_test(release: Release, limit: Limit, told: str | None) -> None:
    release.cluster.algorithms.answer = lambda payload: slow(release, 1.0, payload)
    played = Played(release, TestCase("t", "1", load=Load(repeat=4, limits=(limit,))))
    if told is None:
        played.run()
    else:
        error = played.failure()
        assert (error.message, error.failed, error.failures) == (told, 0, ())
        assert error.hint == "make the algorithm faster, or allow it more in `limits:`"


def test_a_limit_compares_with_the_accepted_run(release: Release) -> None:
    release.cluster.algorithms.answer = lambda payload: slow(release, 1.0, payload)
    accepted = Timing(calls=1, errors=0, total=1.0, cold=0.5, p50=0.5, p95=0.5, p99=0.5, max=0.5)
    case = TestCase(
        "t",
        "1",
        expect=Expectation(baseline=Baseline("b.json", "text")),
        load=Load(repeat=2, limits=(Limit("p95_vs_baseline", 1.25), Limit("max_vs_baseline", 2.0))),
    )
    played = Played(release, case, accepted_timing=lambda text: accepted if text == "text" else None)
    error = played.failure()
    assert error.message == "p95_vs_baseline is 1.00 s, which has to be at most 625 ms"
    assert [str(mismatch) for mismatch in error.broken] == [
        "p95_vs_baseline: expected at most 625 ms, got 1.00 s (1.25 times the 500 ms of the accepted run)"
    ]


def test_a_limit_on_errors_says_how_many_calls_may_fail(release: Release) -> None:
    release.cluster.algorithms.failing_payloads.add("1")
    half = of_file(load=Load(limits=(Limit("error_rate", 0.5),)))
    played = Played(release, half, numbered(2))
    assert played.run() == "version 0.1.0"
    assert (played.measured.timing.errors, played.measured.timing.error_rate) == (1, 0.5)
    third = of_file(load=Load(limits=(Limit("error_rate", 0.3),)))
    assert Played(release, third, numbered(2)).failure().message == "error_rate is 50.00%, which has to be at most 30.00%"
    error = Played(release, third, numbered(2)).failure()
    assert ([result.number for result in error.failures], error.failed, error.payload, error.hint) == ([1], 1, "1", None)
    assert "1 of 2 calls failed" in Played(release, of_file(), numbered(2)).failure().message


def test_a_limit_on_errors_counts_calls_that_the_cluster_did_not_answer(release: Release) -> None:
    release.cluster.algorithms.failures["call"] = Unexpected("502", status=502)
    all_of_them = TestCase("t", "1", load=Load(repeat=2, limits=(Limit("error_rate", 1.0),)))
    played = Played(release, all_of_them)
    played.run()
    assert played.measured.timing.errors == 2
    release.cluster.algorithms.failures["call"] = Denied("403")
    with pytest.raises(Denied):
        Played(release, all_of_them).run()
    release.cluster.algorithms.failures["call"] = Unexpected("502", status=502)
    with pytest.raises(Unexpected):
        Played(release, TestCase("t", "1", load=Load(repeat=2))).run()


def test_a_new_commit_is_waited_for_once(release: Release) -> None:
    """The calls after the first one are not repeated: a commit that vanishes is an error at once."""
    asked = 0

    def gone(payload: str) -> Answer:
        nonlocal asked
        asked += 1
        if asked == 3:
            raise NotFound("404", status=404)
        return Answer("json", payload.encode())

    release.cluster.algorithms.answer = gone
    played = Played(release, TestCase("t", "1", load=Load(repeat=5)))
    played.check = replace(played.check, candidate=True)
    with pytest.raises(NotFound):
        played.run()
    assert (asked, release.time.now) == (3, 0.0)


def test_calls_run_by_the_given_number_of_workers_and_the_first_alone(release: Release) -> None:
    workers: list[int] = []

    def noted(function: Callable[[T], R], items: Iterable[T], count: int) -> Iterator[R]:
        workers.append(count)
        assert len(release.cluster.algorithms.calls) == 1
        return concurrently(function, items, count)

    played = Played(release, TestCase("t", "1", load=Load(repeat=40, concurrency=4)), concurrently=noted)
    played.run()
    assert (workers, len(played.results)) == ([4], 40)
    assert [result.number for result in played.results] == [*range(1, 41)]


def test_digests_are_told_where_nothing_sensitive_went_in(release: Release) -> None:
    plain = Played(release, TestCase("t", '"Ada"'))
    plain.run()
    one = "d7bb84cf2a9a49c9b8f2f6df6d9c9a0a"
    assert len(plain.measured.payload_sha256) == len(plain.measured.answer_sha256) == 64 != len(one)
    assert plain.measured.payload_sha256 == plain.measured.answer_sha256 == plain.results[0].sha256
    secret = Played(release, TestCase("t", '"hunter2"'), holds=lambda value: "hunter2" in str(value))
    secret.run()
    assert (secret.measured.payload_sha256, secret.measured.answer_sha256, secret.results[0].sha256) == ("", "", "")


def test_a_part_of_a_secret_is_never_told(release: Release) -> None:
    """A text that was cut may hold a part of a sensitive value, which nothing recognises any more."""

    def cutting(expect: Expectation, answer: Answer) -> tuple[Mismatch, ...]:
        return (Mismatch("equals", "$", '"a"', '"hunt…'),)

    played = Played(release, TestCase("t", '"hunter2"', expect=Expectation(equals='"a"')), holds=lambda v: "hunter2" in str(v))
    played.context = replace(played.context, judge=cutting)
    assert played.failure().failures[0].mismatches == (Mismatch("equals", "$", '"a"', "***"),)


def test_what_a_pattern_found_in_printed_text_with_a_secret_is_not_told(release: Release) -> None:
    """It may be a part of the secret: `hunt` of `hunter2`."""
    release.cluster.algorithms.answer = lambda payload: Answer("text", b"fine", 0.1, printed="key hunter2")
    played = Played(release, TestCase("t", "1", expect=Expectation(not_printed=("hunt",))), holds=lambda v: "hunter2" in str(v))
    played.context = replace(played.context, judge=lambda *_: (Mismatch("not_printed", "", "hunt", "hunt"),))
    assert played.failure().failures[0].mismatches == (Mismatch("not_printed", "", "hunt", "***"),)


def test_events_carry_a_bounded_part_of_an_answer_with_secrets_hidden_first(release: Release) -> None:
    secret = "hunter2-hunter2"
    body = "x" * 20 + secret + "y" * 100_000
    release.cluster.algorithms.answer = lambda payload: Answer("text", body.encode())

    def hidden(value: object) -> str:
        return str(value).replace(secret, "***")

    played = Played(release, TestCase("t", "1"), redacted=hidden, answer_limit=50)
    played.run()
    (result,) = played.results
    assert (result.answer.body.decode(), result.size) == ("x" * 20 + "***y…" + "y" * 24, len(body))
    whole = Played(release, TestCase("t", "1"), answer_limit=None)
    whole.run()
    assert whole.results[0].answer.body.decode() == body


def test_a_baseline_that_differs_names_the_way_to_accept_it(release: Release) -> None:
    played = Played(release, TestCase("t", "1", expect=Expectation(baseline=Baseline("tests/one.json", "2"))))
    played.context = replace(played.context, judge=lambda expect, answer: (Mismatch("baseline", "$", "2", "1"),))
    assert played.failure().hint == "if the new answer is right, algosync test --accept writes it to tests/one.json"


@pytest.mark.parametrize(("candidate", "published", "told"), [(True, False, 0), (True, True, 1), (False, False, 1)])
def test_a_first_release_needs_no_baseline(release: Release, candidate: bool, published: bool, told: int) -> None:
    """Nothing can be accepted before anything is published. Later, a baseline that is not there fails."""
    judged: list[Expectation] = []

    def judge(expect: Expectation, answer: Answer) -> tuple[Mismatch, ...]:
        judged.append(expect)
        return ()

    version = Address("version", "One")
    if not published:
        release.ledger.forget(version)
    played = Played(release, TestCase("t", "1", expect=Expectation(equals="1", baseline=Baseline("tests/one.json"))))
    played.context = replace(played.context, judge=judge)
    played.check = replace(played.check, candidate=candidate)
    played.run()
    assert sum(expect.baseline is not None for expect in judged) == told
    assert sum(isinstance(event, Note) for event in played.events) == 1 - told
