"""The Protocols of a destination cluster, as the kinds use it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from algosync.cluster.algorithms import AlgorithmInfo, Build, Version
from algosync.core.environment import Environment
from algosync.core.testing.answer import Answer
from algosync.core.tree import Tree
from algosync.git import Commit

__all__ = ["AlgorithmService", "GitRepository"]


class AlgorithmService(Protocol):
    """The management API of a cluster and calls of its algorithms. Implemented by `cluster.algorithms.AlgorithmsApi`."""

    def read(self, owner: str, name: str) -> AlgorithmInfo:
        """NotFound: the algorithm does not exist."""

    def create(self, owner: str, name: str, details: Mapping[str, object], settings: Mapping[str, object]) -> None:
        """Conflict: the name is taken."""

    def update(self, owner: str, name: str, details: Mapping[str, object], settings: Mapping[str, object]) -> None:
        """NotFound: the algorithm does not exist."""

    def delete(self, owner: str, name: str) -> None:
        """Deletes the repository and the versions, too. NotFound: the algorithm does not exist."""

    def build_of(self, owner: str, name: str, commit: str) -> Build | None:
        """The newest build of a commit. None: no build is listed yet."""

    def build_log(self, owner: str, name: str, build_id: str) -> str:
        """Empty if there is no log."""

    def compile(self, owner: str, name: str) -> None:
        """Builds the head of the default branch."""

    def published(self, owner: str, name: str) -> Version | None:
        """The newest published version."""

    def versions(self, owner: str, name: str) -> Sequence[Version]:
        """Every published version, the newest first. NotFound: the algorithm does not exist."""

    def publish(self, owner: str, name: str, commit: str, body: Mapping[str, object]) -> Version:
        """Publishes the newest successful build. Conflict: a different commit was published."""

    def environments(self) -> Sequence[Environment]:
        """Every environment of every language that the cluster offers."""

    def call(self, owner: str, name: str, reference: str, payload: str, timeout: int) -> Answer:
        """Calls one version with JSON text. TestFailed: the algorithm failed. NotFound: the version does not exist yet."""


class GitRepository(Protocol):
    """The repository of one algorithm. For one thread at a time. Implemented by `git.Repository`."""

    def head(self) -> str | None:
        """The commit at the head of the default branch. None: the branch has no commit."""

    def tree(self, commit: str) -> Tree:
        """All files of a commit. NotFound: the default branch does not contain it."""

    def commit(self, commit: str) -> Commit:
        """NotFound: the default branch does not contain it."""

    def before(self, author: str, head: str) -> str | None:
        """The parent of the author's oldest commit among `head` and its first parents. None: there is no such parent."""

    def push(self, parent: str | None, tree: Tree, *, author: str, message: str) -> str:
        """Pushes one commit with exactly this tree on top of `parent`, and returns its id. Conflict: `parent` is not the head."""
