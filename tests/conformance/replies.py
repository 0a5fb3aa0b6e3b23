"""Results of clients as values that tests assert on. No answer of a server makes reading them raise an exception."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Answer", "Outcome", "Output", "Reply"]


@dataclass(frozen=True)
class Reply:
    """The result of one exchange. Each kind of client has a subclass."""

    @property
    def document(self) -> Any:
        raise NotImplementedError

    def at(self, *path: str | int) -> Any:
        """The value at a path in the document; None if there is none."""
        found = self.document
        for step in path:
            try:
                found = found[step]
            except (KeyError, IndexError, TypeError):
                return None
        return found

    def each(self, *path: str | int) -> list[Any]:
        """The list at a path in the document; empty if there is none."""
        found = self.at(*path)
        return found if isinstance(found, list) else []

    def names(self, *path: str | int) -> set[str]:
        """The names in the object at a path in the document; empty if there is none."""
        found = self.at(*path)
        return set(found) if isinstance(found, dict) else set()


@dataclass(frozen=True)
class Answer(Reply):
    """An HTTP response: status, headers with names in lower case, body."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def document(self) -> Any:
        """The body as JSON; None if it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True)
class Outcome(Reply):
    """The return value of a client library, or the class and the text of the exception that it raised."""

    value: Any = None
    error: str = ""
    message: str = ""

    @property
    def document(self) -> Any:
        return self.value


@dataclass(frozen=True)
class Output(Reply):
    """The output of a command, and its exit code."""

    code: int = -1
    stdout: str = ""
    stderr: str = ""

    @property
    def document(self) -> Any:
        """The standard output as JSON; None if it is not JSON."""
        try:
            return json.loads(self.stdout)
        except ValueError:
            return None
