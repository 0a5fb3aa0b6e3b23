"""Failed replies and broken connections become our errors: the one translation of every HTTP edge, by status, code and type."""

from __future__ import annotations

import json
import re
import ssl
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from algosync.core.error import (
    ClusterError,
    Conflict,
    Denied,
    NotFound,
    Throttled,
    TimedOut,
    Unexpected,
    Unreachable,
    Untrusted,
)
from algosync.core.text import printable
from algosync.net.names import Names

__all__ = ["from_reply", "from_transport", "reply_error", "timed_out"]

_BY_STATUS: Mapping[int, type[ClusterError]] = {
    401: Denied,
    403: Denied,
    404: NotFound,
    409: Conflict,
    429: Throttled,
    503: Throttled,
}
# The platform's own numbers that say more than the status (platform.md §3.8).
_BY_CODE: Mapping[int, type[ClusterError]] = {
    1000: NotFound,
    1001: NotFound,
    1002: Conflict,
    1007: Conflict,
    1009: NotFound,
    2001: Denied,
    2002: Denied,
}
# The standard library's own sentence; the status is nowhere else.
_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})")


def from_reply(what: str, status: int, headers: Mapping[str, str], body: bytes, names: Names) -> ClusterError:
    """The error that a reply with a failed status means. `what` is shown: method and path, never a key."""
    message, code, request_id = _read(body)
    if 300 <= status < 400:
        target = printable(urlsplit(headers.get("Location") or "").netloc, 200) or "nowhere"
        return Unexpected(
            f"{what}: {status}, a redirect to {target}; redirects are never followed, because they would carry the key elsewhere",
            status=status,
            hint=_look_at(names.address),
        )
    kind = _BY_CODE.get(code or 0) or _BY_STATUS.get(status, Unexpected)
    hint = _look_at(names.key) if kind is Denied else None
    error = kind(f"{what}: {status} {message}".rstrip(), status=status, code=code, request_id=request_id, hint=hint)
    error.retry_after = _retry_after(headers)
    return error


def timed_out(what: str, seconds: float, names: Names) -> TimedOut:
    return TimedOut(
        f"{what}: no whole answer within {seconds:.0f} s, or a transfer slower than it may be",
        hint=_look_at(names.address) or "--request-timeout gives it more time",
    )


def from_transport(what: str, error: BaseException, names: Names) -> ClusterError:
    """The error of a request without a whole answer. Libraries' texts are kept where they say something; none holds a header."""
    from urllib3 import exceptions as broken

    chain = tuple(_chain(error))

    def holds(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in chain)

    if refused := next((match for cause in chain if (match := _TUNNEL.search(str(cause)))), None):
        return _proxy_refused(what, int(refused[1]))
    if distrusted := next((cause for cause in chain if isinstance(cause, ssl.SSLCertVerificationError)), None):
        return _untrusted(what, distrusted, names)
    kind, hint = Unreachable, _look_at(names.address)
    if holds(broken.ProxyError):
        said, hint = "the proxy cannot be reached", "look at HTTPS_PROXY and NO_PROXY"
    elif holds(broken.SSLError, ssl.SSLError):
        said = "TLS failed"
    elif holds(broken.NameResolutionError):
        said = "the host's name is not known"
    elif holds(broken.NewConnectionError):  # a timeout too for urllib3, by inheritance
        said = "the host cannot be reached"
    elif holds(broken.TimeoutError, TimeoutError):
        kind, said = TimedOut, "the host does not answer in time"
    else:
        said = "the connection broke off"
    return kind(f"{what}: {said}: {_reason(chain)}", hint=hint)


def reply_error(body: object) -> Mapping[str, object] | None:
    """The `error` member of a reply, as a mapping, whatever shape it has; None where there is none (platform.md §3.8)."""
    error = body.get("error") if isinstance(body, Mapping) else None
    if error is None:
        return None
    return error if isinstance(error, Mapping) else {"message": str(error)}


def _proxy_refused(what: str, status: int) -> ClusterError:
    if status == 407:
        hint = "give them in HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT"
        return Denied(f"{what}: the proxy asks for a user name and a password", hint=hint)
    return Unreachable(f"{what}: the proxy cannot or will not connect: {status}", hint="look at HTTPS_PROXY and NO_PROXY")


def _untrusted(what: str, error: ssl.SSLCertVerificationError, names: Names) -> Untrusted:
    reason = printable(error.verify_message or str(error), 200)
    hint = _look_at(names.ca_cert)
    if error.verify_code in (9, 10):  # OpenSSL: not yet valid, expired
        hint = "the server's certificate has to be renewed, or this machine's clock is wrong"
        hint += f"; {names.ca_cert} does not help" if names.ca_cert else ""
    return Untrusted(f"{what}: the server's certificate is refused: {reason}", hint=hint)


def _look_at(variable: str) -> str | None:
    return f"look at {variable}" if variable else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """urllib3 wraps the reason that says something in others that do not."""
    seen: list[BaseException] = []
    found: BaseException | None = error
    while found is not None and found not in seen:
        seen.append(found)
        yield found
        inner = [getattr(found, name, None) for name in ("original_error", "reason")] + list(found.args) + [found.__cause__]
        found = next((each for each in inner if isinstance(each, BaseException)), None)


def _reason(chain: tuple[BaseException, ...]) -> str:
    """The innermost's words, without the objects and addresses in memory that the outer ones name."""
    innermost = chain[-1]
    text = (innermost.strerror if isinstance(innermost, OSError) else None) or str(innermost)
    return printable(text, 300) or type(innermost).__name__


def _read(body: bytes) -> tuple[str, int | None, str | None]:
    """Message, code and id of the three shapes that are live: wrapped, bare, a plain string (platform.md §3.8)."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return printable(body[:300].decode("utf-8", "replace").strip()), None, None
    error = reply_error(document)
    if error is None:
        error = document if isinstance(document, Mapping) else {}
    code, request_id = error.get("code"), error.get("id")
    return (
        printable(str(error.get("message", "")), 500),
        code if isinstance(code, int) else None,
        printable(request_id, 80) if isinstance(request_id, str) else None,
    )


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait: a number, or a date, which is measured by its own clock. None: nothing sensible."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return float(text)
    try:
        until = parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
    try:
        now = parsedate_to_datetime(headers.get("Date", "")).timestamp()
    except (TypeError, ValueError, OverflowError):
        now = time.time()
    return max(0.0, until - now)
