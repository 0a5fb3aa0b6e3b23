"""Selection: which of the entries that were read belong to the source. The same for folders and archives."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from algosync.core.error import SourceError
from algosync.core.lean import dataclass
from algosync.core.text import printable
from algosync.core.tree import Blob
from algosync.sources.archive.entries import SourceEntries
from algosync.sources.archive.links import follow_links
from algosync.sources.archive.refusal import refused
from algosync.sources.ignored_files import ENVIRONMENT_FILE, IGNORE_FILE, IgnoreRules, ignored_by_name

__all__ = ["SourceFiles", "select"]

_TOP = "src/ and requirements.txt are at the top, or in the only folder there: tar -czf NAME.tar.gz -C FOLDER ."


@dataclass(frozen=True, slots=True)
class SourceFiles:
    """The files of a source by path, with `src` at the top.

    `left_out`: the ignored paths, sorted. Of an ignored folder there is only the folder, which ends with `/`.
    """

    files: dict[str, Blob]
    left_out: tuple[str, ...] = ()


def select(entries: SourceEntries) -> SourceFiles:
    """The source among the entries. SourceError: `src` is missing, a link is refused, or the ignore file cannot be used."""
    paths = (*entries.files, *entries.links)
    top = _top_folder(paths)
    if f"{top}{IGNORE_FILE}" in entries.links:
        raise refused(f"{top}{IGNORE_FILE}", "is a symbolic link", "put the file itself there")
    ignore_file = entries.files.pop(f"{top}{IGNORE_FILE}", Blob(b""))
    left_out = _drop_ignored(entries, top, IgnoreRules(ignore_file.data))
    files = {path[len(top) :]: blob for path, blob in entries.files.items()}
    links = {path[len(top) :]: target for path, target in entries.links.items()}
    found = follow_links(files, links, entries.limits)
    if not _has_src(found, ""):
        message = f"the source has no folder src at its top: {IGNORE_FILE} leaves it out"
        raise SourceError(message, hint=f"add the line !src to {IGNORE_FILE}")
    return SourceFiles(found, tuple(sorted(left_out | entries.left_out)))


def _top_folder(paths: Collection[str]) -> str:
    """The prefix of the folder that contains `src`: empty, or the name of the only folder around it and `/`.

    SourceError: `src` is in neither place. Pushing such a source would empty the algorithm.
    """
    kept = [path for path in paths if not ignored_by_name(path.partition("/")[0])]
    if _has_src(kept, ""):
        return ""
    tops = {path.partition("/")[0] for path in kept}
    if len(tops) == 1 and _has_src(kept, f"{(top := next(iter(tops)))}/"):
        return f"{top}/"
    found = ", ".join(printable(top, 40) for top in sorted(tops)[:5]) or "nothing"
    raise SourceError(f"the source has no folder src at its top; there is: {found}", hint=_TOP)


def _has_src(paths: Iterable[str], prefix: str) -> bool:
    return any(path.startswith(f"{prefix}src/") for path in paths)


def _drop_ignored(entries: SourceEntries, top: str, rules: IgnoreRules) -> set[str]:
    """Removes the ignored entries, and adds those that were set aside and are not ignored. Returns what was left out."""
    known = (*entries.files, *entries.links, *(path for path, _ in entries.aside))
    below = {path[len(top) :].rpartition("/")[0] for path in known if path.rpartition("/")[2] == ENVIRONMENT_FILE}
    environments = below - {""}
    left_out: set[str] = set()

    def ignored(path: str, *, folder: bool = False) -> bool:
        if not path.startswith(top):  # beside the only folder there are only files that are ignored by name
            rule, inner = IgnoreRules(), path
        else:
            rule, inner = rules, path[len(top) :]
        found = rule.topmost(inner, environments, folder=folder) if inner else None
        left_out.update(() if found is None else (found,))
        return found is not None

    entries.files = {path: blob for path, blob in entries.files.items() if not ignored(path)}
    entries.links = {path: target for path, target in entries.links.items() if not ignored(path)}
    for folder in entries.folders:
        ignored(folder, folder=True)
    for path, content in entries.aside:
        if not ignored(path, folder=content is None):
            entries.take_back(path, content)
    return left_out
