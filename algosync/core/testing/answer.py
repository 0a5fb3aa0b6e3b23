"""Answer: what a call of an algorithm returned, and how it differs from what a test expects."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Answer", "CallFailure", "CaseResult", "Mismatch"]


@dataclass(frozen=True, slots=True)
class CallFailure:
    """The error that an algorithm raised. `kind`: the platform's `error_type`, or empty. `trace`: the algorithm's own stack
    trace.
    """

    message: str
    kind: str = ""
    trace: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call returned.

    `content_type`: as the platform says: `json`, `text` or `binary`. `body`: the JSON text of the result, as it was sent; the text
    in UTF-8; the bytes. `seconds`: from the request to the end of the reply. `printed`: what the algorithm wrote to stdout.
    `failure`: the algorithm raised an error; the body is empty then.
    """

    content_type: str
    body: bytes
    seconds: float = 0.0
    printed: str = ""
    failure: CallFailure | None = None


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One way in which an answer is not as expected.

    `expectation`: the key in the workflow, such as `equals`. `path`: a JSONPath to the place in the answer; empty: the answer as a
    whole.
    `expected` and `got` are for people: shortened in the middle, and empty if there is nothing at this place.
    """

    expectation: str
    path: str = ""
    expected: str = ""
    got: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """The outcome of one call of a test. `number`: from 1, the call's place in the test. `name`: of the case; may be empty.

    `payload`: JSON text as the workflow has it. An answer passes if there are no mismatches.
    """

    number: int
    name: str
    payload: str
    answer: Answer
    mismatches: tuple[Mismatch, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.mismatches
