"""Judge: costly expectations and hostile answers end in a clear mismatch; cheap ones start no process."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from truth_table import FAILS, PASSES, deep

from algosync.answers import Judge, JudgeLimits, accepted, judge
from algosync.answers.verdict import given
from algosync.core.testing.answer import Answer, CallFailure, Mismatch
from algosync.core.testing.case import Baseline, Expectation, Tolerance

LIMITS = JudgeLimits(seconds=0.5)
LETTERS = "a" * 40 + "!"
MATCH_ONE = Expectation(match=(("$", "1"),))
ONE = Answer("json", b"1")


@pytest.fixture(scope="module")
def kept() -> Iterator[Judge]:
    """A judge whose process the tests of this module share."""
    with Judge() as found:
        yield found


def told(found: tuple[Mismatch, ...]) -> str:
    return " ".join(f"{each.expectation} {each.path} {each.note}" for each in found)


def test_the_process_comes_to_the_same_verdicts(kept: Judge) -> None:
    rows = [*PASSES, *FAILS]
    assert [kept.judge(row.expect, row.answer) for row in rows] == [judge(row.expect, row.answer) for row in rows]
    assert kept.started == 1


def test_what_passes_cheaply_starts_no_process() -> None:
    body = b'{"a": [1, 2.0, "x"], "b": null}'
    answer = Answer("json", body, seconds=0.1)
    with Judge() as found:
        for expect in (
            Expectation(),
            Expectation(equals='{"b": null, "a": [1.0, 2, "x"]}', max_seconds=1),
            Expectation(contains='{"a": [2]}', tolerance=Tolerance(absolute=0.1), content_type="json"),
            Expectation(baseline=Baseline("a.json", accepted(answer)), size='{"<": 100}'),
        ):
            assert found.judge(expect, answer) == ()
        assert found.judge(Expectation(error="no such file"), Answer("json", b"", failure=CallFailure("no such file: x"))) == ()
        assert found.started == 0


COSTLY = [
    (Expectation(error="(a+)+$"), Answer("json", b"", failure=CallFailure(LETTERS))),
    (Expectation(printed=("(a|a)*$",)), Answer("json", b"1", printed=LETTERS)),
    (Expectation(match=(("$", '{"matches": "(a+)+$"}'),)), Answer("text", LETTERS.encode())),
    (Expectation(match=(("$" + "[*,*,*,*]" * 12, "1"),)), Answer("json", deep("1", 13).encode())),
    (Expectation(match=(("$..*..*..*..*..*", "2"),)), Answer("json", deep("1", 100).encode())),
    (Expectation(schema='{"type": "string", "pattern": "^(a+)+$"}'), Answer("json", f'"{LETTERS}"'.encode())),
    (Expectation(schema='{"uniqueItems": true}'), Answer("json", json.dumps([{"a": n} for n in range(5000)]).encode())),
]


def test_costly_expectations_end_with_a_mismatch() -> None:
    with Judge(limits=LIMITS) as found:
        for expect, answer in COSTLY:
            name = given(expect)[-1]
            assert told(found.judge(expect, answer)) == f"{name}  too costly: judging takes more than 0.5 s"
        assert found.judge(MATCH_ONE, ONE) == ()
        assert found.started == len(COSTLY) + 1


@pytest.mark.parametrize(("expect", "answer"), COSTLY, ids=[given(expect)[-1] for expect, _ in COSTLY])
def test_a_costly_pattern_costs_once_however_many_cases_have_it(expect: Expectation, answer: Answer) -> None:
    """Each case has other expectations beside it, and gets another answer."""
    name = given(expect)[-1]
    message = f"{name}  too costly: judging takes more than 0.5 s"
    with Judge(limits=LIMITS) as found:
        assert told(found.judge(expect, answer)) == message
        for number in range(1000):
            case = replace(expect, max_seconds=number + 1, match=(*expect.match, ("$.number", f"{number}")))
            other = replace(answer, seconds=number + 2)
            assert told(found.judge(case, other)) == message
        assert found.started == 1
        assert found.judge(MATCH_ONE, ONE) == ()


def test_of_several_patterns_only_the_costly_one_is_refused() -> None:
    evil, answer = ("$.a", '{"matches": "(a+)+$"}'), Answer("json", json.dumps({"a": LETTERS, "b": "x"}).encode())
    fine = ("$.b", '{"matches": "x$"}')
    with Judge(limits=LIMITS) as found:
        assert "too costly" in told(found.judge(Expectation(match=(fine, evil)), answer))
        assert found.judge(Expectation(match=(fine, ("$.a", '{"matches": "!$"}'))), answer) == ()
        assert "too costly" in told(found.judge(Expectation(match=(evil,)), ONE))
        assert "too costly" in told(found.judge(Expectation(printed=("(a|a)*$", "x")), replace(ONE, printed=LETTERS)))
        assert found.judge(Expectation(printed=("[x]",)), replace(ONE, printed="x")) == ()
        assert "too costly" in told(found.judge(Expectation(not_printed=("(a|a)*$",)), ONE))
        assert found.started == 3


def test_ignored_places_that_are_costly_are_refused_whatever_is_compared() -> None:
    ignore, body = ("$..*..*..*..*..*",), deep("1", 100).encode()
    with Judge(limits=LIMITS) as found:
        for number in range(3):
            expect = Expectation(equals=f"{number}", ignore=ignore)
            assert told(found.judge(expect, Answer("json", body))) == "equals  too costly: judging takes more than 0.5 s"
            (differs,) = found.compare(expect, [Answer("json", body)], Answer("json", b"[%d]" % number))
            assert "too costly" in differs.note
        assert found.started == 1


def test_a_large_answer_is_to_blame_itself() -> None:
    """The same expectation of a smaller answer is judged."""
    large = Answer("json", json.dumps([{"a": n} for n in range(5000)]).encode())
    assert len(large.body) > 4096
    expect = Expectation(schema='{"uniqueItems": true}')
    with Judge(limits=LIMITS) as found:
        for _ in range(3):
            assert "too costly" in told(found.judge(expect, large))
        assert found.started == 1
        assert found.judge(expect, Answer("json", b"[1, 2]")) == ()


def test_lists_without_order_are_bounded_too(kept: Judge) -> None:
    numbers = [{"n": n} for n in range(3000)]
    answer = Answer("json", json.dumps(numbers[::-1]).encode())
    expect = Expectation(equals=json.dumps(numbers), ignore_order=True)
    assert kept.judge(expect, answer) == ()
    with Judge(limits=LIMITS) as found:
        costly = Expectation(equals=json.dumps(numbers), ignore_order=True, tolerance=Tolerance(absolute=0.5))
        assert "too costly" in told(found.judge(costly, answer))


MANY = json.dumps({f"k{n}": n for n in range(50_000)}).encode()
HOSTILE = [
    ("[" * 10_000 + "]" * 10_000).encode(),
    b"[" * 1_000_000,
    b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    b"NaN",
    b"[Infinity]",
    b"\xff\xfe",
    b"",
    b'"\\ud83d',
    b"1e99999999999999999999",
    b"\xef\xbb\xbf1",
]


@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_answer_is_a_clear_mismatch(body: bytes, kept: Judge) -> None:
    expect = Expectation(equals="2", contains="2", match=(("$..x", "1"),), schema='{"type": "integer"}', ignore=("$..z",))
    (equals, *_) = found = kept.judge(expect, Answer("json", body))
    assert [each.expectation for each in found] == ["equals", "contains", "match", "schema"]
    assert equals.note.startswith("the answer is ")


LARGE = [
    (b'"' + b"x" * 10 * 1024**2 + b'"', "equals $"),
    (b"[" + b"[]," * 200_000 + b"1]", "equals $"),
    (b"9" * 1_000_000, "equals $"),
    (b"1e999999999", "equals $"),
    (deep("1", 390).encode(), "equals $"),
    (MANY, "equals $"),
]


@pytest.mark.parametrize(("body", "place"), LARGE, ids=range(len(LARGE)))
def test_a_large_answer_is_judged(body: bytes, place: str, kept: Judge) -> None:
    (found,) = kept.judge(Expectation(equals="2"), Answer("json", body))
    assert f"{found.expectation} {found.path}" == place
    assert len(found.got) <= 80
    assert kept.judge(Expectation(equals=body.decode()), Answer("json", body)) == ()


def test_differences_deep_down_and_among_many_are_named(kept: Judge) -> None:
    (found,) = kept.judge(Expectation(equals=deep("2", 200)), Answer("json", deep("1", 200).encode()))
    assert found.got == "1"
    assert kept.judge(Expectation(contains=deep('{"b": 2}', 250)), Answer("json", deep('{"b": 2, "a": 1}', 250).encode())) == ()
    changed = MANY.replace(b'"k33333": 33333', b'"k33333": 0')
    (found,) = kept.judge(Expectation(equals=changed.decode()), Answer("json", MANY))
    assert (found.path, found.expected, found.got) == ("$.k33333", "0", "33333")
    found, *_, last = kept.judge(Expectation(equals="{}"), Answer("json", MANY))
    assert (found.path, last.note) == ("$.k0", "and over 990 more")


@pytest.mark.parametrize("memory", [550, 650])
def test_memory_is_limited(memory: int) -> None:
    """Whichever library is the first that gets none."""
    body = b"[" + b"[]," * 2_000_000 + b"1]"
    with Judge(limits=JudgeLimits(memory=memory * 1024**2)) as found:
        assert "too much memory" in told(found.judge(Expectation(equals="[]", match=(("$", "1"),)), Answer("json", body)))
        assert found.judge(MATCH_ONE, ONE) == ()


def test_leaving_does_not_wait_for_a_verdict() -> None:
    with ThreadPoolExecutor(1) as pool:
        with Judge(limits=JudgeLimits(seconds=30)) as found:
            verdict = pool.submit(found.judge, *COSTLY[0])
            while not found.started:
                time.sleep(0.01)
        assert told(verdict.result()) == "expect  not judged: the run was broken off"
        assert found.judge(*COSTLY[0]) == verdict.result()
        assert found.started == 1


def test_many_threads_share_one_process() -> None:
    with Judge() as found, ThreadPoolExecutor(16) as pool:
        answers = [Answer("json", str(number % 2).encode()) for number in range(200)]
        verdicts = list(pool.map(lambda answer: found.judge(MATCH_ONE, answer) == (), answers))
        assert verdicts == [number % 2 == 1 for number in range(200)]
        assert found.started == 1


def test_secrets_are_hidden_before_texts_are_shortened() -> None:
    secret = "s3cr3t" * 20
    with Judge(redact=lambda text: text.replace(secret, "***")) as found:
        (mismatch,) = found.judge(Expectation(equals='"x"'), Answer("json", json.dumps("a" * 20 + secret + "b" * 80).encode()))
    assert mismatch.got.startswith('"' + "a" * 20 + "***b")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_process_is_replaced_if_it_was_killed() -> None:
    before = children(os.getpid())
    with Judge() as found:
        assert found.judge(MATCH_ONE, ONE) == ()
        (child,) = [each for each in children(os.getpid()) if each not in before]
        os.kill(child, signal.SIGKILL)
        assert found.judge(MATCH_ONE, ONE) == ()
        assert found.started == 2
    assert set(children(os.getpid())) <= set(before)  # those of earlier tests may have ended


PARENT = """
import sys, time
from algosync.answers import Judge
from algosync.answers.verdict import given
from algosync.core.testing.answer import Answer
from algosync.core.testing.case import Expectation
with Judge() as judge:
    judge.judge(Expectation(match=(("$", "1"),)), Answer("json", b"1"))
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_the_process_has_no_environment_and_does_not_outlive_its_parent(number: signal.Signals) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "SOURCE_API_KEY": "sim1"},
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"ready\n"
    (child,) = children(parent.pid)
    assert Path(f"/proc/{child}/environ").read_bytes() == b""
    assert os.getsid(child) != os.getsid(parent.pid)  # Ctrl-C does not reach it
    parent.send_signal(number)
    parent.communicate()
    until = time.monotonic() + 60
    while alive(child):
        assert time.monotonic() < until, "it is still there"
        time.sleep(0.02)


def children(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
