"""One call of an algorithm: what is called, on whose behalf, and what comes of it."""

import json
import uuid
from dataclasses import dataclass, field

from algosync.emulator.records.algorithms import Algorithm
from algosync.emulator.records.builds import Build
from algosync.emulator.records.rights import EVERYTHING, Rights

Document = dict[str, object]


@dataclass(frozen=True, slots=True)
class Target:
    """What is called: a built commit of an algorithm, whether it may call other algorithms in turn, and its secrets by variable."""

    algorithm: Algorithm
    build: Build
    may_call: bool
    secrets: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """On whose behalf a call is made, in which request tree, how deep below its root, and by which call, if by one.

    `rights` are those of the key that the tree began with.
    """

    user: str
    tree: str
    depth: int
    maker: str = ""
    rights: Rights = EVERYTHING
    id: str = field(default_factory=lambda: f"req-{uuid.uuid4()}")
    """What its answer and the list of errors name it by."""


@dataclass(frozen=True, slots=True)
class CallResult:
    """A result or an error as the runner wrote it, what was printed, and how long it took in seconds."""

    document: Document
    stdout: str = ""
    duration: float = 0.0

    @property
    def error(self) -> Document | None:
        """The error of a call that failed."""
        found = self.document.get("error")
        return found if isinstance(found, dict) else None


def failed(message: str, error_type: str, stacktrace: str = "") -> CallResult:
    """An error that the cluster reports in an algorithm's stead."""
    return CallResult({"error": {"message": message, "error_type": error_type, "stacktrace": stacktrace}})


class NotJsonError(ValueError):
    """A runner's answer has a number that only Python's JSON knows: clients of other languages, jq among them, read none of it."""


def answered(text: bytes) -> CallResult:
    """What a runner has answered. Raises `NotJsonError`, and `ValueError` or `RecursionError` for what no runner writes."""
    return CallResult(_checked(json.loads(text, parse_constant=_not_json)))


def _not_json(constant: str) -> None:
    raise NotJsonError(f"it has a number that is {constant}")


def _checked(document: object) -> Document:
    """What a runner may answer: an object, whose error, if it has one, is told in texts. Raises `ValueError` and `RecursionError`.

    The algorithm shares the runner's process, so that anything can come.
    """
    if not isinstance(document, dict):
        raise ValueError("This is no object")
    error = document.get("error")
    if error is None:
        return document
    if not isinstance(error, dict):
        raise ValueError("This is no error")
    return {**document, "error": {name: value if isinstance(value, str) else str(value) for name, value in error.items()}}
