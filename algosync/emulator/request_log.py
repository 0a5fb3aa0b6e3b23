"""One line for every finished request. No header is ever written, so no key can be."""

import json
import os
from pathlib import Path

from algosync.emulator.clock import now_text


class RequestLog:
    """`requests.jsonl`: time, caller, method, path with query, status, bytes of the reply's body."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def add(self, caller: str | None, method: str, path: str, status: int, size: int) -> None:
        """Append a line in one write, so that lines of a killed server end whole."""
        entry = {
            "time": now_text(),
            "caller": caller,
            "method": method,
            "path": path,
            "status": status,
            "bytes": size,
        }
        os.write(self._file, json.dumps(entry).encode() + b"\n")

    def close(self) -> None:
        """No more requests."""
        os.close(self._file)
