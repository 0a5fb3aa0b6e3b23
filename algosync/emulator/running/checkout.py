"""Writes the files of a commit to disk. Only plain files with safe names are accepted."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from threading import Event

from dulwich.objects import Blob, Commit, ObjectID, Tree
from dulwich.repo import Repo

MAX_BYTES = 2 * 1024 * 1024 * 1024
MAX_ENTRIES = 100_000
"""Files and folders. An object counts each time a tree lists it, because a few small trees can list each other very often."""

MAX_DEPTH = 64


class CheckoutError(Exception):
    """A commit cannot be written to disk. The message says why."""


def checkout(repository: Repo, commit_id: str, target: Path, stopped: Event) -> None:
    """Write the tree of a commit below the new folder `target`. May run in any thread.

    Raises `CheckoutError` for links, submodules, names with a meaning to the file system, missing objects and trees beyond the
    limits, and when `stopped` is set.
    """
    target.mkdir(parents=True)
    commit = _object(repository, ObjectID(commit_id.encode()))
    if not isinstance(commit, Commit):
        raise CheckoutError(f"{commit_id} is not a commit")
    total = 0
    for count, (path, mode, object_id) in enumerate(_walk(repository, commit.tree), 1):
        if stopped.is_set():
            raise CheckoutError("The build was stopped")
        if count > MAX_ENTRIES:
            raise CheckoutError(f"The source has more than {MAX_ENTRIES} files and folders")
        if stat.S_ISDIR(mode):
            continue
        blob = _object(repository, object_id)
        if not isinstance(blob, Blob):
            raise CheckoutError(f"{path} is not a file")
        total += blob.raw_length()
        if total > MAX_BYTES:
            raise CheckoutError(f"The source has more than {MAX_BYTES} bytes")
        _write(target / path, blob, executable=bool(mode & stat.S_IXUSR))


def _walk(repository: Repo, tree_id: ObjectID, folder: str = "", depth: int = 0) -> Iterator[tuple[str, int, ObjectID]]:
    """All entries of a tree. A folder comes before its contents."""
    tree = _object(repository, tree_id)
    if not isinstance(tree, Tree):
        raise CheckoutError(f"{folder or 'The root'} is not a folder")
    if depth > MAX_DEPTH:
        raise CheckoutError(f"{folder} is nested deeper than {MAX_DEPTH} folders")
    for entry in tree.iteritems():
        path = f"{folder}/{_name(entry.path)}" if folder else _name(entry.path)
        if stat.S_ISDIR(entry.mode):
            yield path, entry.mode, entry.sha
            yield from _walk(repository, entry.sha, path, depth + 1)
        elif stat.S_ISREG(entry.mode):
            yield path, entry.mode, entry.sha
        else:
            raise CheckoutError(f"{path} is a link or a submodule; only plain files are built")


def _name(raw: bytes) -> str:
    """A file name. Names that are not UTF-8 are allowed, as in git."""
    name = os.fsdecode(raw)
    printable = raw.decode("utf-8", "replace").isprintable()
    if name in ("", ".", "..") or name.lower() == ".git" or not printable or set(name) & set("/\\"):
        raise CheckoutError(f"The file name {name!r} is refused")
    return name


def _object(repository: Repo, object_id: ObjectID) -> object:
    try:
        return repository.object_store[object_id]
    except KeyError:
        raise CheckoutError(f"The object {object_id.decode()} is missing") from None


def _write(path: Path, blob: Blob, *, executable: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # O_EXCL: the file system may treat two different names as the same file.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, 0o755 if executable else 0o644), "wb") as file:
        for chunk in blob.as_raw_chunks():
            file.write(chunk)
