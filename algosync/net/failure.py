"""Translate failed replies and broken connections into our errors, by status, platform code and exception type."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timezone
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
from algosync.core.text import clauses, printable
from algosync.core.timestamp import read_http_date
from algosync.net.document import read_json
from algosync.net.setting_names import SettingNames

__all__ = ["from_reply", "from_transport", "reply_error", "timed_out"]

_BY_STATUS: Mapping[int, type[ClusterError]] = {
    401: Denied,
    403: Denied,
    404: NotFound,
    409: Conflict,
    429: Throttled,
    503: Throttled,
}
# The platform's error codes that are more precise than the status (PLATFORM.md §3.8).
_BY_CODE: Mapping[int, type[ClusterError]] = {
    1000: NotFound,
    1001: NotFound,
    1002: Conflict,
    1007: Conflict,
    1009: NotFound,
    2001: Denied,
    2002: Denied,
}
_BARE_ERROR_KEYS = frozenset(("id", "code", "message"))
_OPENSSL_DETAILS = r"^\[[A-Z0-9_: ]+\] | \(_ssl\.c:\d+\)"
# The status is only in this message of the standard library.
_TUNNEL = r"(?s)Tunnel connection failed: (\d{3}) ?(.*)"
# OpenSSL's error numbers for certificates.
_VALIDITY_ERRORS = (9, 10)
_HOST_NAME_ERRORS = (62, 64)


def from_reply(what: str, status: int, headers: Mapping[str, str], body: bytes | None, names: SettingNames) -> ClusterError:
    """Return the error for a reply with a failed status. `what` is shown to users: method and path, never a key.

    `body` is None if it was not received completely. A 404 becomes NotFound only if its body is empty or in the platform's format:
    the error page of a load balancer that does not know the path says nothing about the resource.
    """
    # For plain HTTP the proxy itself can send the reply.
    if status == 407 or (names.proxy and 400 <= status < 500 and "Proxy-Authenticate" in headers):
        return _proxy_refused(what, status, "", names)
    from_platform, message, code, request_id = _read(body)
    if 300 <= status < 400:
        target = _target(headers.get("Location") or "")
        return Unexpected(
            f"{what}: {status}, a redirect to {target}; redirects are never followed, because they would carry the key elsewhere",
            status=status,
            hint=_look_at(names.address),
        )
    kind = _BY_CODE.get(code or 0) or _BY_STATUS.get(status, Unexpected)
    if kind is NotFound and (status >= 500 or not from_platform):
        kind = Unexpected
    reason = "it is wrong, or has expired" if status == 401 else "it may not do this"
    hint = _look_at(names.key, reason) if kind is Denied else _origin(names) if kind is not Conflict else None
    error = kind(f"{what}: {status} {message}".rstrip(), status=status, code=code, request_id=request_id, hint=hint)
    error.retry_after = _retry_after(headers)
    error.body = body
    return error


def _origin(names: SettingNames) -> str | None:
    """Names the host that sent a status, because the message has only the path."""
    if not names.host:
        return _look_at(names.address)
    return f"{names.host} answered" + (f"; look at {names.address}" if names.address else "")


def _target(location: str) -> str:
    try:
        return printable(urlsplit(location).netloc, 200) or "nowhere"
    except ValueError:
        return f"no address: {printable(location, 200)}"


def timed_out(what: str, seconds: float, names: SettingNames) -> TimedOut:
    return TimedOut(
        f"{what}: {_peer(names)} sent no complete reply within {seconds:.0f} s, or it was slower than the minimum rate",
        hint=clauses(_route_hint(names), "--request-timeout gives it more time"),
    )


def from_transport(what: str, error: BaseException, names: SettingNames) -> ClusterError:
    """Return the error for a request without a complete reply. Keeps the messages of libraries; none of them contains a header."""
    from urllib3 import exceptions as broken

    chain = tuple(_chain(error))

    def contains(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in chain)

    if refused := next((match for cause in reversed(chain) if (match := re.search(_TUNNEL, str(cause)))), None):
        return _proxy_refused(what, int(refused[1]), refused[2], names)
    through_proxy = contains(broken.ProxyError)
    peer, hint = ("the proxy", _proxy_hint(names)) if through_proxy else (_peer(names), _route_hint(names))
    if distrusted := next((cause for cause in chain if isinstance(cause, ssl.SSLCertVerificationError)), None):
        return _untrusted(f"{what}: the certificate of {peer}", distrusted, replace(names, address="") if through_proxy else names)
    kind = Unreachable
    if contains(broken.SSLError, ssl.SSLError) and not contains(ssl.SSLEOFError, ssl.SSLZeroReturnError):
        problem = f"{peer} does not speak TLS correctly"
    elif contains(broken.NameResolutionError):
        problem = f"the name of {peer} cannot be resolved"
    elif contains(broken.NewConnectionError):  # urllib3 derives it from its timeout error
        problem = f"{peer} cannot be reached"
    elif contains(broken.TimeoutError, TimeoutError):
        kind, problem = TimedOut, f"{peer} does not answer in time"
    else:
        problem = f"the connection to {peer} broke off"
    return kind(f"{what}: {problem}: {_innermost_message(chain)}", hint=hint)


def reply_error(body: object) -> Mapping[str, object] | None:
    """Return the `error` member of a reply as a mapping, in any of its shapes, or None if there is none (PLATFORM.md §3.8)."""
    error = body.get("error") if isinstance(body, Mapping) else None
    if error is None:
        return None
    return error if isinstance(error, Mapping) else {"message": str(error)}


def _proxy_refused(what: str, status: int, reason: str, names: SettingNames) -> ClusterError:
    """The error for a reply of the proxy itself. Nothing was sent through it."""
    refused = _refusal(what, status, reason, names)
    refused.sent = False
    return refused


def _refusal(what: str, status: int, reason: str, names: SettingNames) -> ClusterError:
    variable, host = names.proxy or "HTTPS_PROXY", names.host or "the host"
    if status in (401, 407):  # tinyproxy sends 401 for a wrong password
        hint = f"look at {variable}: http://USER:PASSWORD@PROXY:PORT, special characters of both written as %XX"
        return Denied(f"{what}: the proxy asks for a user name and a password, or refuses the given ones: {status}", hint=hint)
    problem = printable(f"{status} {reason}".rstrip(), 200)
    if 400 <= status < 500:
        return Denied(f"{what}: the proxy refuses to connect to {host}: {problem}", hint=_proxy_hint(names))
    return Unreachable(f"{what}: the proxy cannot connect to {host}: {problem}", hint=_route_hint(names))


def _peer(names: SettingNames) -> str:
    """The name of the peer for messages. With a proxy, either of the two may have failed."""
    return f"{names.host or 'the host'}{', through the proxy,' if names.proxy else ''}"


def _route_hint(names: SettingNames) -> str | None:
    if names.proxy:
        return f"look at {', '.join(filter(None, (names.address, names.proxy)))} and NO_PROXY"
    return _look_at(names.address)


def _proxy_hint(names: SettingNames) -> str:
    return f"look at {names.proxy or 'HTTPS_PROXY'}; NO_PROXY names hosts that need no proxy"


def _untrusted(subject: str, error: ssl.SSLCertVerificationError, names: SettingNames) -> Untrusted:
    hint: str | None
    if error.verify_code in _VALIDITY_ERRORS:
        hint = "it has to be renewed on the server, or this machine's clock is wrong"
        hint += f"; {names.ca_cert} cannot help" if names.ca_cert else ""
    elif error.verify_code in _HOST_NAME_ERRORS:
        hint = _look_at(names.address, "it has to be the name that the certificate was made for")
    else:
        hint = _look_at(names.ca_cert, "the PEM file of the authority that signed that certificate")
    return Untrusted(f"{subject} is refused: {printable(error.verify_message or str(error), 200)}", hint=hint)


def _look_at(variable: str, reason: str = "") -> str | None:
    if not variable:
        return None
    return f"look at {variable}: {reason}" if reason else f"look at {variable}"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and its causes. urllib3 wraps the informative reason in several other exceptions."""
    seen: list[BaseException] = []
    found: BaseException | None = error
    while found is not None and found not in seen:
        seen.append(found)
        yield found
        inner = [getattr(found, name, None) for name in ("original_error", "reason")] + list(found.args) + [found.__cause__]
        found = next((each for each in inner if isinstance(each, BaseException)), None)


def _innermost_message(chain: tuple[BaseException, ...]) -> str:
    """The message of the innermost error, without the object addresses that the outer messages contain."""
    innermost = chain[-1]
    text = (innermost.strerror if isinstance(innermost, OSError) else None) or str(innermost)
    text = re.sub(_OPENSSL_DETAILS, "", text).strip()
    return printable(text, 300) or type(innermost).__name__


def _read(body: bytes | None) -> tuple[bool, str, int | None, str | None]:
    """Return whether the body can be the platform's, then its message, code and id.

    The platform uses three shapes: wrapped, bare, and a plain string (PLATFORM.md §3.8).
    """
    try:
        document = read_json(body or b"")
    except ValueError:
        return body == b"", printable((body or b"").decode("utf-8", "replace").strip(), 300), None, None
    error = reply_error(document)
    whole = document if isinstance(document, Mapping) else {}
    from_platform = whole.keys() >= _BARE_ERROR_KEYS if error is None else isinstance(whole["error"], Mapping) or len(whole) == 1
    if error is None:
        error = whole
    code, request_id = error.get("code"), error.get("id")
    return (
        from_platform,
        printable(str(error.get("message", "")), 500),
        code if isinstance(code, int) else None,
        printable(request_id, 80) if isinstance(request_id, str) else None,
    )


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait: a number, or a date relative to the server's own clock. None if it is missing or
    invalid.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:15])
    until = read_http_date(text)
    if until is None:
        return None
    now = read_http_date(headers.get("Date", "")) or datetime.now(timezone.utc)
    return max(0.0, (until - now).total_seconds())
