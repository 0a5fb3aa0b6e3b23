"""Messages for unexpected errors: failures of the operating system, and bugs in algosync."""

from __future__ import annotations

import errno
import os

from algosync.core.error import AlgosyncError
from algosync.core.text import printable

__all__ = ["internal_error"]

_HINTS = {
    errno.ENOSPC: "free some space on that disk; the same command then continues",
    errno.EDQUOT: "free some of your space on that disk; the same command then continues",
    errno.ENAMETOOLONG: "look at the paths in the options --state, --var-file and --chdir, and in the workflow",
    errno.ELOOP: "look at the paths in the options --state, --var-file and --chdir, and in the workflow",
    errno.EACCES: "look at the owner and the mode of that path",
    errno.EPERM: "look at the owner and the mode of that path",
    errno.EROFS: "use --state to keep the state elsewhere",
    errno.EMFILE: "a smaller --parallelism needs fewer open files; `ulimit -n` shows the limit",
    errno.ENFILE: "a smaller --parallelism needs fewer open files",
    errno.ENOMEM: "a smaller --parallelism needs less memory",
}


def internal_error(error: Exception) -> AlgosyncError:
    """The error with a message and a hint. Failures of the operating system get advice; any other error is reported as a bug."""
    if isinstance(error, OSError) and not _has_current_folder():
        return AlgosyncError(
            "the current folder does not exist any more", hint="change to another folder, or name one with --chdir and a full path"
        )
    if isinstance(error, MemoryError):
        return AlgosyncError("there is not enough memory", hint=_HINTS[errno.ENOMEM])
    if isinstance(error, OSError) and error.errno in _HINTS:
        path = f"{printable(str(error.filename), 300)}: " if error.filename else ""
        return AlgosyncError(f"{path}{error.strerror}", hint=_HINTS[error.errno])
    text = printable(str(error), 300)
    return AlgosyncError(
        f"a fault in algosync itself: {type(error).__name__}: {text}",
        hint="set ALGOSYNC_DEBUG=1 to see where it happened; please report it",
    )


def _has_current_folder() -> bool:
    try:
        os.getcwd()
    except OSError:
        return False
    return True
