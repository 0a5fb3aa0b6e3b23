"""Git's side-band-64k: packets of a reply, and of lines that git shows to its user as `remote: ...`."""

import codecs
import io
import re

from dulwich.protocol import pkt_line

REPLY = 1
REMARKS = 2
MOST = 65515
"""Bytes of data in a packet, without its length and channel."""

KEEP_ALIVE = pkt_line(bytes([REMARKS]))
"""An empty remark, so that proxies do not close a silent connection. git's own server sends the same."""

LONGEST = 16_000
"""Characters of a line. In UTF-8 it fits into one packet. git shows whole lines only, and has to buffer them."""

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control characters, which can move the cursor or change the direction of text. Line breaks and tabs are kept."""


def packets(channel: int, data: bytes) -> bytes:
    """The data in as many packets as needed; empty for empty data."""
    prefix = bytes([channel])
    return b"".join(pkt_line(prefix + data[start : start + MOST]) for start in range(0, len(data), MOST))


class Remarks:
    """Turns output of an untrusted program into packets of lines that are safe to show on a terminal.

    A carriage return also ends a line, since it would let the line overwrite the text before it.
    """

    def __init__(self) -> None:
        self._decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8")("replace"), translate=True)
        self._rest = ""

    def packets(self, output: bytes, *, final: bool = False) -> bytes:
        """The lines that are complete after this output; if `final`, also an incomplete last line. Long lines are split."""
        text = self._rest + CONTROLS.sub("\ufffd", self._decoder.decode(output, final))
        *lines, last = text.split("\n")
        pieces = [piece for line in lines for piece in _split(line)]
        *full, self._rest = _split(last)
        pieces += full
        if final and self._rest:
            pieces.append(self._rest)
            self._rest = ""
        return packets(REMARKS, "".join(f"{piece}\n" for piece in pieces).encode())


def _split(line: str) -> list[str]:
    """A line in pieces of at most `LONGEST` characters, at least one piece."""
    return [line[start : start + LONGEST] for start in range(0, len(line), LONGEST)] or [""]
