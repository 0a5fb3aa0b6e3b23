"""Placeholders: `<user>` and `<algo>` in an algorithm's source."""

from __future__ import annotations

from dataclasses import replace

from algosync.core.tree import Blob, Tree

__all__ = ["ALGORITHM", "OWNER", "fill_owner"]

OWNER = "<user>"
"""Stands for the owner at the destination, in every text file of a source."""
ALGORITHM = "<algo>"
"""Stands for the algorithm's name, in the URIs of model manifests."""


def fill_owner(tree: Tree, owner: str) -> dict[str, Blob]:
    """The tree with `<user>` replaced by `owner` in text files, which are files of valid UTF-8 without NUL bytes."""
    placeholder, name = OWNER.encode(), owner.encode()
    return {
        path: replace(blob, data=blob.data.replace(placeholder, name)) if placeholder in blob.data and _is_text(blob) else blob
        for path, blob in tree.items()
    }


def _is_text(blob: Blob) -> bool:
    if blob.kind != "file" or b"\0" in blob.data:
        return False
    try:
        blob.data.decode()
    except UnicodeDecodeError:
        return False
    return True
