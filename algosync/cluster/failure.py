"""Failed replies and broken connections become our errors: the one translation of the HTTP edge, by status and code only."""

from __future__ import annotations

import json
from collections.abc import Mapping

from algosync.core.error import ClusterError, Conflict, Denied, NotFound, Throttled, Unexpected, Unreachable
from algosync.core.text import printable

__all__ = ["algorithm_error", "from_reply", "from_transport"]

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


def from_reply(request: str, status: int, body: bytes, side: str = "") -> ClusterError:
    """The error that a reply with a failed status means. `request` is shown: method and path, never a key.

    `side` (SOURCE, DESTINATION) begins the variable that the hint names.
    """
    message, code, request_id = _read(body)
    kind = _BY_CODE.get(code or 0) or _BY_STATUS.get(status, Unexpected)
    if 300 <= status < 400:
        message = "it redirects; redirects are never followed, because they would carry the key elsewhere"
    hint = f"look at {side}_API_KEY" if side and kind is Denied else None
    return kind(f"{request}: {status} {message}".rstrip(), status=status, code=code, request_id=request_id, hint=hint)


def from_transport(request: str, error: BaseException, side: str = "") -> Unreachable:
    """The error of a request without a whole answer. The library's text is kept: it never holds a header."""
    hint = f"look at {side}_API_ADDRESS" if side else None
    return Unreachable(f"{request}: {printable(_innermost(error), 300)}", hint=hint)


def algorithm_error(body: object) -> Mapping[str, object] | None:
    """The `error` member of a reply, as a mapping, whatever shape it has; None where there is none (platform.md §3.8)."""
    error = body.get("error") if isinstance(body, Mapping) else None
    if error is None:
        return None
    return error if isinstance(error, Mapping) else {"message": str(error)}


def _read(body: bytes) -> tuple[str, int | None, str | None]:
    """Message, code and id of the three shapes that are live: wrapped, bare, a plain string (platform.md §3.8)."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return printable(body[:300].decode("utf-8", "replace").strip()), None, None
    error = algorithm_error(document)
    if error is None:
        error = document if isinstance(document, Mapping) else {}
    code, request_id = error.get("code"), error.get("id")
    return (
        printable(str(error.get("message", "")), 500),
        code if isinstance(code, int) else None,
        printable(request_id, 80) if isinstance(request_id, str) else None,
    )


def _innermost(error: BaseException) -> str:
    """urllib3 wraps the reason that says something in others that do not."""
    reason = getattr(error, "reason", None)
    if isinstance(reason, BaseException):
        return _innermost(reason)
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
