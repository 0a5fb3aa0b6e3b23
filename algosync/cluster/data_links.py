"""Data files that are links, as DVC, git-annex and model caches leave them in a folder."""

from __future__ import annotations

import os
from pathlib import Path

from algosync.core.error import SourceError
from algosync.core.text import printable

__all__ = ["link_boundary", "link_target", "require_inside"]

_GIT = ".git"
_ANNEX = "annex"  # git-annex stores its files here; the rest of `.git` may hold credentials
_HINT = "put the file itself there: a copy, `dvc checkout` with cache.type=copy, or `git annex unlock`"


def link_boundary(root: Path) -> Path:
    """The folder that links below `root` may point into: the working tree of git around it, or `root` itself."""
    real = Path(os.path.realpath(root))
    return next((folder for folder in (real, *real.parents) if os.path.lexists(folder / _GIT)), real)


def link_target(link: Path, boundary: Path) -> Path:
    """The file that a link leads to, as a path without links. SourceError: there is none, or it may not be read."""
    try:
        target = Path(os.path.realpath(link, strict=True))
    except OSError as error:
        raise _refused(
            link, f"leads nowhere: {error.strerror}", "get the file first, as by `dvc pull` or `git annex get`"
        ) from None
    if not target.is_relative_to(boundary):
        raise _refused(link, f"leads out of {printable(str(boundary))}", _HINT)
    if _is_of_git(target, boundary):
        raise _refused(link, "leads into the files of git", _HINT)
    if not target.is_file():
        raise _refused(link, "does not lead to a file", _HINT)
    return target


def require_inside(path: Path, boundary: Path) -> None:
    """SourceError: the path, with its links followed, is not in the folder `boundary`, or belongs to the files of git."""
    target = Path(os.path.realpath(path))
    if not target.is_relative_to(boundary):
        raise SourceError(f"{printable(str(path))} is outside of {printable(str(boundary))}")
    if _is_of_git(target, boundary):
        raise SourceError(f"{printable(str(path))} belongs to the files of git")


def _is_of_git(target: Path, boundary: Path) -> bool:
    names = target.relative_to(boundary).parts
    return _GIT in names and names[names.index(_GIT) :][:2] != (_GIT, _ANNEX)


def _refused(link: Path, reason: str, hint: str) -> SourceError:
    return SourceError(f"{printable(str(link))} is a link that {reason}", hint=hint)
