"""Protection: what the guards of `core.planning.guards` need to know of an algorithm.

`lifecycle: {prevent_destroy: true}` is kept in the record of the kind `algorithm`, so it also protects an algorithm that is no
longer in the workflow. A commit of somebody else protects a repository that is not recorded.
"""

from __future__ import annotations

from collections.abc import Mapping

from algosync.core.planning.guards import PREVENT_DESTROY
from algosync.core.resource import Json, Record
from algosync.core.workflow import AlgorithmSpec
from algosync.git import Commit
from algosync.kinds.context import Context

__all__ = ["AUTHOR", "TRAILER", "changed_protection", "foreign_commit", "is_ours", "protection"]

AUTHOR = "algosync <algosync@localhost>"
TRAILER = "Pushed-by: algosync"
"""The last line of our commit messages. It stays when somebody rewrites a commit under another name."""


def protection(spec: AlgorithmSpec) -> Mapping[str, Json]:
    """The private part of the algorithm's record."""
    return {PREVENT_DESTROY: True} if spec.prevent_destroy else {}


def changed_protection(spec: AlgorithmSpec, record: Record | None) -> Mapping[str, Json] | None:
    """The private part that the record is to get. None: it has the right one."""
    wanted, recorded = protection(spec), record.private if record else {}
    return None if wanted.get(PREVENT_DESTROY) == recorded.get(PREVENT_DESTROY) else wanted


def is_ours(commit: Commit) -> bool:
    return commit.author == AUTHOR or TRAILER in commit.message.splitlines()


def foreign_commit(name: str, context: Context) -> str | None:
    """The last commit of an algorithm's repository and its author, if somebody else made it.

    None: it is our own, or the template that the platform created the algorithm with, or there is none.
    """
    head = context.destination.head(name)
    if head is None:
        return None
    commit = context.destination.commit(name, head)
    is_template = commit.parent is None and context.destination.published(name) is None
    return None if is_ours(commit) or is_template else f"{head[:12]} of {commit.author}"
