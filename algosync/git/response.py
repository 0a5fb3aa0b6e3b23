"""A git server's reply, with a size limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from algosync.core.error import SourceError, Unexpected
from algosync.core.text import printable, size
from algosync.git.refs import LIST_LIMIT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from algosync.net import Response

__all__ = ["GitResponse"]

_PACK_LIMIT = 1 << 30


class GitResponse:
    """A successful reply with the interface that dulwich needs, not read yet. `expected` is its content type.

    Raises Unexpected if it is not from a git server, or is compressed, which would defeat the limit.
    """

    def __init__(self, response: Response, url: str, expected: str) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        kind = response.headers.get("Content-Type", "no content type")
        self.content_type: str | None = kind
        self.redirect_location = ""  # redirects are not followed
        self._response, self._url = response, url
        self._left = _PACK_LIMIT if kind.endswith("-result") else LIST_LIMIT
        if kind.partition(";")[0] != expected:
            self._refuse(f"is not a git server: it answers with {printable(kind, 80)}")
        if response.headers.get("Content-Encoding", "identity") != "identity":
            self._refuse("sends encoded replies, which were not requested")

    def read(self, amount: int | None = None) -> bytes:
        """Read bytes. Raises SourceError if the reply exceeds the limit, Unreachable if it was truncated."""
        data = self._response.read(amount)
        self._left -= len(data)
        if self._left < 0:
            self.close()
            raise SourceError(f"{self._url} sends more than {size(_PACK_LIMIT)}")
        if not data:
            self.close()  # dulwich does not always close it
        return data

    def close(self) -> None:
        self._response.close()

    def geturl(self) -> str:
        return self._url

    def _refuse(self, reason: str) -> None:
        self.close()
        raise Unexpected(f"{self._url} {reason}", status=self.status)
