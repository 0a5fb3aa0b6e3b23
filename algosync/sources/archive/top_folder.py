"""The top of a source: the folder that contains `src`."""

from __future__ import annotations

from algosync.core.error import SourceError
from algosync.core.text import printable
from algosync.core.tree import Blob

__all__ = ["without_top_folder"]


def without_top_folder(files: dict[str, Blob]) -> dict[str, Blob]:
    """The files with `src/` at the top. A single folder around `src` is removed, because people often pack it too.

    SourceError: `src` is in neither place. Pushing such a source would empty the algorithm.
    """
    if _has_src(files, ""):
        return files
    tops = {path.partition("/")[0] for path in files}
    if len(tops) == 1 and _has_src(files, f"{(top := next(iter(tops)))}/"):
        return {path[len(top) + 1 :]: blob for path, blob in files.items()}
    found = ", ".join(printable(top, 40) for top in sorted(tops)[:5]) or "nothing"
    raise SourceError(f"the source has no folder src at its top; there is: {found}")


def _has_src(files: dict[str, Blob], prefix: str) -> bool:
    return any(path.startswith(f"{prefix}src/") for path in files)
