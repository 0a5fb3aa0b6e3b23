"""Model manifests: the data files that an algorithm's ADK loads, and the bytes it expects in them (PLATFORM.md §7).

`model_manifest.json` at the top of a repository names the files by URI. Its `.freeze`, which the ADK prefers, adds an MD5 for each
file and a `lock_checksum` over itself; the ADK does not start beside one that does not match. Both have to follow their files to
another cluster. The rest of a manifest stays as it is, its `timestamp` too, so that the same source always gives the same tree.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from algosync.core.address import Address
from algosync.core.error import SourceError
from algosync.core.json_document import TooDeep, read_json
from algosync.core.text import printable
from algosync.core.tree import Blob, Tree
from algosync.core.workflow import AlgorithmSpec

__all__ = ["FREEZE", "MANIFEST", "NONE", "PATHS", "Fitted", "Pin", "Places", "fit", "lock_of", "places"]

MANIFEST = "model_manifest.json"
FREEZE = "model_manifest.json.freeze"
PATHS = frozenset({MANIFEST, FREEZE})

_LISTS = ("required_files", "optional_files")
_LOCK = "lock_checksum"
_LARGEST = 1 << 20  # bytes; a manifest has a few hundred for each file
_DEEPEST = 50
_AGAIN = "freeze the manifest again (`algo freeze`) and put the result into the source"

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pin:
    """The entry `entry` of the manifest at `path` wants the data file `file` to have this MD5 (hex)."""

    path: str
    entry: str
    file: Address
    md5: str


@dataclass(frozen=True, slots=True)
class Fitted:
    """Manifests as the destination shall have them, by path, and the pins of the one that the ADK goes by."""

    blobs: Mapping[str, Blob]
    pins: tuple[Pin, ...]


NONE = Fitted({}, ())


@dataclass(frozen=True, slots=True)
class Places:
    """Where a workflow's data files come from and go to, as one algorithm sees them. `owner` is the destination's.

    `sources` and `targets` have each file's URI on either side, with an owner's name instead of `.my` where that is known.
    """

    owner: str
    algorithm: str
    source_owner: str | None
    sources: Mapping[str, Address]
    targets: Mapping[str, Address]

    def find(self, uri: str) -> Address | None:
        """The data file that a manifest's URI means. None: none of this workflow.

        One with a placeholder means the destination, and `.my` in it the owner there, as in a payload. Any other is looked for at
        the source first; `.my` is the owner of the source's key then.
        """
        if (filled := self.fill(uri)) != uri:
            return self.targets.get(_named(filled, self.owner))
        return self.sources.get(_named(uri, self.source_owner)) or self.targets.get(uri)

    def fill(self, uri: str) -> str:
        return uri.replace("<user>", self.owner).replace("<algo>", self.algorithm)

    def moved(self, uri: str) -> str:
        """The URI at the destination; one that points elsewhere stays."""
        file = self.find(uri)
        return self.fill(uri) if file is None else _target(file, self.owner)


def places(specs: Sequence[AlgorithmSpec], owner: str, source_owner: str | None) -> Places:
    """As the first of the algorithms sees them: of a file that several ship, it is the first one's copy that counts."""
    shipped = [(f.source, Address("data", s.name, f.name)) for s in specs for f in s.data_files]
    sources: dict[str, Address] = {}
    for source, address in shipped:
        sources.setdefault(_named(source, source_owner), address)
    return Places(owner, specs[0].name, source_owner, sources, {_target(address, owner): address for _, address in shipped})


def fit(tree: Tree, where: Places) -> Fitted:
    """The manifests of a source whose placeholders are not filled in yet; of none, nothing.

    An unfrozen manifest without lists of files is some other tool's and is left out. SourceError: one cannot be used as it is.
    """
    blobs: dict[str, Blob] = {}
    pins: tuple[Pin, ...] = ()
    for path in (MANIFEST, FREEZE):  # the last one's pins count
        blob = tree.get(path)
        if blob is None or blob.kind != "file":
            continue
        document = _parse(blob.data, path)
        if path == MANIFEST and not any(name in document for name in _LISTS):
            continue
        pins = tuple(_pins(document, path, where))
        fitted = _fitted(document, path, where)
        if path == FREEZE:
            fitted = _frozen(document, fitted, where)
        data = blob.data if fitted == document else _text(fitted, blob.data)
        blobs[path] = Blob(data, blob.executable)
    return Fitted(blobs, pins)


def lock_of(document: Mapping[str, Any]) -> str:
    """The `lock_checksum` of a frozen manifest: MD5 over Python's own text of it, so the order of its keys counts.

    That text shows a character as such only if Python's Unicode tables know it: where they are newer than those of the ADK,
    a character that they added gives another checksum. The platform's own tool has the same flaw.
    """
    content = {name: value for name, value in document.items() if name != _LOCK}
    return hashlib.md5(str(content).encode(), usedforsecurity=False).hexdigest()


def _frozen(document: Document, fitted: Document, where: Places) -> Document:
    """With the lock made anew. It may have been frozen with the owner's name where `<user>` stands now."""
    lock = document.get(_LOCK)
    if not isinstance(lock, str):
        raise SourceError(f"{FREEZE} has no {_LOCK}", hint=_AGAIN)
    owners = [owner for owner in (where.source_owner, where.owner) if owner is not None]
    if lock not in (lock_of(document), *(lock_of(_filled(document, owner)) for owner in owners)):
        found = f"its {_LOCK} is {printable(lock, 40)}, its content gives {lock_of(document)}"
        raise SourceError(f"{FREEZE} was changed after it was frozen: {found}", hint=_AGAIN)
    return {**fitted, _LOCK: lock_of(fitted)}


def _fitted(document: Document, path: str, where: Places) -> Document:
    """`<user>` filled in everywhere, as in every text of a source; URIs moved."""
    fitted: Document = _filled(document, where.owner)
    for entry, before in zip(_entries(fitted, path), _entries(document, path), strict=True):
        entry["source_uri"] = where.moved(before["source_uri"])
    return fitted


def _filled(value: Any, owner: str) -> Any:
    match value:
        case str():
            return value.replace("<user>", owner)
        case list():
            return [_filled(item, owner) for item in value]
        case dict():
            return {_filled(name, owner): _filled(item, owner) for name, item in value.items()}
        case _:
            return value


def _pins(document: Document, path: str, where: Places) -> Iterator[Pin]:
    for entry in _entries(document, path):
        file, md5 = where.find(entry["source_uri"]), entry.get("md5_checksum")
        if file is not None and md5 is not None:
            yield Pin(path, entry["name"], file, md5)


def _entries(document: Document, path: str) -> Iterator[Document]:
    """Every file's entry. SourceError: one has not the shape that the ADK reads."""
    for name in _LISTS:
        entries = document.get(name, [])
        if not isinstance(entries, list):
            raise SourceError(f"{path}: {name} is not a list")
        for number, entry in enumerate(entries):
            if not isinstance(entry, dict) or not all(isinstance(entry.get(key), str) for key in ("name", "source_uri")):
                raise SourceError(f"{path}: {name}[{number}] is not an object with the texts name and source_uri")
            if not isinstance(entry.get("md5_checksum"), (str, type(None))):
                raise SourceError(f"{path}: md5_checksum of {name}[{number}] is not a text")
            yield entry


def _parse(data: bytes, path: str) -> Document:
    """One JSON object, as the ADK would read it. SourceError: anything else, or nothing that a person would write."""
    if len(data) > _LARGEST:
        raise SourceError(f"{path} is too large for a manifest: {len(data)} bytes")
    try:
        document = read_json(data.decode(), finite=False, deepest=_DEEPEST)  # Python's reader, and so the ADK, takes NaN
        json.dumps(document, ensure_ascii=False).encode()  # a checksum cannot be made of half a surrogate pair
    except TooDeep:
        raise SourceError(f"{path} is nested too deep") from None
    except ValueError as error:
        raise SourceError(f"{path} is not JSON: {printable(str(error), 200)}") from None
    if not isinstance(document, dict):
        raise SourceError(f"{path} is not a JSON object")
    return document


def _text(document: Document, like: bytes) -> bytes:
    """ASCII, so that no locale of the ADK's reads it otherwise; on lines where the original is."""
    if b"\n" not in like.strip():
        return json.dumps(document).encode()
    return json.dumps(document, indent=2).encode() + b"\n"


def _named(uri: str, owner: str | None) -> str:
    return uri if owner is None or not uri.startswith("data://.my/") else f"data://{owner}/{uri.removeprefix('data://.my/')}"


def _target(file: Address, owner: str) -> str:
    return f"data://{owner}/{file.algorithm}/{file.name}"
