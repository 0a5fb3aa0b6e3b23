"""The errors of a source that is refused, each with the way to pack it otherwise."""

from __future__ import annotations

from algosync.core.error import SourceError
from algosync.core.text import printable, size
from algosync.sources.ignored_files import IGNORE_FILE

__all__ = ["LEAVE_OUT", "PACK_AGAIN", "RENAME", "refused", "too_large", "too_many", "unreadable"]

PACK_AGAIN = "pack it again: tar -czf NAME.tar.gz -C FOLDER ."
_HOW = f"of a folder by a line in {IGNORE_FILE}, of an archive with tar's --exclude"
LEAVE_OUT = f"leave it out: {_HOW}"
RENAME = f"rename it, or {LEAVE_OUT}"
_SMALLER = f"put large files into data files, or leave out what the algorithm does not need: {_HOW}"
_FEWER = f"pack many small files into one, such as a zip file, or leave out what the algorithm does not need: {_HOW}"


def refused(path: str, reason: str, hint: str = LEAVE_OUT) -> SourceError:
    """An entry that breaks a rule."""
    return SourceError(f"the source's entry '{printable(path, 200)}' {reason}", hint=hint)


def unreadable(message: str) -> SourceError:
    """An archive that is damaged, or that no common tool makes."""
    return SourceError(message, hint=PACK_AGAIN)


def too_large(most: int) -> SourceError:
    """`most`: bytes."""
    return SourceError(f"the source is larger than {size(most)}", hint=_SMALLER)


def too_many(message: str) -> SourceError:
    return SourceError(message, hint=_FEWER)
