"""A git server's HTTP answers: read with a limit, and named where they are failures. By status, never by text."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from urllib3.exceptions import HTTPError, NewConnectionError, ProxyError, SSLError
from urllib3.exceptions import TimeoutError as NoAnswerInTime

from algosync.core.error import (
    ClusterError,
    Conflict,
    Denied,
    NotFound,
    SourceError,
    Throttled,
    Unexpected,
    Unreachable,
)
from algosync.core.text import printable, size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from urllib3 import BaseHTTPResponse

__all__ = ["Reply", "failure", "no_answer"]

_ADVERTISEMENT_LIMIT = 16 << 20  # bytes: the list of branches and tags
_PACK_LIMIT = 1 << 30


class Reply:
    """A successful answer in the shape that dulwich wants, unread.

    Unexpected: it is not from a git server, or encoded (which would defeat the limit).
    """

    def __init__(self, response: BaseHTTPResponse, url: str) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        kind = response.headers.get("Content-Type", "no content type")
        self.content_type: str | None = kind
        self.redirect_location = ""  # none are followed
        self._response, self._url = response, url
        self._left = _PACK_LIMIT if kind.endswith("-result") else _ADVERTISEMENT_LIMIT
        if not kind.startswith("application/x-git-"):
            self._refuse(f"is not a git server: it answers with {printable(kind, 80)}")
        if response.headers.get("Content-Encoding", "identity") != "identity":
            self._refuse("encodes its answers although asked not to")

    def read(self, amount: int | None = None) -> bytes:
        """SourceError: the answer is longer than a repository may be. Unreachable: it was cut off."""
        try:
            data = self._response.read(amount)
        except HTTPError as error:
            raise no_answer(self._url, error) from error
        self._left -= len(data)
        if self._left < 0:
            self.close()
            raise SourceError(f"{self._url} sends more than {size(_PACK_LIMIT)}")
        return data

    def close(self) -> None:
        self._response.close()

    def geturl(self) -> str:
        return self._url

    def _refuse(self, reason: str) -> None:
        self.close()
        raise Unexpected(f"{self._url} {reason}")


def failure(status: int, url: str, location: str | None) -> ClusterError:
    """The error that a status means; `location` is where a redirection wants us."""
    match status:
        case 401 | 403:
            return Denied(f"the git server refuses the key for {url}", status=status)
        case 404:
            return NotFound(f"there is no git repository at {url}", status=status)
        case 409:
            return Conflict(f"the git server reports a conflict at {url}", status=status)
        case 429 | 503:
            return Throttled(f"the git server is busy: {url}", status=status)
        case 301 | 302 | 303 | 307 | 308:
            target = printable(urlsplit(location or "").netloc, 200) or "nowhere"
            return Unexpected(f"{url} redirects to {target}; algosync follows no redirections", status=status)
        case _:
            return Unexpected(f"the git server answers {status} for {url}", status=status)


def no_answer(url: str, error: HTTPError) -> Unreachable:
    """What a failed exchange means to people; the library's own words name objects and addresses in memory."""
    match error:
        case NewConnectionError():  # counts as a timeout too, by inheritance
            reason = "cannot be reached"
        case NoAnswerInTime():
            reason = "does not answer in time"
        case SSLError():
            reason = "cannot be trusted: its certificate or TLS is refused"
        case ProxyError():
            reason = "cannot be reached through the proxy"
        case _:
            reason = "broke off"
    return Unreachable(f"{url} {reason}")
