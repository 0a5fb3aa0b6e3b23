"""A cluster's credential: checked when it is read, and formatted for the API and for git.

A cluster accepts its own API keys as `Simple KEY` and tokens of an identity provider as `Bearer TOKEN` (PLATFORM.md §1.1).
"""

from __future__ import annotations

import base64
import json
import re
from typing import Literal

from algosync.core.error import UsageError
from algosync.core.lean import dataclass
from algosync.core.secret import Secret

__all__ = ["Credential", "bare", "credential"]

_LONGEST = 8192  # characters: servers refuse longer header lines
_SCHEME = re.compile(r"(simple|bearer) (.*)", re.IGNORECASE | re.DOTALL)
_PLAIN = re.compile(r"[!-~]+")  # characters that a header carries unchanged
_JWT = re.compile(r"([\w-]+)\.[\w-]+\.[\w-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Credential:
    """A key or token. `secret` is the bare text: printable ASCII without spaces. The results of all methods are secret, too."""

    secret: Secret
    scheme: Literal["Simple", "Bearer"]

    def header(self) -> str:
        """Return the value of the `Authorization` header for the API."""
        return f"{self.scheme} {self.secret.reveal()}"

    def basic(self, user: str) -> str:
        """Return the value of the `Authorization` header for git over HTTP.

        Raises ValueError if `user` contains a colon, which would end the user name early.
        """
        if ":" in user:
            raise ValueError("a user name for HTTP cannot contain a colon")
        pair = f"{user}:{self.secret.reveal()}".encode()
        return f"Basic {base64.b64encode(pair).decode('ascii')}"


def credential(text: str, variable: str) -> Credential:
    """Parse a key or a JSON web token, each with or without the prefix `Simple ` or `Bearer `.

    Nothing is corrected: a text that cannot be sent exactly as given is refused. The UsageError names `variable` and never shows
    the text, because messages end up in logs.
    """
    prefixed = _SCHEME.fullmatch(text)
    secret = prefixed[2] if prefixed else text
    _check(secret, variable)
    bearer = prefixed[1].lower() == "bearer" if prefixed else _is_jwt(secret)
    return Credential(Secret(secret), "Bearer" if bearer else "Simple")


def bare(text: str) -> str:
    """Return the key or token in `text` without its scheme. The text is not checked."""
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
    """Whether the text is three base64url parts and the first one is a JSON object with `alg` (RFC 7515)."""
    parts = _JWT.fullmatch(text)
    if parts is None:
        return False
    try:
        head = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return False
    return isinstance(head, dict) and "alg" in head
