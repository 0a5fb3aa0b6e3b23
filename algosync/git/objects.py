"""Git objects as bytes: reading commits and trees that a server sent, writing commits to push."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from algosync.core.error import SourceError
from algosync.core.text import printable
from algosync.core.tree import Blob

__all__ = ["Commit", "Kind", "Object", "Objects", "read_commit", "read_tree", "write_commit"]

Kind: TypeAlias = Literal["commit", "tree", "blob", "tag"]

_PATHS = 100_000  # a few kilobytes of trees that name each other can stand for any number of paths
_DEPTH = 128
_FOLDER, _SYMLINK, _SUBMODULE = "40000", "120000", "160000"
_FIRST_DATE = 1_600_000_000  # of a commit without a parent; seconds since 1970
_LAST_DATE = 4_102_444_800  # 2100: a parent may carry any date, and not every git reads far ones


class Object:
    """One git object: its kind, its bytes without the header, and its id (40 hex digits)."""

    __slots__ = ("body", "id", "kind")

    def __init__(self, kind: Kind, body: bytes) -> None:
        header = f"{kind} {len(body)}\0".encode()
        self.kind: Kind = kind
        self.body = body
        self.id = hashlib.sha1(header + body, usedforsecurity=False).hexdigest()


Objects: TypeAlias = dict[str, Object]


@dataclass(frozen=True, slots=True)
class Commit:
    """What matters of a commit. `date` is its committer's, in seconds since 1970."""

    tree: str
    date: int


def read_commit(objects: Objects, number: str) -> Commit:
    """SourceError: there is no such commit, or it is not one."""
    body = _get(objects, number, "commit").body.decode("utf-8", "replace")
    header = body.partition("\n\n")[0]
    tree = re.match(r"tree ([0-9a-f]{40})\n", header)
    date = re.search(r"^committer .*> (-?\d{1,18}) [+-]\d{4}$", header, re.MULTILINE)
    if not tree or not date:
        raise SourceError(f"the repository's commit {number} cannot be read")
    return Commit(tree[1], int(date[1]))


def read_tree(objects: Objects, number: str) -> dict[str, Blob]:
    """All that stands below a tree, by path.

    Links and submodules are there as what they are. SourceError: an object is missing or damaged, a name is impossible
    or twice in one folder, or there are absurdly many paths.
    """
    found: dict[str, Blob] = {}
    todo, seen = [("", number)], 0
    while todo:
        folder, number = todo.pop()
        for mode, name, child in _names(_get(objects, number, "tree").body):
            path, seen = f"{folder}{name}", seen + 1
            if mode == _FOLDER:
                todo.append((f"{path}/", child))
            else:
                found[path] = _blob(objects, mode, child)
            if seen > _PATHS or path.count("/") > _DEPTH:
                raise SourceError(f"the repository has more than {_PATHS} paths, or folders deeper than {_DEPTH}")
    return found


def write_commit(tree: str, parent: tuple[str, Commit] | None, author: str, message: str) -> Object:
    """The commit of a tree on top of its parent; same arguments, same id: its date is a second after the parent's.

    `author`: `Name <mail>`. ValueError: it is something else.
    """
    if not re.fullmatch(r"[^<>\0\n]+ <[^<>\0\n]*>", author):
        raise ValueError(f"not an author: {author!r}")
    date = min(max(parent[1].date + 1, 0), _LAST_DATE) if parent else _FIRST_DATE
    lines = [f"tree {tree}", *([f"parent {parent[0]}"] if parent else [])]
    lines += [f"{role} {author} {date} +0000" for role in ("author", "committer")]
    return Object("commit", "\n".join([*lines, "", f"{message.rstrip()}\n"]).encode())


def _get(objects: Objects, number: str, kind: Kind) -> Object:
    found = objects.get(number)
    if found is None or found.kind != kind:
        raise SourceError(f"the repository's {kind} {number} is missing or something else")
    return found


def _names(body: bytes) -> Iterator[tuple[str, str, str]]:
    """Mode, name and id of each entry of a tree."""
    entry = re.compile(rb"([0-7]{5,6}) ([^\0/]+)\0(.{20})", re.DOTALL)
    place, seen = 0, set()
    while place < len(body):
        match = entry.match(body, place)
        if match is None or match[2] in (b".", b".."):
            raise SourceError(f"the repository holds an impossible name: {printable(repr(body[place : place + 40]))}")
        if match[2] in seen:
            raise SourceError(f"the repository holds a name twice in one folder: {printable(repr(match[2]), 200)}")
        seen.add(match[2])
        place = match.end()
        yield match[1].decode().lstrip("0"), match[2].decode("utf-8", "surrogateescape"), match[3].hex()


def _blob(objects: Objects, mode: str, number: str) -> Blob:
    """Git knows three kinds of things that are no folders; file modes other than 644 and 755 are relics of its youth."""
    if mode == _SUBMODULE:
        return Blob(number.encode(), kind="submodule")
    data = _get(objects, number, "blob").body
    if mode == _SYMLINK:
        return Blob(data, kind="symlink")
    return Blob(data, executable=bool(int(mode, 8) & 0o100))
