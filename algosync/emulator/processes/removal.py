"""Removing folders that others' code has filled: of any depth, whatever their modes, and never through a link.

`shutil.rmtree` recurses with every level up to Python 3.12, and its `RecursionError` is no `OSError`; besides, a path has at most
4,096 bytes. So what is deep comes up first, and no path here is longer than one name.
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
"""How often is begun anew, where somebody has written into the folder meanwhile."""

PATIENCE_SECONDS = 600
"""As long as a removal may take: who still writes into the folder could be faster for ever."""

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def discard(folder: Path) -> None:
    """Remove a folder as far as possible; what stays of it is told in the server's log, and keeps nobody from anything."""
    try:
        remove(folder)
    except OSError as error:
        logging.warning("%s is not removed: %s", folder, error.strerror)


def remove(folder: Path) -> None:
    """Remove a folder with all that is in it, or what else has its name; that may be gone already, or go meanwhile.

    Another that somebody makes under its name meanwhile stays. Raises `OSError` with the path of `folder` for what cannot be
    removed; the rest is gone then.
    """
    try:
        # The way there is the caller's own, and may lead through links.
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
    # Once: somebody else may remove it meanwhile, and make another of the same name, which is to stay.
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
                    # What has kept an entry there says more than that there is one.
                    raise failures[0] if failures else error from None
            else:
                return


def _empty(top: int, deadline: float, failures: list[OSError]) -> None:
    """One pass over a folder. Its folders are emptied one after the other, and what they held comes up beside them meanwhile."""
    waiting = _clear(top, top, failures)
    while waiting and time.monotonic() < deadline:
        name = waiting.pop()
        with _noted(failures):
            with _opened(name, top) as folder:
                waiting += _clear(folder, top, failures)
            os.rmdir(name, dir_fd=top)


def _clear(folder: int, top: int, failures: list[OSError]) -> list[str]:
    """Unlink the files of a folder, and move its folders up to the top; the names that they have there."""
    os.fchmod(folder, stat.S_IRWXU)
    names = []
    with os.scandir(folder) as entries:
        for entry in entries:
            with _noted(failures):
                if not entry.is_dir(follow_symlinks=False):
                    os.unlink(entry.name, dir_fd=folder)
                    continue
                # To change its parent a folder is written to.
                _permit(entry.name, folder)
                # At random: nobody else has that name there, nor can foresee it.
                name = entry.name if folder == top else secrets.token_hex(16)
                if folder != top:
                    os.rename(entry.name, name, src_dir_fd=folder, dst_dir_fd=top)
                names.append(name)
    return names


def _permit(name: str, folder: int) -> None:
    """Let its owner read and change a folder. Where that fails, what needs it says so."""
    # ValueError: it is a link by now, or an old system that cannot but follow links.
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
    """Go on with the others; the first failure is enough to tell."""
    try:
        yield
    except FileNotFoundError:
        # Somebody else has removed it.
        return
    except OSError as error:
        if not failures:
            failures.append(error)
