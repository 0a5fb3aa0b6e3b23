"""Address: the place of remote states, as users write it, and how it is shown."""

from __future__ import annotations

import re
from collections.abc import Mapping

from algosync.core.secret import Secret
from algosync.core.text import printable

__all__ = ["secrets_in", "shown"]

_USER_INFO = re.compile(r"(://)[^/?#]*@")
_PASSWORD = re.compile(r"([?&]password=)[^&]*", re.IGNORECASE)


def shown(address: str) -> str:
    """The address for messages, without user name, password and control characters."""
    return printable(_PASSWORD.sub(r"\1***", _USER_INFO.sub(r"\1***@", address)), 200)


def secrets_in(environ: Mapping[str, str], *variables: str) -> tuple[Secret, ...]:
    """The values of the variables that are set."""
    return tuple(Secret(text) for name in variables if (text := environ.get(name)))
