"""Caller: calls one target with one payload after another, and has each answer judged."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from algosync.core.error import ClusterError, Denied, NotFound, TestFailed, Untrusted
from algosync.core.lean import dataclass
from algosync.core.redaction import MASK
from algosync.core.testing.answer import Answer, CallFailure, CaseResult, Mismatch
from algosync.core.testing.case import Expectation, TestCase
from algosync.core.text import middle_cut
from algosync.core.typed_json import to_json
from algosync.kinds.context import Context
from algosync.kinds.testing.target import CallTarget, not_there

__all__ = ["AlgorithmCaller", "failed_answer", "without_parts"]

_CALLABLE_WITHIN = 60.0  # seconds: a commit may become callable some time after its build (PLATFORM.md §3.10)
_PAUSE = 1.0  # seconds
_NO_ANSWER = "NoAnswer"  # the kind of failure of a call that the cluster did not answer
_PLAIN = Expectation()


@dataclass(frozen=True, slots=True)
class AlgorithmCaller:
    """Safe to use from several threads. `counts_errors`: a limit says how many calls may go without an answer, so such a call is a
    result and not an error. `first_release`: nothing was published yet, so nothing could be accepted: a baseline without a file
    holds.
    """

    target: CallTarget
    context: Context
    counts_errors: bool = False
    first_release: bool = False

    def result(self, number: int, case: TestCase, *, waits: bool = False) -> CaseResult:
        """Makes the call with this number. `waits`: a commit that cannot be called yet is waited for.

        NotFound: the version does not exist. ClusterError: the cluster did not answer.
        """
        answer = self.answer(case, waits=waits)
        return self.told(number, case, answer, self._judged(case.expect, answer))

    def told(self, number: int, case: TestCase, answer: Answer, mismatches: tuple[Mismatch, ...]) -> CaseResult:
        """The result of a call as an event carries it: shortened, and without what is sensitive."""
        text = answer.body.decode("utf-8", "replace")
        holds = self.context.holds(text)
        if mismatches and (holds or self._holds_around(answer) or self.context.holds(to_json(case.expect))):
            mismatches = tuple(map(without_parts, mismatches))
        return CaseResult(
            number,
            case.name,
            case.payload,
            replace(answer, body=self._shortened(answer, text)),
            mismatches,
            size=len(answer.body),
            sha256="" if holds else hashlib.sha256(answer.body).hexdigest(),
            expect=case.expect,
        )

    def _holds_around(self, answer: Answer) -> bool:
        """Whether what was printed or raised contains a secret."""
        return self.context.holds(answer.printed) or (answer.failure is not None and self.context.holds(answer.failure.message))

    def answer(self, case: TestCase, *, waits: bool = False) -> Answer:
        """The answer to one call, as it is. `seconds`: all the time that the caller waited.

        An error of the algorithm is an answer.
        """
        clock = self.context.clock
        started = called = clock()
        try:
            while True:
                try:
                    called = clock()
                    return replace(self._call(case), seconds=clock() - called)
                except NotFound as error:
                    if not (waits and self.target.candidate) or clock() - started > _CALLABLE_WITHIN:
                        raise not_there(self.target, error) from error
                    self.context.pause(_PAUSE)
        except TestFailed as error:
            return failed_answer(error, clock() - called)
        except ClusterError as error:
            if not self.counts_errors or isinstance(error, (Denied, NotFound, Untrusted)):
                raise
            return Answer("", b"", clock() - called, failure=CallFailure(error.message, _NO_ANSWER))

    def _call(self, case: TestCase) -> Answer:
        destination = self.context.destination
        payload = self._payload(case.payload)
        return destination.algorithms.call(destination.owner, self.target.name, self.target.reference, payload, case.timeout)

    def _payload(self, payload: str) -> str:
        """The payload with `.my` replaced by the owner if the caller is another account.

        The loader's JSON does not escape slashes.
        """
        owner = self.context.destination.owner
        if owner == self.context.destination.key_owner:
            return payload
        return payload.replace('"data://.my/', f'"data://{owner}/')

    def _judged(self, expect: Expectation, answer: Answer) -> tuple[Mismatch, ...]:
        failure = answer.failure
        if self.first_release and expect.baseline is not None and expect.baseline.content is None:
            expect = replace(expect, baseline=None)
        if failure is not None and (expect.error is None or failure.kind == _NO_ANSWER):
            return (Mismatch("call", got=failure.message, note="the call failed"),)
        return () if expect == _PLAIN else self.context.judge(expect, answer)

    def _shortened(self, answer: Answer, text: str) -> bytes:
        """The body as an event carries it."""
        limit = self.context.answer_limit
        if limit is None or len(answer.body) <= limit:
            return answer.body
        if answer.content_type == "binary":
            return b""
        return middle_cut(str(self.context.redacted(text)), limit).encode()


def failed_answer(error: TestFailed, seconds: float) -> Answer:
    """The answer of an algorithm that raised an error."""
    failure = CallFailure(error.message, error.error_type or "", error.trace or "")
    return Answer("", b"", seconds, error.printed or "", failure)


def without_parts(mismatch: Mismatch) -> Mismatch:
    """The mismatch without texts that were cut, or that a pattern found: a part of a sensitive value is not recognised any more."""
    expected, got, note = (MASK if "…" in text else text for text in (mismatch.expected, mismatch.got, mismatch.note))
    got = MASK if mismatch.expectation == "not_printed" else got
    return replace(mismatch, expected=expected, got=got, note=note)
