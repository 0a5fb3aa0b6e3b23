"""Safe reads of files that an algorithm or a build may have written, and safe writes where one may have put links."""

import errno
import os
import stat
from pathlib import Path


def read(path: Path, most: int) -> bytes:
    """The content of a file of at most `most` bytes. Never blocks.

    Raises `OSError` for a missing file, a link, a pipe, a device, a folder and a larger file.
    """
    # Without O_NONBLOCK, opening a pipe would wait for a writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
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
    if (folder / name).resolve() != folder.resolve() / name:
        raise OSError(errno.ELOOP, "The path has a link", str(folder / name))
    return read(folder / name, most)


def write(path: Path, content: bytes) -> None:
    """Replace a file atomically and durably. Only its owner may read it, whatever the umask. A link at `path` is replaced."""
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
