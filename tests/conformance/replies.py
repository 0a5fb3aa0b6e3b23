"""What clients make of answers, as values: a test asserts on them, and nothing a server says ends it in another way."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Answer", "Outcome", "Output", "Reply"]


@dataclass(frozen=True)
class Reply:
    """The outcome of one exchange; each kind of client has its own."""

    @property
    def document(self) -> Any:
        raise NotImplementedError

    def at(self, *path: str | int) -> Any:
        """What is found there in the document; None where there is nothing."""
        found = self.document
        for step in path:
            try:
                found = found[step]
            except (KeyError, IndexError, TypeError):
                return None
        return found

    def each(self, *path: str | int) -> list[Any]:
        """The list that is there; empty where there is none."""
        found = self.at(*path)
        return found if isinstance(found, list) else []

    def names(self, *path: str | int) -> set[str]:
        """The names in the object that is there; none where there is no object."""
        found = self.at(*path)
        return set(found) if isinstance(found, dict) else set()


@dataclass(frozen=True)
class Answer(Reply):
    """HTTP as it came: the status, the headers with their names in lower case, the body."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def document(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True)
class Outcome(Reply):
    """What a client library returned, or the exception it raised: its class and its text."""

    value: Any = None
    error: str = ""
    message: str = ""

    @property
    def document(self) -> Any:
        return self.value


@dataclass(frozen=True)
class Output(Reply):
    """What a command printed, and its exit code."""

    code: int = -1
    stdout: str = ""
    stderr: str = ""

    @property
    def document(self) -> Any:
        """What it printed, as JSON; None where it is none."""
        try:
            return json.loads(self.stdout)
        except ValueError:
            return None
