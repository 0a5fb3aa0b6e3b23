"""The final response to a request, with the framing that RFC 9110 and RFC 9112 demand and `http.client` does not check."""

from __future__ import annotations

from http.client import HTTPException, HTTPResponse, parse_headers
from typing import BinaryIO, cast

__all__ = ["FinalResponse"]

_SWITCHING, _BODYLESS = 101, (204, 304)


class _HeaderLines:
    """Reads lines of a file, and keeps the last one."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.last = b""

    def readline(self, limit: int) -> bytes:
        self.last = self.file.readline(limit)
        return self.last

    def close(self) -> None:
        self.file.close()


class FinalResponse(HTTPResponse):
    """An HTTPResponse that skips interim (1xx) responses.

    `begin` raises HTTPException if the headers are truncated, or if they do not say clearly where the body ends. A connection that
    may hold bytes after the response is not reused.
    """

    def begin(self) -> None:
        if self.headers is not None:
            return
        lines = _HeaderLines(cast("BinaryIO", self.fp))
        self.fp = cast("BinaryIO", lines)
        try:
            super().begin()
        finally:
            if self.fp is cast("BinaryIO", lines):
                self.fp = lines.file
        if not lines.last:
            raise HTTPException("it ends within its headers")
        self._check_codings()
        self._check_length()
        self._leave_unclear_connection()

    def _read_status(self) -> tuple[str, int, str]:
        """Read the status line of the final response. Interim ones, such as 103, may come before it at any time."""
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]  # not in the standard library's stubs
            if not 100 <= status < 200 or status == _SWITCHING:
                return version, status, reason
            parse_headers(self.fp)

    def _check_codings(self) -> None:
        codings = [name.strip().lower() for line in self.headers.get_all("Transfer-Encoding", []) for name in line.split(",")]
        if codings and codings != ["chunked"]:
            raise HTTPException(f"the transfer coding {', '.join(codings)} was not requested")

    def _check_length(self) -> None:
        """Accept one length that is repeated, as gateways do. `http.client` would read such a body up to the connection's end."""
        lengths = [length.strip() for line in self.headers.get_all("Content-Length", []) for length in line.split(",")]
        if not lengths:
            return
        if not all(length.isascii() and length.isdecimal() and len(length) < 19 for length in lengths):
            raise HTTPException(f"the length {', '.join(lengths)} is invalid")
        if len(set(map(int, lengths))) > 1:
            raise HTTPException(f"it has several lengths: {', '.join(lengths)}")
        del self.headers["Content-Length"]
        self.headers["Content-Length"] = lengths[0]
        if self.length is None and not self.chunked:
            self.length = int(lengths[0])
            self.will_close = self._check_close()  # type: ignore[attr-defined]  # not in the standard library's stubs

    def _leave_unclear_connection(self) -> None:
        announced = self.chunked or self.headers.get("Content-Length", "0") != "0"
        old = self.version == 10 and self.chunked  # HTTP/1.0 has no chunks, so the next gateway may have framed it otherwise
        without_body = self.status in _BODYLESS and announced
        if without_body:
            self.chunked, self.length = False, 0
            del self.headers["Transfer-Encoding"], self.headers["Content-Length"]
        if self.status == _SWITCHING or old or without_body:
            self.will_close = True
