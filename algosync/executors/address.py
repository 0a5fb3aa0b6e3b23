"""The address of a Dask scheduler, as `--executor` names it."""

from __future__ import annotations

import re

from algosync.core.error import UsageError
from algosync.core.text import printable

__all__ = ["scheduler_address"]

_ADDRESS = re.compile(r"(dask|tcp|tls|ws|wss)://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})/?", re.ASCII)


def scheduler_address(text: str) -> str:
    """The scheduler's address in Dask's own form. UsageError: the text is no such address.

    `dask://` is a connection without TLS, which Dask calls `tcp://`.
    """
    found = _ADDRESS.fullmatch(text)
    if found is None or not 0 < int(found[3]) < 1 << 16:
        shown = "" if "@" in text else f": {printable(text, 100)}"
        hint = "write threads, dask://HOST:PORT, or tls://HOST:PORT for a Dask cluster that uses TLS"
        raise UsageError(f"--executor names no executor{shown}", hint=hint)
    return f"{'tcp' if found[1] == 'dask' else found[1]}://{found[2]}:{found[3]}"
