"""Read collections: the `data://` files of other collections that a source names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from algosync.core.tree import Tree
from algosync.sources.placeholders import OWNER

__all__ = ["collections_in"]


def collections_in(files: Tree, owner: str, algorithm: str) -> Mapping[str, Sequence[str]]:
    """The collections of the same owner that files under `src/` name, each with the names of its files that they name.

    A collection without file names is read as a whole: some name in it is computed, or is not the whole of a quoted text. The
    algorithm's own collection does not count. `<user>` in the files may be filled in or not.
    """
    owners = b"|".join(re.escape(name.encode()) for name in (".my", OWNER, owner))
    # A file name counts only up to the closing quote; names of collections are those of algorithms.
    read = re.compile(rb"data://(?:" + owners + rb")/([A-Za-z][A-Za-z0-9_]*)(?![\w.-])(?:/([^\"'\r\n/{}%<>\\]{1,255})[\"'])?")
    found: dict[str, set[str]] = defaultdict(set)
    for path, blob in files.items():
        for match in read.finditer(blob.data if path.startswith("src/") else b""):
            found[match[1].decode()].add(match[2].decode(errors="replace") if match[2] else "")
    return {name: [] if "" in names else sorted(names) for name, names in sorted(found.items()) if name != algorithm}
