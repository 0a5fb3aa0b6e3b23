"""Judge: verdicts with bounds on time and memory, from any number of threads.

What is costly or hostile is judged in one child process that is kept, and started when first needed. A pattern that was too costly
once is refused from then on, so that many answers do not take the time limit each.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from functools import lru_cache
from threading import Lock
from types import TracebackType
from typing import IO

from algosync.answers.cheap import passes_cheaply
from algosync.answers.parity import alike
from algosync.answers.pattern import COMPARING, CostlyPatterns
from algosync.answers.verdict import Begun, presented
from algosync.core.lean import dataclass
from algosync.core.testing.answer import Answer, Mismatch
from algosync.core.testing.case import Expectation, Tolerance
from algosync.core.testing.parity import DIFFERENCE, NOISE
from algosync.core.typed_json import to_json

__all__ = ["Judge", "JudgeLimits"]

_CHILD = "import sys; sys.path[:] = sys.argv[1:]; from algosync.answers.child import main; main()"
_BROKEN_OFF = (Mismatch("expect", note="not judged: the run was broken off"),)
_LARGEST = 64 * 1024**2


@dataclass(frozen=True, slots=True)
class JudgeLimits:
    """Of one verdict. `seconds`: of CPU; `clock`: of wall-clock time in seconds; `memory`: bytes, where the system limits it."""

    seconds: float = 3
    clock: float = 60
    memory: int = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class _Child:
    process: subprocess.Popen[bytes]
    requests: IO[bytes]
    verdicts: IO[bytes]


class Judge:
    """A context manager that ends its process. `started`: how many processes it has started."""

    def __init__(self, redact: Callable[[str], str] = str, limits: JudgeLimits | None = None) -> None:
        """`redact` hides secrets before a text is shortened."""
        self.started = 0
        self._closed = False
        self._redact = redact
        self._limits = limits or JudgeLimits()
        self._child: _Child | None = None
        self._turn = Lock()
        self._costly = CostlyPatterns()

    def __enter__(self) -> Judge:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closed = True
        if (child := self._child) is not None:
            child.process.kill()  # does not wait for the verdict of another thread
        with self._turn:
            self._end()

    def judge(self, expect: Expectation, answer: Answer) -> tuple[Mismatch, ...]:
        """All that is not as expected; empty: the answer passes. An expectation that is too costly is a mismatch."""
        if passes_cheaply(expect, answer):
            return ()
        if len(answer.body) + len(answer.printed) > _LARGEST:
            return (Mismatch("answer", note=f"the answer is longer than {_LARGEST} bytes, and is not judged"),)
        return self._presented(_Question(expect, answer))

    def compare(self, expect: Expectation, sources: Sequence[Answer], got: Answer) -> tuple[Mismatch, ...]:
        """As of `parity`. A comparison that is too costly, or of too long answers, is a difference."""
        if alike((*sources, got)):
            return ()
        if sum(len(answer.body) for answer in (*sources, got)) > _LARGEST:
            return (Mismatch(DIFFERENCE, note=f"the answers together are longer than {_LARGEST} bytes, and are not compared"),)
        found = self._presented(_Question(expect, got, tuple(sources)))
        return tuple(each if each.expectation == NOISE else replace(each, expectation=DIFFERENCE) for each in found)

    def _presented(self, question: _Question) -> tuple[Mismatch, ...]:
        request = question.request()
        with self._turn:
            costly = self._costly.refused(question.expect, question.size, comparing=bool(question.sources))
            found = (self._too_costly(costly),) if costly else self._asked(question, request)
        return presented(found, self._redact)

    def _too_costly(self, name: str) -> Mismatch:
        return Mismatch(name, note=f"too costly: judging takes more than {self._limits.seconds:g} s")

    def _asked(self, question: _Question, request: bytes) -> tuple[Mismatch, ...]:
        """The child's verdict. A child that had ended before is replaced; one that ends over this request is not asked again."""
        if self._closed:
            return _BROKEN_OFF
        kept = self._child
        child = kept or self._start()
        (name, place), found = self._exchanged(child, request)
        if found is not None:
            return tuple(Mismatch(**each) for each in found)
        status = child.process.wait()  # it closed its output
        self._end()
        if -status in {signal.SIGPROF, signal.SIGALRM}:
            self._costly.add(COMPARING if question.sources else name, place, question.expect, question.size)
            return (self._too_costly(name),)
        if kept is not None or self._closed:
            return self._asked(question, request)
        return (Mismatch(name, note=f"not judged: the process that judges ended with status {status}"),)

    def _exchanged(self, child: _Child, request: bytes) -> tuple[Begun, list[dict[str, str]] | None]:
        """The last expectation that was begun, and the verdict; None: the child ended."""
        begun = ("expect", 0)
        try:
            child.requests.write(request)
            child.requests.flush()
            while (line := child.verdicts.readline()).endswith(b"\n"):
                part = json.loads(line)
                if isinstance(part, list):
                    return begun, part
                begun = tuple(part["begun"])
        except BrokenPipeError:
            pass
        except BaseException:  # an interrupt: a reply may still come, and would be taken for the next one
            self._end()
            raise
        return begun, None

    def _start(self) -> _Child:
        """The child gets no environment, so no keys, and a session of its own, so no Ctrl-C; it ends at the end of its input."""
        self.started += 1
        process = subprocess.Popen(  # noqa: S603  # our own module; the arguments contain nothing of an answer
            [sys.executable, "-I", "-c", _CHILD, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={},
            start_new_session=True,
        )
        requests, verdicts = process.stdin, process.stdout
        if requests is None or verdicts is None:
            raise AssertionError("both are pipes")
        self._child = _Child(process, requests, verdicts)
        requests.write(json.dumps(asdict(self._limits)).encode() + b"\n")
        if self._closed:  # meanwhile: nobody else saw this child
            process.kill()
        return self._child

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.process.kill()
        for pipe in (child.requests, child.verdicts):
            with suppress(OSError):
                pipe.close()
        child.process.wait()


@dataclass(frozen=True, slots=True)
class _Question:
    """What the child judges. `sources`: what the answer is compared with. Empty: it is judged by the expectation."""

    expect: Expectation
    answer: Answer
    sources: tuple[Answer, ...] = ()

    @property
    def size(self) -> int:
        """Of all texts in which patterns are looked for."""
        return sum(len(a.body) + len(a.printed) + len(a.failure.message if a.failure else "") for a in (self.answer, *self.sources))

    def request(self) -> bytes:
        sources = [_sent(each) for each in self.sources]
        request = {"expect": _expectation_text(self.expect), "answer": _sent(self.answer), "sources": sources}
        return json.dumps(request).encode() + b"\n"


def _sent(answer: Answer) -> dict[str, object]:
    return {
        "content_type": answer.content_type,
        "body": b64encode(answer.body).decode(),
        "seconds": answer.seconds,
        "printed": answer.printed,
        "failure": None if answer.failure is None else asdict(answer.failure),
    }


@lru_cache(maxsize=16)
def _expectation_text(expect: Expectation) -> str:
    """Typed JSON, which has no whole numbers in the place of floats. Kept, because many answers meet one expectation."""
    tolerance = Tolerance(float(expect.tolerance.relative), float(expect.tolerance.absolute))
    seconds = None if expect.max_seconds is None else float(expect.max_seconds)
    return json.dumps(to_json(replace(expect, tolerance=tolerance, max_seconds=seconds)))
