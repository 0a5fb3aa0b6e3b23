"""Side-band 64k: a reply for git, and beside it lines that git shows to its user as `remote: ...`."""

import codecs
import io
import re

from dulwich.protocol import pkt_line

REPLY = 1
REMARKS = 2
MOST = 65515
"""Bytes that a packet can carry beside its length and its channel."""

KEEP_ALIVE = pkt_line(bytes([REMARKS]))
"""Says nothing, so that nobody on the way takes a silent connection for a dead one. git's own server sends the same."""

LONGEST = 16_000
"""Characters of a line: in UTF-8 it fits into one packet, and git, which shows whole lines only, need not keep more."""

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What moves the cursor, or the text around it. Lines and tabs remain."""


def packets(channel: int, data: bytes) -> bytes:
    """The data in as many packets as it takes; none for nothing."""
    prefix = bytes([channel])
    return b"".join(pkt_line(prefix + data[start : start + MOST]) for start in range(0, len(data), MOST))


class Remarks:
    """Output of anybody's program, piece by piece, as packets of lines that a terminal can be trusted with.

    A carriage return ends a line too: it would let a line overwrite what was said before.
    """

    def __init__(self) -> None:
        self._decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8")("replace"), translate=True)
        self._rest = ""

    def packets(self, output: bytes, *, final: bool = False) -> bytes:
        """The lines that are whole now; at the end the last one, too, whole or not. Lines that are too long are cut."""
        text = self._rest + CONTROLS.sub("\ufffd", self._decoder.decode(output, final))
        *lines, last = text.split("\n")
        said = [piece for line in lines for piece in _cut(line)]
        *full, self._rest = _cut(last)
        said += full
        if final and self._rest:
            said.append(self._rest)
            self._rest = ""
        return packets(REMARKS, "".join(f"{piece}\n" for piece in said).encode())


def _cut(line: str) -> list[str]:
    """One piece at least."""
    return [line[start : start + LONGEST] for start in range(0, len(line), LONGEST)] or [""]
