"""A quick look for bytes in the files of a folder. It saves reading the folder by the rules of sources, which takes much longer."""

from __future__ import annotations

import os
import stat

__all__ = ["has_nowhere"]

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # non-blocking: a path may become a FIFO while we read
_MOST = 4 << 20  # bytes in all; each file or folder counts as at least 1 KiB
_LEAST = 1 << 10


def has_nowhere(part: bytes, folder: str) -> bool:
    """Whether no file in the folder, or below it, has these bytes. Files that sources ignore count, too.

    False if that is not known: there is a link or something that cannot be read, or there is too much to look at.
    """
    folders, left = [folder], _MOST
    try:
        while folders:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    is_folder = entry.is_dir(follow_symlinks=False)
                    data = b"" if is_folder else _content(entry, left)
                    left -= max(len(data), _LEAST)
                    if left < 0 or part in data:
                        return False
                    folders += [entry.path] if is_folder else []
    except (OSError, ValueError):
        return False
    return True


def _content(entry: os.DirEntry[str], limit: int) -> bytes:
    """At most `limit` bytes of a file, and one more. Raises OSError if it is not a regular file, or changes meanwhile."""
    file = os.open(entry.path, _OPEN)
    try:
        status = os.fstat(file)
        data = os.read(file, min(status.st_size, limit) + 1)
    finally:
        os.close(file)
    if not stat.S_ISREG(status.st_mode) or len(data) < min(status.st_size, limit):
        raise OSError(f"{entry.path} cannot be read at once")
    return data
