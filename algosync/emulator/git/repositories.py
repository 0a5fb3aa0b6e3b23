"""The git repositories of all algorithms, by the algorithm's id. They need no git binary."""

import itertools
import logging
import os
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from dulwich.index import commit_tree
from dulwich.object_store import BaseObjectStore, iter_tree_contents
from dulwich.objects import Blob, Commit, ObjectID, valid_hexsha
from dulwich.refs import DictRefsContainer, Ref
from dulwich.repo import Repo

from algosync.emulator.errors import ApiError
from algosync.emulator.processes.removal import discard

MASTER = Ref(b"refs/heads/master")
HEAD = Ref(b"HEAD")
TEMPORARY = "passing-"
"""Prefix of temporary files for packs, on systems where such files have names."""
INITIAL_MESSAGE = b"Algorithmia initial commit"


class Repositories:
    """A folder of bare repositories. Objects and refs are synced to disk before a push is answered."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        folder.mkdir(exist_ok=True)

    def create(self, algorithm_id: str, owner: str, files: dict[str, bytes]) -> str:
        """Create a repository with one commit of these files. Returns the id of the commit."""
        path = self._path(algorithm_id)
        try:
            with Repo.init_bare(path, mkdir=True, default_branch=b"master") as repository:
                config = repository.get_config()
                config.set((b"core",), b"fsyncObjectFiles", b"true")
                config.write_to_path()
            return self._first_commit(algorithm_id, owner, files)
        except OSError:
            discard(path)
            raise

    def _first_commit(self, algorithm_id: str, owner: str, files: dict[str, bytes]) -> str:
        with self.open(algorithm_id) as repository:
            commit = Commit()
            commit.tree = _add_tree(repository.object_store, files)
            commit.author = commit.committer = f"{owner} <{owner}@algorithmia.local>".encode()
            commit.commit_time = commit.author_time = int(time.time())
            commit.commit_timezone = commit.author_timezone = 0
            commit.encoding = b"UTF-8"
            commit.message = INITIAL_MESSAGE
            repository.object_store.add_object(commit)
            repository.refs[MASTER] = commit.id
            return commit.id.decode()

    @contextmanager
    def open(self, algorithm_id: str) -> Iterator[Repo]:
        """A repository for reading."""
        with Repo(str(self._path(algorithm_id))) as repository:
            yield repository

    @contextmanager
    def at(self, algorithm_id: str, commit: str) -> Iterator[Repo]:
        """A repository for reading, whose only ref is the default branch at this commit."""
        with self.open(algorithm_id) as repository:
            repository.refs = DictRefsContainer({HEAD: b"ref: " + MASTER, MASTER: commit.encode()})
            yield repository

    @contextmanager
    def changing(self, algorithm_id: str) -> Iterator[Repo]:
        """A repository for changes. Its lock is held meanwhile. Files that a failed change leaves are removed afterwards."""
        with self._locks[algorithm_id]:
            try:
                with self.open(algorithm_id) as repository:
                    yield repository
            finally:
                _sweep(self._path(algorithm_id))

    def head(self, algorithm_id: str) -> str | None:
        """The commit at the tip of the default branch; None if the repository is missing or damaged."""
        try:
            with self.open(algorithm_id) as repository:
                found = repository.refs[MASTER]
        except Exception:  # noqa: BLE001 - reading a damaged repository can fail in any way
            return None
        return found.decode() if valid_hexsha(found) else None

    def commit(self, algorithm_id: str, wanted: str | None) -> str:
        """The commit with the hash `wanted`, or the head. Raises `ApiError` 404 if there is no such commit."""
        with self.open(algorithm_id) as repository:
            return (_known(repository, wanted) if wanted else repository.refs[MASTER]).decode()

    def log(self, algorithm_id: str, since: str | None, until: str | None, limit: int) -> list[dict[str, str]]:
        """Commits from `since` to `until`, both included, newest first. The default of `until` is the head.

        Excludes commits that are reachable from the parents of `since`. Raises `ApiError` 404 if there is no such commit.
        """
        with self.open(algorithm_id) as repository:
            start = _known(repository, until) if until else repository.refs[MASTER]
            first = repository[_known(repository, since)] if since else None
            exclude = first.parents if isinstance(first, Commit) else None
            walker = repository.get_walker(include=[start], exclude=exclude, max_entries=limit)
            return [_log_entry(entry.commit) for entry in walker]

    def files(self, algorithm_id: str, commit: str, most: int) -> list[tuple[str, bytes]]:
        """Names and contents of files among a commit's first `most` entries. Raises `ApiError` 404 for unknown commits."""
        with self.open(algorithm_id) as repository:
            store = repository.object_store
            found = cast("Commit", repository[_known(repository, commit)])
            entries = itertools.islice(iter_tree_contents(store, found.tree, include_trees=True), most)
            blobs = [(entry.path.decode("utf-8", "backslashreplace"), store[entry.sha]) for entry in entries]
            return [(name, blob.data) for name, blob in blobs if isinstance(blob, Blob)]

    def temporary_file(self) -> BinaryIO:
        """A temporary file for a pack. It is on the disk of the repositories, since the system's own may be in memory."""
        return cast("BinaryIO", tempfile.TemporaryFile(dir=self._folder, prefix=TEMPORARY))

    def delete(self, algorithm_id: str) -> None:
        """Remove a repository."""
        discard(self._path(algorithm_id))
        self._locks.pop(algorithm_id, None)

    def sweep(self, known: set[str]) -> None:
        """Remove repositories that do not belong to a `known` algorithm, and what a killed server left in the others.

        These leftovers are locks, which would block changes for ever, and unfinished packs. The name of a ref never ends with
        `.lock`, but may begin with `tmp`.
        """
        for path in self._folder.glob(f"{TEMPORARY}*"):
            discard(path)
        for path in self._folder.glob("*.git"):
            if path.stem in known:
                _sweep(path)
            else:
                discard(path)

    def _path(self, algorithm_id: str) -> Path:
        return self._folder / f"{algorithm_id}.git"


def _sweep(repository: Path) -> None:
    """Remove files that failed changes have left. Call it only while nothing changes the repository."""
    objects = repository / "objects"
    try:
        locks = [path for folder in ("refs", "objects") for path in _files(repository / folder) if path.suffix == ".lock"]
        # The index of a pack is written last. A pack without one is not used.
        packs = [path for path in objects.glob("pack/*.pack") if not path.with_suffix(".idx").exists()]
        for left in itertools.chain(repository.glob("*.lock"), locks, packs, objects.glob("tmp*"), objects.glob("*/tmp*")):
            if not left.is_dir():
                left.unlink(missing_ok=True)
    except OSError as error:
        # One damaged repository must not affect the others.
        logging.warning("%s is not cleaned up: %s", repository, error)


def _files(folder: Path) -> Iterator[Path]:
    """All files below a folder of any depth. `Path.rglob` would recurse for every level."""
    waiting = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                else:
                    yield Path(entry.path)


def _add_tree(store: BaseObjectStore, files: dict[str, bytes]) -> ObjectID:
    """Store files and return the id of their tree."""
    blobs = {path: Blob.from_string(content) for path, content in files.items()}
    store.add_objects([(blob, None) for blob in blobs.values()])
    return commit_tree(store, [(path.encode(), blob.id, 0o100644) for path, blob in blobs.items()])


def _known(repository: Repo, commit_id: str) -> ObjectID:
    found = ObjectID(commit_id.lower().encode())
    if not valid_hexsha(found) or found not in repository.object_store or not isinstance(repository[found], Commit):
        raise ApiError(404, f"There is no commit {commit_id}")
    return found


def _log_entry(commit: Commit) -> dict[str, str]:
    message = commit.message.decode("utf-8", "replace")
    author = commit.author.decode("utf-8", "replace")
    return {"id": commit.id.decode(), "short_message": message.partition("\n")[0], "message": message, "author": author}
