"""Which names a source may have in it. What a name could do to somebody who unpacks it later decides."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["fault", "folded"]

_DRIVE = re.compile(r"(?:.*/)?[A-Za-z]:(?:/.*)?")  # anywhere: a folder around it may be taken off later
# What Windows and macOS take for `.git` as well: short names, dots and spaces at the end, a named stream behind a colon.
_GIT_ALIAS = re.compile(r"(?:.*/)?(?:\.git|git~\d+)[. ]*(?::[^/]*)?(?:/.*)?", re.IGNORECASE)

# Control, format (bidirectional, zero-width), surrogate; line and paragraph separators.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def fault(path: str, name: int, depth: int, length: int) -> str | None:
    """Why a path is refused, or None.

    Names that Windows cannot have (`CON`, `a:b`, a dot at the end) pass: nothing is unpacked here, and the platform runs
    Linux. `name`: bytes that one name may have; `depth`: names in a path; `length`: bytes of the path.
    """
    if not path.isprintable() and any(unicodedata.category(c) in _INVISIBLE for c in path):
        return "has a character that is invisible or not text"
    names = path.split("/")
    if path.startswith("/") or "\\" in path or ".." in names or _DRIVE.fullmatch(path):
        return "points outside the source"
    if "" in names or "." in names:
        return "is not a plain path"
    if _GIT_ALIAS.fullmatch(path):
        return "would be git's own"
    return _excess(path, names, (name, depth, length))


def _excess(path: str, names: list[str], limits: tuple[int, int, int]) -> str | None:
    name, depth, length = limits
    if len(names) > depth:
        return f"is deeper than {depth} names"
    if max(map(_bytes, names)) > name:
        return f"has a name of over {name} bytes"
    return f"is longer than {length} bytes" if _bytes(path) > length else None


def _bytes(text: str) -> int:
    return len(text.encode())


def folded(path: str) -> str:
    """Equal for paths that some file system takes for the same: by letter case, or by how accents are composed."""
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
