"""Safe reads of files that an algorithm or a build may have written: regular files of a bounded size only."""

import errno
import os
import stat
from pathlib import Path


def read(path: Path, most: int, folder: int | None = None) -> bytes:
    """The content of a file of at most `most` bytes. `folder` is a descriptor that a relative path starts from. Never blocks.

    Raises `OSError` for a missing file, a link, a pipe, a device, a folder and a larger file.
    """
    # Without O_NONBLOCK, opening a pipe would wait for a writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Not a regular file", str(path))
        with open(descriptor, "rb", closefd=False) as file:
            # The file may grow meanwhile, so its size of before is no bound.
            content = file.read(most + 1)
    finally:
        os.close(descriptor)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"The file is larger than {most} bytes", str(path))
    return content


def read_below(folder: Path, name: str, most: int) -> bytes:
    """The same for a file at the relative path `name` below a folder. Also refuses links among the folders between."""
    *inner, last = Path(name).parts
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in inner:
            outer, opened = opened, os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=opened)
            os.close(outer)
        return read(Path(last), most, opened)
    finally:
        os.close(opened)
