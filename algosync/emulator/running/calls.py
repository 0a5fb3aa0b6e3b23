"""One call of an algorithm: its target, its caller and its result."""

import json
import uuid
from dataclasses import dataclass, field

from algosync.emulator.records.algorithms import Algorithm
from algosync.emulator.records.builds import BuildRecord
from algosync.emulator.records.rights import EVERYTHING, Rights

Document = dict[str, object]


@dataclass(frozen=True, slots=True)
class Target:
    """A built commit of an algorithm, whether it may call other algorithms, and its secrets by variable."""

    algorithm: Algorithm
    build: BuildRecord
    may_call: bool
    secrets: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A call on behalf of `user`, at a `depth` below the root of a tree of calls.

    `maker` is the id of the call that made it, if any. `rights` are those of the key with which the tree began.
    """

    user: str
    tree: str
    depth: int
    maker: str = ""
    rights: Rights = EVERYTHING
    id: str = field(default_factory=lambda: f"req-{uuid.uuid4()}")
    """Identifies the call in its answer and in the list of errors."""


@dataclass(frozen=True, slots=True)
class CallResult:
    """The runner's document with a result or an error, the printed output, and the duration in seconds."""

    document: Document
    stdout: str = ""
    duration: float = 0.0

    @property
    def error(self) -> Document | None:
        """The error of a failed call; None after success."""
        found = self.document.get("error")
        return found if isinstance(found, dict) else None


def failed(message: str, error_type: str, stacktrace: str = "") -> CallResult:
    """A result with an error that the cluster reports in place of the algorithm."""
    return CallResult({"error": {"message": message, "error_type": error_type, "stacktrace": stacktrace}})


class NotJsonError(ValueError):
    """The answer contains NaN or an infinity, which is no JSON: clients of other languages could not read it."""


def answered(text: bytes) -> CallResult:
    """Parse a runner's answer. Raises `NotJsonError`, and `ValueError` or `RecursionError` for other invalid answers."""
    return CallResult(_checked(json.loads(text, parse_constant=_not_json)))


def _not_json(constant: str) -> None:
    raise NotJsonError(f"it has a number that is {constant}")


def _checked(document: object) -> Document:
    """Check an answer and turn the values of its error into text. Raises `ValueError` and `RecursionError`.

    The algorithm shares the runner's process, so that the answer may be anything.
    """
    if not isinstance(document, dict):
        raise ValueError("the answer is no object")
    error = document.get("error")
    if error is None:
        return document
    if not isinstance(error, dict):
        raise ValueError("the error is no object")
    return {**document, "error": {name: value if isinstance(value, str) else str(value) for name, value in error.items()}}
