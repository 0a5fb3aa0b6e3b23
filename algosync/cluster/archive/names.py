"""Which names a source may have in it. What a name could do to somebody who unpacks it later decides."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["fault", "folded"]

_GIT_ALIAS = re.compile(r"\.git[. ]*|git~\d+", re.IGNORECASE)  # what Windows and macOS take for `.git` as well
_DRIVE = re.compile(r"[A-Za-z]:")

# Control, format (bidirectional, zero-width), surrogate; line and paragraph separators.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def fault(path: str, longest: int, deepest: int) -> str | None:
    """Why a path is refused, or None.

    Names that Windows cannot have (`CON`, `a:b`, a dot at the end) pass: nothing is unpacked here, and the platform runs
    Linux. `longest`: bytes of one name; `deepest`: names in a path.
    """
    names = path.split("/")
    outside = path.startswith("/") or "\\" in path or ".." in names or _DRIVE.fullmatch(names[0])
    rules = (
        (any(unicodedata.category(c) in _INVISIBLE for c in path), "has a character that is invisible or not text"),
        (outside, "points outside the source"),
        ("" in names or "." in names, "is not a plain path"),
        (any(_GIT_ALIAS.fullmatch(name) for name in names), "would be git's own"),
        (len(names) > deepest, f"is deeper than {deepest} names"),
        (any(len(name.encode("utf-8", "replace")) > longest for name in names), f"has a name of over {longest} bytes"),
    )
    return next((reason for broken, reason in rules if broken), None)


def folded(path: str) -> str:
    """Equal for paths that some file system takes for the same: by letter case, or by how accents are composed."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
