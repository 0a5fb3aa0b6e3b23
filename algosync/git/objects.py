"""Git objects as bytes: read commits and trees that a server sent, write commits to push."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Literal, TypeAlias

from algosync.core.error import SourceError
from algosync.core.lean import dataclass
from algosync.core.text import printable
from algosync.core.tree import Blob

__all__ = ["Commit", "Object", "ObjectType", "Objects", "read_commit", "read_tree", "write_commit"]

ObjectType: TypeAlias = Literal["commit", "tree", "blob", "tag"]

_MAX_PATHS = 100_000  # a few kilobytes of trees that refer to each other can expand to any number of paths
_MAX_DEPTH = 128
_FOLDER, _SYMLINK, _SUBMODULE = "40000", "120000", "160000"
_FIRST_DATE = 1_600_000_000  # of a commit without a parent; seconds since 1970
_LAST_DATE = 4_102_444_800  # 2100: a parent may have any date, and some git versions cannot read later ones


class Object:
    """One git object: its type, its bytes without the header, and its id (40 hex digits)."""

    __slots__ = ("body", "id", "kind")

    def __init__(self, kind: ObjectType, body: bytes) -> None:
        header = f"{kind} {len(body)}\0".encode()
        self.kind: ObjectType = kind
        self.body = body
        self.id = hashlib.sha1(header + body, usedforsecurity=False).hexdigest()


Objects: TypeAlias = dict[str, Object]


@dataclass(frozen=True, slots=True)
class Commit:
    """The relevant fields of a commit.

    `date` is the committer date in seconds since 1970. `author` is `Name <mail>`. `parent` is the first parent, or None.
    `message` has no line break at its end.
    """

    tree: str
    date: int
    parent: str | None = None
    author: str = ""
    message: str = ""


def read_commit(objects: Objects, number: str) -> Commit:
    """Parse a commit. Raises SourceError if it is missing or not a commit."""
    body = _get(objects, number, "commit").body.decode("utf-8", "replace")
    header, _, message = body.partition("\n\n")
    tree = re.match(r"tree ([0-9a-f]{40})\n", header)
    date = re.search(r"^committer .*> (-?\d{1,18}) [+-]\d{4}$", header, re.MULTILINE)
    if not tree or not date:
        raise SourceError(f"the repository's commit {number} cannot be read")
    parent = re.search(r"^parent ([0-9a-f]{40})$", header, re.MULTILINE)
    author = re.search(r"^author (.*>) ", header, re.MULTILINE)
    return Commit(tree[1], int(date[1]), parent[1] if parent else None, author[1] if author else "", message.rstrip("\n"))


def read_tree(objects: Objects, number: str) -> dict[str, Blob]:
    """Return all files below a tree by path, including links and submodules.

    Raises SourceError if an object is missing or damaged, if a name is invalid or occurs twice in a folder, or if there are too
    many paths.
    """
    found: dict[str, Blob] = {}
    pending, seen = [("", number)], 0
    while pending:
        folder, number = pending.pop()
        for mode, name, child in _tree_entries(_get(objects, number, "tree").body):
            path, seen = f"{folder}{name}", seen + 1
            if mode == _FOLDER:
                pending.append((f"{path}/", child))
            else:
                found[path] = _blob(objects, mode, child)
            if seen > _MAX_PATHS or path.count("/") > _MAX_DEPTH:
                raise SourceError(f"the repository has more than {_MAX_PATHS} paths, or folders deeper than {_MAX_DEPTH}")
    return found


def write_commit(tree: str, parent: tuple[str, Commit] | None, author: str, message: str) -> Object:
    """Return a commit of a tree on top of its parent. The id depends only on the arguments: the date is one second after the
    parent's.

    `author` is `Name <mail>`; raises ValueError otherwise.
    """
    if not re.fullmatch(r"[^<>\0\n]+ <[^<>\0\n]*>", author):
        raise ValueError(f"not an author: {author!r}")
    date = min(max(parent[1].date + 1, 0), _LAST_DATE) if parent else _FIRST_DATE
    lines = [f"tree {tree}", *([f"parent {parent[0]}"] if parent else [])]
    lines += [f"{role} {author} {date} +0000" for role in ("author", "committer")]
    return Object("commit", "\n".join([*lines, "", f"{message.rstrip()}\n"]).encode())


def _get(objects: Objects, number: str, kind: ObjectType) -> Object:
    found = objects.get(number)
    if found is None or found.kind != kind:
        raise SourceError(f"the repository's {kind} {number} is missing or has another type")
    return found


def _tree_entries(body: bytes) -> Iterator[tuple[str, str, str]]:
    """Yield mode, name and id of each entry of a tree."""
    entry = re.compile(rb"([0-7]{5,6}) ([^\0/]+)\0(.{20})", re.DOTALL)
    position, seen = 0, set()
    while position < len(body):
        match = entry.match(body, position)
        if match is None or match[2] in (b".", b".."):
            raise SourceError(f"the repository contains an invalid name: {printable(repr(body[position : position + 40]))}")
        if match[2] in seen:
            raise SourceError(f"the repository contains a name twice in one folder: {printable(repr(match[2]), 200)}")
        seen.add(match[2])
        position = match.end()
        yield match[1].decode().lstrip("0"), match[2].decode("utf-8", "surrogateescape"), match[3].hex()


def _blob(objects: Objects, mode: str, number: str) -> Blob:
    """Convert an entry that is not a folder. Modes other than 644 and 755 come from old versions of git."""
    if mode == _SUBMODULE:
        return Blob(number.encode(), kind="submodule")
    data = _get(objects, number, "blob").body
    if mode == _SYMLINK:
        return Blob(data, kind="symlink")
    return Blob(data, executable=bool(int(mode, 8) & 0o100))
