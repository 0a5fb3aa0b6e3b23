"""Removes folders that untrusted code has filled: of any depth, with any modes, without following links.

`shutil.rmtree` recurses for every level up to Python 3.12, and a path has at most 4,096 bytes. Here, nested folders are first
moved to the top, so every path is a single name.
"""

import contextlib
import errno
import logging
import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PASSES = 10
"""How often to try again if another process has written into the folder meanwhile."""

PATIENCE_SECONDS = 600
"""How long a removal may take, since another process may keep writing into the folder."""

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def discard(folder: Path) -> None:
    """Remove a folder as far as possible. Logs a failure instead of raising it."""
    try:
        remove(folder)
    except OSError as error:
        logging.warning("%s is not removed: %s", folder, error.strerror)


def remove(folder: Path) -> None:
    """Remove a folder with its content, or a file or link of that name. Does nothing if it is missing.

    A folder that another process creates under the same name meanwhile is kept. Raises `OSError` with the path of `folder` if
    something cannot be removed; everything else is removed then.
    """
    try:
        # The path to the folder is trusted, and may have links.
        with contextlib.suppress(FileNotFoundError), _opened(folder.parent, flags=FOLDER & ~os.O_NOFOLLOW) as parent:
            if stat.S_ISDIR(os.stat(folder.name, dir_fd=parent, follow_symlinks=False).st_mode):
                _remove(folder.name, parent)
            else:
                os.unlink(folder.name, dir_fd=parent)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(folder)) from None


def _remove(name: str, parent: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    _permit(name, parent)
    # Opened once, so that a new folder of the same name is not emptied.
    with _opened(name, parent) as top:
        for left in reversed(range(PASSES)):
            failures: list[OSError] = []
            _empty(top, deadline, failures)
            if not os.path.samestat(os.fstat(top), os.stat(name, dir_fd=parent, follow_symlinks=False)):
                return
            try:
                os.rmdir(name, dir_fd=parent)
            except OSError as error:
                if not left or error.errno not in (errno.ENOTEMPTY, errno.EEXIST) or time.monotonic() > deadline:
                    # The reason why an entry could not be removed says more than "Directory not empty".
                    raise failures[0] if failures else error from None
            else:
                return


def _empty(top: int, deadline: float, failures: list[OSError]) -> None:
    """One pass over a folder. Empties its folders one after the other; their inner folders are moved to the top meanwhile."""
    waiting = _clear(top, top, failures)
    while waiting and time.monotonic() < deadline:
        name = waiting.pop()
        with _noted(failures):
            with _opened(name, top) as folder:
                waiting += _clear(folder, top, failures)
            os.rmdir(name, dir_fd=top)


def _clear(folder: int, top: int, failures: list[OSError]) -> list[str]:
    """Unlink the files of a folder and move its folders to the top. Returns their names there."""
    os.fchmod(folder, stat.S_IRWXU)
    names = []
    with os.scandir(folder) as entries:
        for entry in entries:
            with _noted(failures):
                if not entry.is_dir(follow_symlinks=False):
                    os.unlink(entry.name, dir_fd=folder)
                    continue
                # Moving a folder to another parent writes to its `..` entry.
                _permit(entry.name, folder)
                # A random name cannot clash with another one, and cannot be predicted.
                name = entry.name if folder == top else secrets.token_hex(16)
                if folder != top:
                    os.rename(entry.name, name, src_dir_fd=folder, dst_dir_fd=top)
                names.append(name)
    return names


def _permit(name: str, folder: int) -> None:
    """Let the owner read and change a folder. Ignores failures, as later operations report them."""
    # ValueError: it is a link by now, or the system cannot avoid following links.
    with contextlib.suppress(OSError, ValueError):
        os.chmod(name, stat.S_IRWXU, dir_fd=folder, follow_symlinks=False)


@contextmanager
def _opened(path: Path | str, folder: int | None = None, flags: int = FOLDER) -> Iterator[int]:
    descriptor = os.open(path, flags, dir_fd=folder)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _noted(failures: list[OSError]) -> Iterator[None]:
    """Continue after a failure, and keep the first one."""
    try:
        yield
    except FileNotFoundError:
        # Another process has removed it.
        return
    except OSError as error:
        if not failures:
            failures.append(error)
