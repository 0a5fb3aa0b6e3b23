"""Request: one request whose body is held in memory."""

from __future__ import annotations

from collections.abc import Mapping

from algosync.core.lean import dataclass

__all__ = ["Request"]


@dataclass(frozen=True, slots=True)
class Request:
    """`headers` have no `Content-Length`: it follows from the body."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def what(self) -> str:
        """The request in messages, without its query."""
        return f"{self.method} {self.path.partition('?')[0]}"
