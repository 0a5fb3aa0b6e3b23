"""The JSON document of a model manifest: parsed, checked and written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from algosync.core.error import SourceError
from algosync.core.json_document import TooDeep, read_json
from algosync.core.text import printable

__all__ = [
    "FILE_LISTS",
    "ManifestDocument",
    "deployed_file",
    "entries_of",
    "parse_manifest",
    "with_deployed_file",
    "write_manifest",
]

FILE_LISTS = ("required_files", "optional_files")

_DATA = "data://"
_SIZE_LIMIT = 1 << 20  # bytes; a manifest has a few hundred for each file
_DEPTH_LIMIT = 50

ManifestDocument: TypeAlias = dict[str, Any]


def parse_manifest(data: bytes, path: str) -> ManifestDocument:
    """One JSON object, read as the ADK reads it. SourceError: anything else, or far larger or deeper than a manifest."""
    if len(data) > _SIZE_LIMIT:
        raise SourceError(f"{path} is too large for a manifest: {len(data)} bytes")
    try:
        document = read_json(data.decode(), finite=False, deepest=_DEPTH_LIMIT)  # Python's reader, and so the ADK, accepts NaN
        json.dumps(document, ensure_ascii=False).encode()  # refuses lone surrogates, which no checksum can contain
    except TooDeep:
        raise SourceError(f"{path} is nested too deep") from None
    except ValueError as error:
        raise SourceError(f"{path} is not JSON: {printable(str(error), 200)}") from None
    if not isinstance(document, dict):
        raise SourceError(f"{path} is not a JSON object")
    return document


def write_manifest(document: ManifestDocument, like: bytes) -> bytes:
    """ASCII, so that the locale of the ADK does not matter. Indented if the original has several lines."""
    if b"\n" not in like.strip():
        return json.dumps(document).encode()
    return json.dumps(document, indent=2).encode() + b"\n"


def entries_of(document: Mapping[str, Any], path: str) -> Iterator[ManifestDocument]:
    """The entry of each file. SourceError: an entry does not have the form that the ADK reads."""
    for name in FILE_LISTS:
        entries = document.get(name, [])
        if not isinstance(entries, list):
            raise SourceError(f"{path}: {name} is not a list")
        for number, entry in enumerate(entries):
            if not isinstance(entry, dict) or not all(isinstance(entry.get(key), str) for key in ("name", "source_uri")):
                raise SourceError(f"{path}: {name}[{number}] is not an object with the texts name and source_uri")
            if not isinstance(entry.get("md5_checksum"), (str, type(None))):
                raise SourceError(f"{path}: md5_checksum of {name}[{number}] is not a text")
            yield entry


def deployed_file(document: Mapping[str, Any]) -> tuple[str, str | None] | None:
    """The URI of the model in a manifest of the platform's model deployment action, and its MD5. None: another kind of manifest.

    Such a manifest names one file, as `OWNER/COLLECTION/FILE` or by URI, and the algorithm itself reads it.
    """
    file, md5 = document.get("model_filepath"), document.get("model_md5_hash")
    if not isinstance(file, str) or not isinstance(md5, (str, type(None))):
        return None
    return file if file.startswith(_DATA) else f"{_DATA}{file}", md5


def with_deployed_file(document: Mapping[str, Any], uri: str) -> ManifestDocument:
    """The document with the URI of its model, in the form that it had."""
    plain = not str(document["model_filepath"]).startswith(_DATA)
    return {**document, "model_filepath": uri.removeprefix(_DATA) if plain else uri}
