"""Address: the place of remote states, as users write it, and how it is shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote, urlsplit

from algosync.core.secret import Secret
from algosync.core.text import printable

__all__ = ["secrets_in", "secrets_of", "shown"]

_USER_INFO = re.compile(r"(://).*@", re.DOTALL)  # up to the last `@`: a password may hold one, or a slash, unquoted
_VALUE = re.compile(r"([?&][^=&#]*=)[^&#]*")


def shown(address: str) -> str:
    """The address for messages, without user name, password, values of parameters and control characters."""
    return printable(_VALUE.sub(r"\1***", _USER_INFO.sub(r"\1***@", address)), 200)


def secrets_of(address: str) -> tuple[Secret, ...]:
    """The password in an address, and the values of parameters that may be passwords, as they are written and decoded."""
    try:
        parts = urlsplit(address)
        password = parts.password or ""
    except ValueError:  # nothing is shown of an address that cannot be parsed
        return ()
    values = [value for name, value in parse_qsl(parts.query) if re.search("password|token|key|secret", name, re.IGNORECASE)]
    return tuple(Secret(text) for text in dict.fromkeys((password, unquote(password), *values)) if text)


def secrets_in(environ: Mapping[str, str], *variables: str) -> tuple[Secret, ...]:
    """The values of the variables that are set."""
    return tuple(Secret(text) for name in variables if (text := environ.get(name)))
