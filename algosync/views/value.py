"""Values and their differences as text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from algosync.core.address import Address
from algosync.core.lean import dataclass
from algosync.core.redaction import Word
from algosync.core.resource import Json, Resource
from algosync.core.text import printable, size

__all__ = [
    "FORMAT_VERSION",
    "UNKNOWN",
    "Difference",
    "Redact",
    "differences",
    "redacted",
    "redacted_address",
    "redacted_name",
    "shown",
]

FORMAT_VERSION = Word("1.0")  # of the JSON documents
UNKNOWN = Word("(known after apply)")
NOT_READ = Word("(not read)")
Redact: TypeAlias = Callable[[str], str]
_HIDDEN = frozenset({"blobs", "paths", "reads"})  # attributes that only the record needs


@dataclass(frozen=True, slots=True)
class Difference:
    """One line of a change. None: that side does not have it."""

    name: str
    before: str | None
    after: str | None


def shown(value: Json) -> str:
    """A value as JSON text on one printable line. It is whole, because secrets must be redacted before it is cut."""
    return printable(json.dumps(value, ensure_ascii=False, default=dict))


def redacted_address(address: Address, redact: Redact) -> str:
    """An address whose names are redacted. Its kind is a word of algosync."""
    return str(Address(address.kind, redact(address.algorithm), None if address.name is None else redact(address.name)))


def redacted_name(name: str, redact: Redact) -> str:
    """The name of a difference. The attribute's name is a word of algosync; the path inside its value is not."""
    attribute, dot, path = name.partition(".")
    return f"{attribute}{dot}{redact(path)}"


def redacted(side: str | None, redact: Redact) -> str | None:
    """One side of a difference. Its own words, such as a size, stay."""
    return side if side is None or isinstance(side, Word) else redact(side)


def differences(before: Resource | None, after: Resource | None, unknown: str = NOT_READ) -> list[Difference]:
    """The differences between two sides of a resource, by name. None: that side does not have the resource.

    `unknown`: the text for the digest of `after` if it was not read.
    """
    found = [*_attributes(before, after), *_content(before, after, unknown)]
    return sorted(found, key=lambda d: d.name)


def _attributes(before: Resource | None, after: Resource | None) -> Iterable[Difference]:
    old, new = _visible(before), _visible(after)
    if before is None or after is None:
        for name in sorted({*old, *new}):
            yield Difference(name, _or_none(old, name), _or_none(new, name))
    elif old != new:
        yield from _named({n: old[n] for n in old if n in new}, {n: new[n] for n in new if n in old})


def _named(old: Mapping[str, Json], new: Mapping[str, Json]) -> Iterable[Difference]:
    """The paths of the differences inside values. deepdiff is slow, so it is only asked if there are any."""
    if old == new:
        return
    from deepdiff import DeepDiff

    for entry in (item for items in DeepDiff(dict(old), dict(new), view="tree").values() for item in items):
        path = ".".join(str(part) for part in entry.path(output_format="list"))
        before = None if type(entry.t1).__name__ == "NotPresent" else shown(entry.t1)
        after = None if type(entry.t2).__name__ == "NotPresent" else shown(entry.t2)
        yield Difference(printable(path), before, after)


def _content(before: Resource | None, after: Resource | None, unknown: str) -> Iterable[Difference]:
    """Digest and size, if the kind has a size."""
    if not any(side is not None and side.size is not None for side in (before, after)):
        return
    yield Difference("sha256", _digest(before, NOT_READ), _digest(after, unknown))
    yield Difference("size", _size(before), _size(after))


def _visible(side: Resource | None) -> Mapping[str, Json]:
    return {} if side is None else {name: value for name, value in side.attributes.items() if name not in _HIDDEN}


def _or_none(values: Mapping[str, Json], name: str) -> str | None:
    return shown(values[name]) if name in values else None


def _digest(side: Resource | None, unknown: str) -> str | None:
    if side is None:
        return None
    return unknown if side.digest is None else Word(f'"{side.digest[:12]}…"')


def _size(side: Resource | None) -> str | None:
    return None if side is None or side.size is None else Word(size(side.size))
