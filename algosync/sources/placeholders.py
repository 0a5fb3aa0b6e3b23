"""Placeholders: `<user>` and `<algo>` in an algorithm's source."""

from __future__ import annotations

import codecs
import io
import tokenize
from dataclasses import replace

from algosync.core.lean import dataclass
from algosync.core.text import printable
from algosync.core.tree import Blob, Tree

__all__ = ["ALGORITHM", "OWNER", "FilledTree", "fill_owner"]

OWNER = "<user>"
"""Stands for the owner at the destination, in every text file of a source."""
ALGORITHM = "<algo>"
"""Stands for the algorithm's name, in the URIs of model manifests."""

_PYTHON = (".py", ".pyi", ".pyw")
_BYTE_ORDER_MARKS = {  # the longer ones first: UTF-32's begins with UTF-16's
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


@dataclass(frozen=True, slots=True)
class FilledTree:
    """`notes` names the text files in which `<user>` stays, because their encoding is not known."""

    files: dict[str, Blob]
    notes: tuple[str, ...] = ()


def fill_owner(tree: Tree, owner: str) -> FilledTree:
    """The tree with `<user>` replaced by `owner` in text files.

    A Python file has the encoding that it declares (PEP 263). Other files are UTF-8, or what their byte order mark says. A file
    with NUL bytes and without a byte order mark is not text and stays as it is.
    """
    files, notes = dict(tree), []
    for path, blob in tree.items():
        if blob.kind != "file" or not _may_have_placeholder(blob.data):
            continue
        try:
            files[path] = replace(blob, data=_filled(path, blob.data, owner))
        except (UnicodeError, LookupError, SyntaxError):
            notes.append(f"{printable(path)}: {OWNER} is not filled in, because the file's encoding is not known; save it as UTF-8")
    return FilledTree(files, tuple(notes))


def _may_have_placeholder(data: bytes) -> bool:
    marked = _marked_encoding(data)
    return OWNER.encode(marked or "utf-8") in data and (marked is not None or b"\0" not in data)


def _filled(path: str, data: bytes, owner: str) -> bytes:
    """UnicodeError, LookupError, SyntaxError: the encoding is not known, or does not fit."""
    encoding = _marked_encoding(data) or (_declared_encoding(data) if path.endswith(_PYTHON) else "utf-8")
    text = data.decode(encoding)
    if OWNER not in text:
        return data
    if text.encode(encoding) != data:
        raise UnicodeError("decoding loses something")
    return text.replace(OWNER, owner).encode(encoding)


def _marked_encoding(data: bytes) -> str | None:
    return next((encoding for mark, encoding in _BYTE_ORDER_MARKS.items() if data.startswith(mark)), None)


def _declared_encoding(data: bytes) -> str:
    encoding = tokenize.detect_encoding(io.BytesIO(data).readline)[0]
    return "utf-8" if encoding == "utf-8-sig" else encoding  # so the mark stays
