"""The paths that a source may contain. A path is refused if unpacking it later could do harm on any system."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["case_folded", "path_fault"]

_DRIVE = r"(?:.*/)?[A-Za-z]:(?:/.*)?"  # at any depth: a folder around it may be removed later
# Windows and macOS treat these as `.git` too: short names, trailing dots and spaces, a stream name after a colon.
_GIT_ALIAS = r"(?i)(?:.*/)?(?:\.git|git~\d+)[. ]*(?::[^/]*)?(?:/.*)?"

# Control, format (bidirectional, zero-width), surrogate; line and paragraph separators.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def path_fault(path: str, name: int, depth: int, length: int) -> str | None:
    """Why a path is refused. None: it is accepted.

    Names that Windows does not support (`CON`, `a:b`, a trailing dot) are accepted: nothing is unpacked here, and the platform
    runs Linux. `name`: most bytes of one name; `depth`: most names in a path; `length`: most bytes of the path.
    """
    if not path.isprintable() and any(unicodedata.category(c) in _INVISIBLE for c in path):
        return "has a character that is invisible or not text"
    names = path.split("/")
    if path.startswith("/") or "\\" in path or ".." in names or re.fullmatch(_DRIVE, path):
        return "points outside the source"
    if "" in names or "." in names:
        return "is not a plain path"
    if re.fullmatch(_GIT_ALIAS, path):
        return "is reserved by git"
    return _size_fault(path, names, (name, depth, length))


def _size_fault(path: str, names: list[str], limits: tuple[int, int, int]) -> str | None:
    name, depth, length = limits
    if len(names) > depth:
        return f"is deeper than {depth} names"
    if max(map(_bytes, names)) > name:
        return f"has a name of over {name} bytes"
    return f"is longer than {length} bytes" if _bytes(path) > length else None


def _bytes(text: str) -> int:
    return len(text.encode())


def case_folded(path: str) -> str:
    """A key that is equal for paths that some file systems treat as the same: different case, or differently composed accents."""
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
