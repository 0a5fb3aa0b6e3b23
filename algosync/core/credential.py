"""A cluster's credential: checked where it enters, and written the two ways in which it is sent.

A cluster takes its own API keys as `Simple KEY`, and tokens of an identity provider as `Bearer TOKEN` (PLATFORM.md §1.1).
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import Literal

from algosync.core.error import UsageError
from algosync.core.secret import Secret

__all__ = ["Credential", "bare", "credential"]

_LONGEST = 8192  # characters: servers refuse longer header lines
_SCHEME = re.compile(r"(simple|bearer) (.*)", re.IGNORECASE | re.DOTALL)
_PLAIN = re.compile(r"[!-~]+")  # what a header carries unchanged
_JWT = re.compile(r"([\w-]+)\.[\w-]+\.[\w-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Credential:
    """`secret` is the bare key or token: printable ASCII without spaces. What the methods give is as secret as it is."""

    secret: Secret
    scheme: Literal["Simple", "Bearer"]

    def header(self) -> str:
        """The value of `Authorization` for the API."""
        return f"{self.scheme} {self.secret.reveal()}"

    def basic(self, user: str) -> str:
        """The value of `Authorization` for git over HTTP. ValueError: `user` holds a colon, which would end it too early."""
        if ":" in user:
            raise ValueError("a user name for HTTP holds no colon")
        pair = f"{user}:{self.secret.reveal()}".encode()
        return f"Basic {base64.b64encode(pair).decode('ascii')}"


def credential(text: str, variable: str) -> Credential:
    """The credential in `text`: a key, a JSON web token, or either with `Simple ` or `Bearer ` before it.

    Nothing is mended: what could not be sent exactly as it was given is refused. UsageError names `variable` and never
    shows the text, because a message would end in a log.
    """
    prefixed = _SCHEME.fullmatch(text)
    secret = prefixed[2] if prefixed else text
    _check(secret, variable)
    bearer = prefixed[1].lower() == "bearer" if prefixed else _is_jwt(secret)
    return Credential(Secret(secret), "Bearer" if bearer else "Simple")


def bare(text: str) -> str:
    """The key or token in `text`, without its scheme; not checked."""
    prefixed = _SCHEME.fullmatch(text)
    return prefixed[2] if prefixed else text


def _check(secret: str, variable: str) -> None:
    if not secret:
        raise UsageError(f"{variable} is not set")
    if secret != secret.strip():
        raise UsageError(f"{variable} begins or ends with a space or line break", hint="look for a line break at its end")
    if not _PLAIN.fullmatch(secret):
        raise UsageError(f"{variable} holds spaces or characters that no key has", hint="copy the key again, alone")
    if len(secret) > _LONGEST:
        raise UsageError(f"{variable} is longer than any key: {len(secret)} characters", hint="copy the key again, alone")


def _is_jwt(text: str) -> bool:
    """Whether it is three base64url parts, the first of which is a JSON object with `alg` (RFC 7515)."""
    parts = _JWT.fullmatch(text)
    if parts is None:
        return False
    try:
        head = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return False
    return isinstance(head, dict) and "alg" in head
