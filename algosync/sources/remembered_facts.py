"""What plans know of local source folders and data files, remembered on this machine: what has not changed is not read again.

The memory is a file in the user's cache, and only a short cut: an entry counts if the stamp of the folder or file is the same.
Without the memory, or with a damaged one, they are read.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from algosync.cluster.blob_cache import user_cache
from algosync.core.lean import dataclass

__all__ = ["RememberedFacts", "SourceFacts", "memory_of"]

_FORMAT = 1
_LARGEST = 16 << 20  # bytes of one file
_MOST_FILES = 100
_OWN_NAME = r"[0-9a-f]{32}\.json|incoming-.*"
_DIGEST = r"[0-9a-f]{64}"


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What a plan has to know of a source that does not change: the git id of its tree, its paths, the blob ids of files that may
    leave, the collections that it reads, notes, and whether it has a model manifest.
    """

    id: str
    paths: Sequence[str]
    blobs: Mapping[str, str]
    reads: Mapping[str, Sequence[str]]
    notes: Sequence[str]
    has_manifest: bool = False


Facts = Mapping[str, tuple[str, SourceFacts]]  # by a name, with a key
Digests = Mapping[str, str]  # SHA-256 (hex) of data files by their stamps


class RememberedFacts:
    """The facts of source folders by a name. Safe to use from several threads. Without a file nothing is remembered."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._known, self._saved_digests = ({}, {}) if file is None else _read(file)
        self._known_digests = dict(self._saved_digests)
        self._now: dict[str, tuple[str, SourceFacts]] = {}
        self._digests: dict[str, str] = {}

    @property
    def is_kept(self) -> bool:
        return self._file is not None

    def find(self, name: str, key: str) -> SourceFacts | None:
        """The facts that were noted with this key. None: there are none, or the last ones had another key."""
        found = self._known.get(name)
        if found is None or found[0] != key:
            return None
        self._now[name] = found
        return found[1]

    def note(self, name: str, key: str, facts: SourceFacts) -> None:
        self._now[name] = (key, facts)

    def find_digest(self, stamp: str) -> str | None:
        """The SHA-256 (hex) of the data file with this stamp, which names the file. None: it was not noted."""
        found = self._known_digests.get(stamp)
        if found is not None:
            self._digests[stamp] = found
        return found

    def note_digest(self, stamp: str, digest: str) -> None:
        self._digests[stamp] = digest

    def forget_digest(self, stamp: str) -> None:
        """The data file with this stamp turned out to have other bytes."""
        for digests in (self._digests, self._known_digests):
            digests.pop(stamp, None)

    def save(self) -> None:
        """Write what was found and noted, if something is new. After a failure the next plan reads the files again.

        Digests that this command did not need are forgotten if there are new ones: they are those of earlier files.
        """
        merged = {**self._known, **self._now}
        digests = self._digests if self._digests.keys() - self._known_digests.keys() else self._known_digests
        if self._file is None or (merged == self._known and digests == self._saved_digests):
            return
        none: Digests = {}
        contents = ((merged, digests), (self._now, digests), (merged, none), (self._now, none))
        text = next((text for each in contents if len(text := _text_of(*each)) <= _LARGEST), None)
        if text is not None:
            with suppress(OSError):
                _write(self._file, text)


def memory_of(workflow: Path) -> Path:
    """The file for the workflows in a folder, in the user's cache."""
    name = hashlib.sha256(os.fsencode(os.path.realpath(workflow))).hexdigest()[:32]
    return user_cache() / "sources" / f"{name}.json"


def _text_of(entries: Facts, digests: Digests) -> bytes:
    document = {name: [key, asdict(facts)] for name, (key, facts) in entries.items()}
    return json.dumps({"format": _FORMAT, "entries": document, "digests": digests}).encode()


def _read(file: Path) -> tuple[Facts, Digests]:
    """Empty if the file is missing, damaged, too large, or not this user's own."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as opened:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
                return {}, {}
            document = json.loads(opened.read(_LARGEST + 1))
        if document["format"] != _FORMAT:
            return {}, {}
        digests = {stamp: _text(digest) for stamp, digest in _members(document.get("digests", {})).items()}
        facts = {str(name): (str(key), _facts(value)) for name, (key, value) in document["entries"].items()}
        return facts, {stamp: digest for stamp, digest in digests.items() if re.fullmatch(_DIGEST, digest)}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}, {}


def _facts(value: dict[str, object]) -> SourceFacts:
    """Raises ValueError, TypeError or KeyError if a value has another form."""
    reads = {name: _texts(names) for name, names in _members(value["reads"]).items()}
    blobs = {name: _text(number) for name, number in _members(value["blobs"]).items()}
    return SourceFacts(_text(value["id"]), _texts(value["paths"]), blobs, reads, _texts(value["notes"]))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _texts(value: object) -> list[str]:
    if not isinstance(value, list):
        raise TypeError
    return list(map(_text, value))


def _members(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise TypeError
    return value


def _write(file: Path, text: bytes) -> None:
    """Replace the file as a whole, readable for its owner only, and remove the oldest ones beyond a hundred.

    PermissionError: others can write to the folder, or have made it.
    """
    for folder in (file.parent.parent, file.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        _require_own(folder)
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix="incoming-")  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(text)
        os.replace(name, file)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
    known = [each for each in file.parent.iterdir() if re.fullmatch(_OWN_NAME, each.name)]
    for each in sorted(known, key=lambda path: path.stat().st_mtime)[:-_MOST_FILES]:
        each.unlink()


def _require_own(folder: Path) -> None:
    """A folder in a place that others can write to may be their link to another one, in which files would be removed."""
    link, status = os.lstat(folder), os.stat(folder)
    if not link.st_uid == status.st_uid == os.geteuid() or status.st_mode & 0o022:
        raise PermissionError(f"others can write to {folder}")
