"""A repository in memory. It passes `contracts/test_algorithm_services.py`, as the real one does."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from algosync.core.error import Conflict, NotFound
from algosync.core.tree import Blob, Tree, tree_id
from algosync.git import Commit

__all__ = ["FIRST_DATE", "FakeRepository"]

FIRST_DATE = 1_600_000_000
"""The date of the first commit. Each later one is a second younger."""


class FakeRepository:
    """`on_push` is called with each new commit. `messages` has the message of each push, `texts` the same by commit."""

    def __init__(self, on_push: Callable[[str], None] = lambda _: None) -> None:
        self.messages: list[str] = []
        self.texts: dict[str, str] = {}
        self._on_push = on_push
        self._head: str | None = None
        self._trees: dict[str, dict[str, Blob]] = {}
        self._commits: dict[str, tuple[str | None, str]] = {}

    def head(self) -> str | None:
        return self._head

    def tree(self, commit: str) -> dict[str, Blob]:
        if commit not in self._trees:
            raise NotFound(f"the repository has no commit {commit}")
        return dict(self._trees[commit])

    def commit(self, commit: str) -> Commit:
        if commit not in self._commits:
            raise NotFound(f"the repository has no commit {commit}")
        parent, author = self._commits[commit]
        return Commit(
            tree_id(self._trees[commit]), FIRST_DATE + list(self._commits).index(commit), parent, author, self.texts[commit]
        )

    def before(self, author: str, head: str) -> str | None:
        found: str | None = None
        commit: str | None = head
        while commit is not None:
            parent, by = self._commits[commit]
            found = parent if by == author else found
            commit = parent
        return found

    def push(self, parent: str | None, tree: Tree, *, author: str, message: str) -> str:
        if parent != self._head:
            raise Conflict("somebody pushed")
        commit = hashlib.sha1(f"{parent} {tree_id(tree)} {author} {message}".encode()).hexdigest()
        self._trees[commit] = dict(tree)
        self._commits[commit] = parent, author
        self._head = commit
        self.messages.append(message)
        self.texts[commit] = message
        self._on_push(commit)
        return commit

    def push_behind(self, path: str, data: bytes) -> str:
        """Somebody else's commit that adds one file."""
        head = self._head
        tree = {**(self.tree(head) if head else {}), path: Blob(data)}
        return self.push(head, tree, author="Somebody <else@localhost>", message="behind your back")

    def authors(self) -> dict[str, str]:
        """The author of each commit."""
        return {commit: author for commit, (_, author) in self._commits.items()}

    def hold(self, commit: str, tree: Tree, author: str) -> None:
        """Makes this the only commit, with an id of the caller's choice."""
        self._trees, self._commits, self._head = {commit: dict(tree)}, {commit: (None, author)}, commit

    def rewrite(self) -> None:
        """Removes all commits, as a forced push of an empty history would."""
        self._trees.clear()
        self._head = None
