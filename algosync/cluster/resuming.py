"""Resuming: a download whose connection broke goes on where it stopped, if the server proves that it sends the same content.

The proof is a validator that changes with every write (RFC 9110, section 8.8): the first reply has a strong ETag, or a
Last-Modified that was at least two seconds old, so that no later write can have the same. A server that offers ranges
(`Accept-Ranges`) has to repeat these headers in its 206, and to name exactly the missing bytes. Otherwise the transfer begins
again. The rest is asked for with the last bytes that have arrived already, which have to be equal. The digest is over all bytes,
whichever reply they came from.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import field
from datetime import timedelta

from algosync.core.error import AlgosyncError, Interrupted, TimedOut, Unreachable, Untrusted
from algosync.core.lean import dataclass
from algosync.core.timestamp import read_http_date
from algosync.net import Response
from algosync.net.host import content_codings

__all__ = ["Resumption", "blocks_of"]

_OLD = timedelta(seconds=2)
_TAIL = 4096  # bytes that are received twice
_MOST = 5  # times that one download goes on


@dataclass(frozen=True, slots=True)
class Resumption:
    """How the rest of a reply can be asked for. `ask` sends a GET with these headers, and returns the reply to be read."""

    length: int
    validators: Mapping[str, str]
    condition: str
    ask: Callable[[Mapping[str, str]], Response] = field(repr=False)

    @classmethod
    def of(cls, response: Response, length: int | None, ask: Callable[[Mapping[str, str]], Response]) -> Resumption | None:
        """None: the server does not offer it, or its reply has nothing that proves that the rest is of the same content."""
        headers = response.headers
        if length is None or headers.get("Accept-Ranges") != "bytes" or content_codings(headers):
            return None
        validators = {name: headers[name] for name in ("ETag", "Last-Modified") if name in headers}
        tag = validators.get("ETag", "")
        if "Last-Modified" in validators and not _is_old(validators["Last-Modified"], headers.get("Date")):
            return None
        if tag and not (tag.startswith('"') and tag.endswith('"')):
            return None
        condition = tag or validators.get("Last-Modified")
        return cls(length, validators, condition, ask) if condition else None

    def rest(self, done: int, tail: bytes) -> Response | None:
        """The reply with all bytes after the first `done`, which end with `tail`. None: the server sends something else.

        Raises what `ask` raises.
        """
        start = done - len(tail)
        response = self.ask({"Range": f"bytes={start}-", "If-Range": self.condition})
        if self._is_rest(response, start) and response.read(len(tail)) == tail:
            return response
        response.close()
        return None

    def _is_rest(self, response: Response, start: int) -> bool:
        headers = response.headers
        return (
            response.status == 206
            and headers.get("Content-Range") == f"bytes {start}-{self.length - 1}/{self.length}"
            and headers.get("Content-Length") == str(self.length - start)
            and all(headers.get(name) == value for name, value in self.validators.items())
            and not content_codings(headers)
        )


def blocks_of(
    response: Response, resumption: Resumption | None, waits: Callable[[AlgosyncError, int], None]
) -> Generator[bytes, None, None]:
    """The blocks of a reply. After a broken connection those of the rest.

    `waits(error, attempt)` waits before each further request, or raises the error. Unreachable: the connection broke, and the
    download did not get any further, or cannot be resumed.
    """
    done, before, tail = 0, 0, b""
    current = response
    for attempt in range(1, _MOST + 2):
        try:
            with closing(current):
                for block in current.blocks():
                    done += len(block)
                    tail = (tail + block if len(block) < _TAIL else block)[-_TAIL:]
                    yield block
                return
        except Unreachable as error:
            if resumption is None or attempt > _MOST or not _is_worth_it(error, done - before) or done >= resumption.length:
                raise
            waits(error, attempt)
            rest = _asked(resumption, done, tail, error)
            before, current = done, rest


def _asked(resumption: Resumption, done: int, tail: bytes, error: Unreachable) -> Response:
    """The rest. Raises the error that broke the download if there is none: then the transfer begins again, and tells why."""
    try:
        rest = resumption.rest(done, tail)
    except Interrupted:
        raise
    except AlgosyncError:
        rest = None
    if rest is None:
        raise error
    return rest


def _is_worth_it(error: Unreachable, progress: int) -> bool:
    return progress > 0 and not isinstance(error, (TimedOut, Untrusted, Interrupted))


def _is_old(modified: str, date: str | None) -> bool:
    written, now = read_http_date(modified), read_http_date(date or "")
    return written is not None and now is not None and now - written >= _OLD
