"""A remote repository: its default branch, the files of a commit, and pushes."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from algosync.core.error import ClusterError, Conflict, NotFound, Unexpected
from algosync.core.tree import Blob, Tree, subtrees
from algosync.git.objects import Commit, Object, Objects, read_commit, read_tree, write_commit
from algosync.git.pack import read_pack
from algosync.git.refs import Refs, ask_refs

if TYPE_CHECKING:
    from algosync.core.credential import Credential
    from algosync.git.transport import Transport
    from algosync.net import Host

__all__ = ["Repository"]

_SIZE_LIMIT = 1 << 30  # bytes of objects in memory


class Repository:
    """One repository at `url` (without credentials), accessed as `user` over `host`.

    Keeps fetched objects in memory. For one thread at a time. Retries transient failures. Every method raises Denied (401, 403),
    NotFound (404), Unreachable, Throttled, Unexpected, and SourceError if the repository cannot be read or is larger than 1 GiB.
    """

    def __init__(self, url: str, user: str, credential: Credential, host: Host) -> None:
        if not url.startswith(f"{host.url}/"):
            raise ValueError("the repository is not on this host")
        self._place = (url, user, credential, host)
        self._retry = host.net.retry
        self._objects: Objects = {}
        self._refs: Refs | None = None

    @cached_property
    def _transport(self) -> Transport:
        from algosync.git.transport import Transport

        return Transport(*self._place)

    def _ask_refs(self) -> Refs:
        return self._retry.run(lambda: ask_refs(*self._place))

    def head(self) -> str | None:
        """Return the current commit of the default branch, or None if it has no commit."""
        self._refs = self._ask_refs()
        return self._refs.head

    def tree(self, commit: str) -> dict[str, Blob]:
        """Return all files of a commit, including links and submodules. Raises NotFound if the default branch lacks the commit."""
        self._load(commit)
        return read_tree(self._objects, read_commit(self._objects, commit).tree)

    def commit(self, commit: str) -> Commit:
        """Return what a commit says about itself. Raises NotFound if the default branch lacks the commit."""
        self._load(commit)
        return read_commit(self._objects, commit)

    def before(self, author: str, head: str) -> str | None:
        """Return the parent of the oldest commit of `author` (`Name <mail>`) among `head` and its first parents.

        None if there is no such commit, or if it has no parent.
        """
        self._load(head)
        found, commit = None, head
        while True:
            fields = read_commit(self._objects, commit)
            if fields.author == author:
                found = fields.parent
            if fields.parent is None:
                return found
            if fields.parent not in self._objects:
                self._load_history(head)
            commit = fields.parent

    def push(self, parent: str | None, tree: Tree, *, author: str, message: str) -> str:
        """Push one commit with exactly the files of `tree` on top of `parent`. Return its id.

        The id depends only on the arguments, so a repeated push does nothing. If the tree equals the parent's, the commit is empty.
        After the push the branch was seen at the commit.

        Denied, NotFound and Conflict (the branch is no longer at `parent`, or the server refused) mean that nothing was written.
        After any other ClusterError the commit may have been written; Unexpected also if the branch was moved by somebody else.
        Raises ValueError if `author` is not `Name <mail>`.
        """
        if parent is not None:
            self._load(parent)
        root, bodies = subtrees(tree)
        before = (parent, read_commit(self._objects, parent)) if parent else None
        commit = write_commit(root, before, author, message)
        objects = [commit, *(Object("tree", body) for body in bodies.values()), *_blobs(tree)]
        missing = {o.id: o for o in objects if o.id not in self._objects}
        self._send(parent, commit, missing)
        self._objects |= missing
        return commit.id

    def _send(self, parent: str | None, commit: Object, missing: Objects) -> None:
        """Push, then check the branch: the reply may be lost, and dulwich's server reports `ok` to the loser of a race."""
        branch = (self._refs or self._ask_refs()).branch

        def push() -> bool:
            self._transport.send(branch, parent, commit, missing.values())
            return True

        try:
            self._retry.run_once(push, lambda: self.head() != parent or None)
        except Conflict:
            if self.head() != commit.id:  # the branch is more reliable than the server's report
                raise
        try:
            head = self.head()
        except ClusterError as error:
            raise Unexpected(f"a commit was pushed, but the branch cannot be read: {error.message}") from error
        if head == parent:
            raise Unexpected("the git server accepted a push, but the branch did not move")
        if head != commit.id:
            # Our commit may have been first, with another one on top of it.
            raise Unexpected("the repository's branch was moved by somebody else during the push")

    def _load(self, commit: str) -> None:
        if not re.fullmatch("[0-9a-f]{40}", commit):
            raise ValueError(f"not a commit's id: {commit!r}")
        if commit in self._objects:
            return
        pack = self._retry.run(lambda: self._transport.fetch(commit))
        if not pack and (head := self.head()):
            pack = self._retry.run(lambda: self._transport.fetch_all(head))
        if pack:
            self._objects |= read_pack(pack, _SIZE_LIMIT)
        if commit not in self._objects:
            raise NotFound(f"the repository has no commit {commit}")

    def _load_history(self, head: str) -> None:
        pack = self._retry.run(lambda: self._transport.fetch_all(head))
        self._objects |= read_pack(pack, _SIZE_LIMIT)


def _blobs(tree: Tree) -> list[Object]:
    return [Object("blob", blob.data) for blob in tree.values() if blob.kind != "submodule"]
