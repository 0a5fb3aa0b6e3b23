"""A scanner for canary secrets in any encoding: in bytes, in folders, and in the processes of a command.

It shares no code with the redaction that it checks: it searches for literal forms, and looks into archives and compressed streams.
"""

from __future__ import annotations

import base64
import html
import io
import json
import os
import re
import tarfile
import threading
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus

__all__ = ["Finding", "Scanner", "watching"]

_PART = 12  # characters at either end of a canary that must not be found on their own
_MAX_DEPTH = 4  # levels of archives in archives
_MAX_UNPACKED = 32 << 20  # bytes that an unpacked stream may have
_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]")  # also the stream of a git object, loose or in a pack
_GZIP = b"\x1f\x8b\x08"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    canary: str
    disguise: str
    place: str


@dataclass
class Scanner:
    """Canaries by name. `skipped` are the names of files that may contain them: a cluster's own key store."""

    canaries: Mapping[str, str]
    skipped: frozenset[str] = frozenset()
    _forms: tuple[tuple[str, str, bytes], ...] = field(init=False)

    def __post_init__(self) -> None:
        self._forms = tuple((name, *form) for name, secret in self.canaries.items() for form in _forms(secret))

    def data(self, data: bytes, place: str, depth: int = 0) -> Iterator[Finding]:
        for canary, disguise, form in self._forms:
            if form in data:
                yield Finding(canary, disguise, place)
        if depth < _MAX_DEPTH:
            for name, inner in _unpacked(data):
                yield from self.data(inner, f"{place}!{name}", depth + 1)

    def text(self, text: str, place: str) -> Iterator[Finding]:
        return self.data(text.encode("utf-8", "surrogatepass"), place)

    def folder(self, folder: Path) -> Iterator[Finding]:
        """Scan names, contents and link targets of everything in a folder."""
        for path in sorted(folder.rglob("*")):
            place = str(path.relative_to(folder))
            if path.name in self.skipped:
                continue
            yield from self.text(place, f"name of {place}")
            if path.is_symlink():
                yield from self.text(os.readlink(path), place)
            elif path.is_file():
                yield from self.data(path.read_bytes(), place)


def _forms(secret: str) -> Iterator[tuple[str, bytes]]:
    """Yield each encoding's name and its result for a secret."""
    texts = {
        "raw": secret,
        "beginning": secret[:_PART],
        "end": secret[-_PART:],
        "reversed": secret[::-1],
        "url": quote(secret),
        "url-all": quote(secret, safe=""),
        "url-plus": quote_plus(secret),
        "url-lower": re.sub("%..", lambda found: found[0].lower(), quote(secret, safe="")),
        "url-twice": quote(quote(secret, safe=""), safe=""),
        "json": json.dumps(secret)[1:-1],
        "json-twice": json.dumps(json.dumps(secret)[1:-1])[1:-1],
        "json-thrice": json.dumps(json.dumps(json.dumps(secret)[1:-1])[1:-1])[1:-1],
        "html": html.escape(secret),
        "html-twice": html.escape(html.escape(secret)),
        "repr": repr(secret)[1:-1],
        "repr-bytes": repr(secret.encode())[2:-1],
        "hex": secret.encode().hex(),
        "hex-upper": secret.encode().hex().upper(),
    }
    for shift in range(3):
        core = _base64_core(secret.encode(), shift)
        texts |= {
            f"base64-{shift}": core,
            f"base64url-{shift}": core.translate(str.maketrans("+/", "-_")),
            f"base64-{shift}-quoted": quote(core, safe=""),
        }
    yield "utf-16", secret.encode("utf-16-le")
    for name, text in texts.items():
        yield name, text.encode()


def _base64_core(data: bytes, shift: int) -> str:
    """The part that does not depend on the bytes before (their number modulo 3) and after the data."""
    one, other = (base64.b64encode(edge * shift + data + edge * 3).decode() for edge in (b"\x00", b"\xff"))
    same = [a == b for a, b in zip(one, other, strict=True)]
    first = same.index(True)
    last = next(place for place in range(first, len(same)) if not same[place])
    return one[first:last]


def _unpacked(data: bytes) -> Iterator[tuple[str, bytes]]:
    with suppress(zipfile.BadZipFile, OSError, ValueError, RuntimeError, EOFError, zlib.error):
        if data[:2] == b"PK":
            archive = zipfile.ZipFile(io.BytesIO(data))
            yield from ((info.filename, archive.read(info)) for info in archive.infolist())
    with suppress(tarfile.TarError, OSError, ValueError, EOFError):
        if data[257:262] == b"ustar":
            with tarfile.open(fileobj=io.BytesIO(data)) as members:
                for member in members:
                    file = members.extractfile(member)
                    yield member.name, file.read() if file else b""
    yield from _streams(data)


def _streams(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the deflated streams that start anywhere in the data."""
    starts = [(found.start(), zlib.MAX_WBITS) for found in _ZLIB.finditer(data)]
    place = data.find(_GZIP)
    while place >= 0:
        starts.append((place, zlib.MAX_WBITS | 16))
        place = data.find(_GZIP, place + 1)
    for start, kind in starts:
        with suppress(zlib.error):
            if inner := zlib.decompressobj(kind).decompress(data[start:], _MAX_UNPACKED):
                yield f"@{start}", inner


@contextmanager
def watching(parent: int, every: float = 0.02) -> Iterator[set[tuple[str, bytes]]]:
    """Collect what /proc shows of all descendants of a process while the body runs: `argv` and `environ`, each once."""
    seen: set[tuple[str, bytes]] = set()
    done = threading.Event()

    def sample() -> None:
        while not done.wait(every):
            own = _read(parent, "cmdline")
            for pid in _descendants(parent):
                before, environ, after = _read(pid, "cmdline"), _read(pid, "environ"), _read(pid, "cmdline")
                if before == after != own:  # otherwise it is the command itself: forked, and not running another program yet
                    seen.update({("argv", after), ("environ", environ)})

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def _read(pid: int, what: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{what}").read_bytes()
    except OSError:  # the process has ended
        return b""


def _descendants(parent: int) -> Iterable[int]:
    found = []
    for task in Path(f"/proc/{parent}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, task.read_text().split()):
                found += [child, *_descendants(child)]
    return found
