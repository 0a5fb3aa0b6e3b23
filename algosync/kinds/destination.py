"""The destination: one owner's algorithms on a cluster, with the answers that do not change during a command."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from functools import partial

from algosync.cluster.algorithms import AlgorithmInfo, Version
from algosync.cluster.connection import Cluster
from algosync.cluster.data import CollectionListing, FileStat
from algosync.cluster.once import OncePerKey
from algosync.core.environment import Environment
from algosync.core.error import NotFound
from algosync.core.lean import dataclass
from algosync.core.tree import Tree
from algosync.git import Commit, Repository
from algosync.kinds.ports import AlgorithmService, GitRepository
from algosync.kinds.shared_listings import SharedListings
from algosync.net import Host, Retry

__all__ = ["Destination", "destination_of"]


@dataclass(frozen=True, slots=True)
class _Answers:
    """The answers of the cluster by algorithm, each asked for once."""

    listings: OncePerKey[str, CollectionListing | None] = field(default_factory=OncePerKey)
    files_before_uploads: OncePerKey[str, Mapping[str, FileStat]] = field(default_factory=OncePerKey)
    files_before_overwrites: OncePerKey[str, Mapping[str, FileStat]] = field(default_factory=OncePerKey)
    files_before_deletions: OncePerKey[str, Mapping[str, FileStat]] = field(default_factory=OncePerKey)
    files_before_restores: OncePerKey[str, Mapping[str, FileStat]] = field(default_factory=OncePerKey)
    infos: OncePerKey[str, AlgorithmInfo | None] = field(default_factory=OncePerKey)
    versions: OncePerKey[str, Version | None] = field(default_factory=OncePerKey)
    heads: OncePerKey[str, str | None] = field(default_factory=OncePerKey)
    trees: OncePerKey[tuple[str, str], Tree] = field(default_factory=OncePerKey)
    commits_before: OncePerKey[tuple[str, str, str], str | None] = field(default_factory=OncePerKey)
    repositories: OncePerKey[str, GitRepository] = field(default_factory=OncePerKey)
    repository_locks: OncePerKey[str, threading.Lock] = field(default_factory=OncePerKey)
    environments: OncePerKey[None, Sequence[Environment]] = field(default_factory=OncePerKey)


@dataclass(frozen=True, slots=True)
class Destination:
    """`owner` is the account that the algorithms belong to, `key_owner` the account whose key is used.

    Methods named after a noun return the answer as it was when first asked for. `list_now` and `repository` give the current
    state.
    """

    owner: str
    key_owner: str
    algorithms: AlgorithmService
    data: SharedListings
    open_repository: Callable[[str], GitRepository]
    retry: Retry
    created_collections: OncePerKey[str, None] = field(default_factory=OncePerKey, init=False, repr=False)
    _answers: _Answers = field(default_factory=_Answers, init=False, repr=False)

    def files(self, algorithm: str) -> Mapping[str, FileStat]:
        """The files of the algorithm's collection. Empty if the collection does not exist."""
        listing = self.listing(algorithm)
        return {} if listing is None else listing.files

    def listing(self, algorithm: str) -> CollectionListing | None:
        """The algorithm's collection with its ACL. None: the collection does not exist."""

        def ask() -> CollectionListing | None:
            try:
                return self.data.listing(self.owner, algorithm)
            except NotFound:
                return None

        return self._answers.listings.get(algorithm, ask)

    def files_before_uploads(self, algorithm: str) -> Mapping[str, FileStat]:
        """The same, asked for right before the first upload of this run."""
        return self._answers.files_before_uploads.get(algorithm, partial(self.list_now, algorithm))

    def files_before_overwrites(self, algorithm: str) -> Mapping[str, FileStat]:
        """The same, asked for right before the first file of the collection is overwritten, which is long after the uploads."""
        return self._answers.files_before_overwrites.get(algorithm, partial(self.list_now, algorithm))

    def files_before_deletions(self, algorithm: str) -> Mapping[str, FileStat]:
        """The same, asked for right before the first file of the collection is deleted."""
        return self._answers.files_before_deletions.get(algorithm, partial(self.list_now, algorithm))

    def files_before_restores(self, algorithm: str) -> Mapping[str, FileStat]:
        """The same, asked for right before the first file of the collection is put back."""
        return self._answers.files_before_restores.get(algorithm, partial(self.list_now, algorithm))

    def list_now(self, algorithm: str) -> Mapping[str, FileStat]:
        try:
            return self.data.files(self.owner, algorithm)
        except NotFound:
            return {}

    def environments(self) -> Sequence[Environment]:
        return self._answers.environments.get(None, self.algorithms.environments)

    def info(self, algorithm: str) -> AlgorithmInfo | None:
        """The algorithm's record. None: the algorithm does not exist."""

        def ask() -> AlgorithmInfo | None:
            try:
                return self.algorithms.read(self.owner, algorithm)
            except NotFound:
                return None

        return self._answers.infos.get(algorithm, ask)

    def published(self, algorithm: str) -> Version | None:
        """The newest published version. None: there is none, or the algorithm does not exist."""
        return None if self.info(algorithm) is None else self.newest(algorithm)

    def newest(self, algorithm: str) -> Version | None:
        """The newest published version, with one request. None: there is none. NotFound: the algorithm does not exist."""
        return self._answers.versions.get(algorithm, lambda: self.algorithms.published(self.owner, algorithm))

    def head(self, algorithm: str) -> str | None:
        """The commit at the head of the algorithm's repository. None: there is none, or the algorithm does not exist."""
        if self.info(algorithm) is None:
            return None
        return self._answers.heads.get(algorithm, self.repository(algorithm).head)

    def repository(self, algorithm: str) -> GitRepository:
        return self._answers.repositories.get(algorithm, lambda: self.open_repository(algorithm))

    def tree(self, algorithm: str, commit: str) -> Tree:
        """All files of a commit. NotFound: the repository does not contain the commit."""

        def fetch() -> Tree:
            with self._answers.repository_locks.get(algorithm, threading.Lock):
                return self.repository(algorithm).tree(commit)

        return self._answers.trees.get((algorithm, commit), fetch)

    def commit(self, algorithm: str, commit: str) -> Commit:
        """What a commit says about itself. NotFound: the repository does not contain the commit."""
        with self._answers.repository_locks.get(algorithm, threading.Lock):
            return self.repository(algorithm).commit(commit)

    def commit_before(self, algorithm: str, author: str, head: str) -> str | None:
        """The parent of the author's oldest commit below `head`. None: there is none."""

        def look() -> str | None:
            with self._answers.repository_locks.get(algorithm, threading.Lock):
                return self.repository(algorithm).before(author, head)

        return self._answers.commits_before.get((algorithm, author, head), look)


def destination_of(cluster: Cluster, git: Host, owner: str, key_owner: str) -> Destination:
    """The destination on a real cluster. `git` is the host of its repositories, which are below `/git`."""

    def open_repository(algorithm: str) -> GitRepository:
        return Repository(f"{git.url}/git/{owner}/{algorithm}.git", key_owner, cluster.wire.credential, git)

    return Destination(owner, key_owner, cluster.algorithms, SharedListings(cluster.data), open_repository, cluster.retry)
