"""Reading files where code that the cluster runs could write: plain ones of a bounded size, and nothing that never ends."""

import errno
import os
import stat
from pathlib import Path


def read(path: Path, most: int, folder: int | None = None) -> bytes:
    """The whole of a file of at most so many bytes, below an open `folder`, if there is one. Never waits for whoever made it.

    Raises `OSError` for what is not there, and for links, pipes, devices, folders and larger files.
    """
    # Without O_NONBLOCK, to open a pipe would be to wait for somebody who writes into it.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "This is no plain file", str(path))
        with open(descriptor, "rb", closefd=False) as file:
            # Whatever size it has been said to have.
            content = file.read(most + 1)
    finally:
        os.close(descriptor)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"The file is larger than {most} bytes", str(path))
    return content


def read_below(folder: Path, name: str, most: int) -> bytes:
    """The same, of a file in folders of this one, where none of them is a link either, whoever changes them meanwhile."""
    *inner, last = Path(name).parts
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in inner:
            outer, opened = opened, os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=opened)
            os.close(outer)
        return read(Path(last), most, opened)
    finally:
        os.close(opened)
