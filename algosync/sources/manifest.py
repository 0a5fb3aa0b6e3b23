"""Model manifests: the data files that an algorithm's ADK loads, and the MD5 it expects of each (PLATFORM.md §7).

`model_manifest.json` at the top of a repository names the files by URI. Its `.freeze`, which the ADK prefers, adds an MD5 for each
file and a `lock_checksum` of the whole document; the ADK does not start if it does not match. When the files move to another
cluster, the URIs and the checksum are adapted. Everything else stays as it is, including `timestamp`, so that the same source
always gives the same tree.

The platform's model deployment action writes another `model_manifest.json`, with `model_filepath` and `model_md5_hash` of one file.
It is adapted in the same way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from algosync.core.error import SourceError
from algosync.core.lean import dataclass
from algosync.core.text import printable
from algosync.core.tree import Blob, Tree
from algosync.sources.data_file_uris import DataFileUris
from algosync.sources.manifest_document import (
    FILE_LISTS,
    ManifestDocument,
    deployed_file,
    entries_of,
    parse_manifest,
    with_deployed_file,
    write_manifest,
)
from algosync.sources.pins import Pin
from algosync.sources.placeholders import OWNER

__all__ = ["FREEZE", "MANIFEST", "PATHS", "AdaptedManifests", "adapt_manifests", "lock_checksum"]

MANIFEST = "model_manifest.json"
FREEZE = "model_manifest.json.freeze"
PATHS = frozenset({MANIFEST, FREEZE})

_LOCK = "lock_checksum"
_FREEZE_AGAIN = "freeze the manifest again (`algo freeze`) and put the result into the source"


@dataclass(frozen=True, slots=True)
class AdaptedManifests:
    """The manifests for the destination by path, and the pins of the manifest that the ADK uses."""

    blobs: Mapping[str, Blob]
    pins: tuple[Pin, ...]


def adapt_manifests(tree: Tree, uris: DataFileUris) -> AdaptedManifests:
    """The manifests of a source whose placeholders are not filled in yet. Empty if the source has none.

    A `model_manifest.json` that names no files belongs to another tool and is left out. SourceError: a manifest is invalid.
    """
    blobs: dict[str, Blob] = {}
    pins: tuple[Pin, ...] = ()
    for path in (MANIFEST, FREEZE):  # if both exist, the ADK uses the second
        blob = tree.get(path)
        if blob is None or blob.kind != "file":
            continue
        document = parse_manifest(blob.data, path)
        if path == MANIFEST and not any(name in document for name in FILE_LISTS) and deployed_file(document) is None:
            continue
        pins = tuple(_pins(document, path, uris))
        adapted = _adapted(document, path, uris)
        if path == FREEZE:
            adapted = _locked_again(document, adapted, uris)
        data = blob.data if adapted == document else write_manifest(adapted, blob.data)
        blobs[path] = Blob(data, blob.executable)
    return AdaptedManifests(blobs, pins)


def lock_checksum(document: Mapping[str, Any]) -> str:
    """The `lock_checksum` of a frozen manifest: the MD5 of Python's `str` of it, which depends on the order of its keys.

    `str` escapes characters that the interpreter's Unicode tables do not know. If these tables are newer than those of the ADK, a
    character that they added gives another checksum. The platform's own tool has the same flaw.
    """
    content = {name: value for name, value in document.items() if name != _LOCK}
    return hashlib.md5(str(content).encode(), usedforsecurity=False).hexdigest()


def _locked_again(document: ManifestDocument, adapted: ManifestDocument, uris: DataFileUris) -> ManifestDocument:
    """The adapted document with a new checksum. The original may have been frozen before `<user>` replaced an owner's name."""
    lock = document.get(_LOCK)
    if not isinstance(lock, str):
        raise SourceError(f"{FREEZE} has no {_LOCK}", hint=_FREEZE_AGAIN)
    owners = [owner for owner in (uris.source_owner, uris.owner) if owner is not None]
    if lock not in (lock_checksum(document), *(lock_checksum(_filled(document, owner)) for owner in owners)):
        found = f"its {_LOCK} is {printable(lock, 40)}, its content gives {lock_checksum(document)}"
        raise SourceError(f"{FREEZE} was changed after it was frozen: {found}", hint=_FREEZE_AGAIN)
    return {**adapted, _LOCK: lock_checksum(adapted)}


def _adapted(document: ManifestDocument, path: str, uris: DataFileUris) -> ManifestDocument:
    """The document with `<user>` filled in everywhere, as in every text file, and with the URIs of the destination."""
    adapted: ManifestDocument = _filled(document, uris.owner)
    if (deployed := deployed_file(document)) is not None:
        adapted = with_deployed_file(adapted, uris.at_destination(deployed[0]))
    for entry, before in zip(entries_of(adapted, path), entries_of(document, path), strict=True):
        entry["source_uri"] = uris.at_destination(before["source_uri"])
    return adapted


def _filled(value: Any, owner: str) -> Any:
    match value:
        case str():
            return value.replace(OWNER, owner)
        case list():
            return [_filled(item, owner) for item in value]
        case dict():
            return {_filled(name, owner): _filled(item, owner) for name, item in value.items()}
        case _:
            return value


def _pins(document: ManifestDocument, path: str, uris: DataFileUris) -> Iterator[Pin]:
    for entry in entries_of(document, path):
        file, md5 = uris.find(entry["source_uri"]), entry.get("md5_checksum")
        if file is not None and md5 is not None:
            yield Pin(path, entry["name"], file, md5, strict=entry.get("fail_on_tamper") is not False)
    uri, expected = deployed_file(document) or ("", None)
    deployed = uris.find(uri)
    if deployed is not None and expected is not None:
        yield Pin(path, "model_filepath", deployed, expected)
