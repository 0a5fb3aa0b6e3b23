"""One line for every finished request. No header is ever written, so no key can be."""

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from starlette.types import Scope

from algosync.emulator.accounts import Caller
from algosync.emulator.clock import now_text
from algosync.emulator.query_keys import shown

LONGEST = 300
"""Characters of a refusal that are kept."""


class RequestLog:
    """`requests.jsonl`: time, caller, method, path with query, status, bytes of the reply's body.

    Where they are known: the seconds that it took from the gate to the reply's last byte, the fault that struck, and the beginning
    of what was said where it was refused.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def add(self, scope: Scope, status: int, size: int) -> None:
        """Append a line in one write, so that lines of a killed server end whole."""
        self.add_all([(scope, status, size)])

    def add_all(self, requests: Sequence[tuple[Scope, int, int]]) -> None:
        """Append the lines of several."""
        if requests:
            os.write(self._file, b"".join(_line(*request) for request in requests))

    def close(self) -> None:
        """No more requests."""
        os.close(self._file)


def _line(scope: Scope, status: int, size: int) -> bytes:
    query = shown(scope["query_string"].decode("ascii", "replace"))
    caller = cast("Caller | None", scope.get("caller"))
    entry = {
        "time": now_text(),
        "caller": caller.user if caller else None,
        "method": scope["method"],
        "path": scope["raw_path"].decode("ascii", "replace") + ("?" + query if query else ""),
        "status": status,
        "bytes": size,
    }
    if began := scope.get("began"):
        entry["seconds"] = round(time.monotonic() - began, 3)
    if fault := scope.get("fault"):
        entry["fault"] = fault
    if refusal := scope.get("refusal"):
        entry["error"] = refusal[:LONGEST]
    return json.dumps(entry).encode() + b"\n"
