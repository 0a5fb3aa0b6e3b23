"""Answer: what a call of an algorithm returned, and how it differs from what a test expects."""

from __future__ import annotations

from dataclasses import field

from algosync.core.lean import dataclass
from algosync.core.testing.case import Expectation

__all__ = ["Answer", "CallFailure", "Called", "CaseResult", "Mismatch"]


@dataclass(frozen=True, slots=True)
class Called:
    """What a test calls: a published version by its number, or a commit that is not published, whose `version` is empty.

    `commit` is empty if the commit of the version is not known. `recorded`: the version in the record, if somebody else published
    the one that is called. Empty: it is the recorded one, or none is recorded.
    """

    version: str
    commit: str
    recorded: str = ""

    def __str__(self) -> str:
        called = f"version {self.version}" if self.version else f"commit {self.commit[:12]}"
        return f"{called}, not the recorded {self.recorded}" if self.recorded else called


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

    def __str__(self) -> str:
        """Such as `$.label: expected "cat", got "dog"`. It may hold text from outside."""
        place = f"{self.path}: " if self.path else ""
        if self.expected:
            told = f"expected {self.expected}, got {self.got or 'nothing'}"
        else:
            told = f"not expected, got {self.got}" if self.got else ""
        note = f" ({self.note})" if told and self.note else self.note
        return f"{place}{told}{note}"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """The outcome of one call of a test. `number`: from 1, the call's place in the test. `name`: of the case; may be empty.

    `payload`: JSON text as the workflow has it. An answer passes if there are no mismatches. A large body of the answer is
    shortened in the middle, with its secrets hidden; `size` in bytes and `sha256` are of the whole. `sha256` is empty if the body
    holds a sensitive value. `expect`: what was expected of the answer.
    """

    number: int
    name: str
    payload: str
    answer: Answer
    mismatches: tuple[Mismatch, ...] = ()
    size: int = 0
    sha256: str = ""
    expect: Expectation = field(default_factory=Expectation)

    @property
    def passed(self) -> bool:
        return not self.mismatches
