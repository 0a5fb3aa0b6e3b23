"""Resource: one thing as one side shows it, and its record: its state when it was last applied.

The platform has no checksums. So a resource has a *stamp*, which can only be compared with an older stamp of the same side, and a
*digest* of its content, which can be compared across sides but costs reading the bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from types import MappingProxyType
from typing import Any, TypeAlias, Union

from algosync.core.address import Address
from algosync.core.lean import dataclass

__all__ = [
    "NO_ATTRIBUTES",
    "READ_NOW",
    "RECORDED",
    "SENSITIVE",
    "Json",
    "KindTraits",
    "Record",
    "Resource",
    "Snapshot",
    "canonical_json",
    "digest_of",
    "digest_of_text",
]

Json: TypeAlias = Union[bool, int, float, str, "Sequence[Json]", "Mapping[str, Json]", None]

NO_ATTRIBUTES: Mapping[str, Json] = MappingProxyType({})
"""One for all: a plan has tens of thousands of resources without attributes."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource on one side.

    `stamp`: changes whenever the resource changes; None: there is no such stamp yet. `digest`: None until the bytes were read.
    `size`: in bytes; None: the kind has no size. `attributes`: what people are shown. `notes`: sentences that a plan shows, whether
    the resource changes or not. `private`: what its record is to remember from now on; None: what it remembers already.
    `digest_from`: where the digest comes from, for people; empty: it is computed from the attributes.
    """

    address: Address
    attributes: Mapping[str, Json] = field(default_factory=lambda: NO_ATTRIBUTES)
    stamp: str | None = None
    digest: str | None = None
    size: int | None = None
    notes: tuple[str, ...] = ()
    private: Mapping[str, Json] | None = None
    digest_from: str = field(default="", compare=False)


READ_NOW = "read now"
RECORDED = "record"
"""Where a digest comes from: the bytes were read for it, or a record has it and the stamp proves it."""

SENSITIVE = "sensitive"
"""The digest of a record whose attributes contain a sensitive value: a digest without a secret salt can be guessed."""


@dataclass(frozen=True, slots=True)
class Record:
    """The stamps of both sides and the content, recorded when the resource last matched the workflow.

    `destination_stamp` is None if the destination has to be read again. `digest` is SENSITIVE if only the attributes
    without `***` can be compared. `private`: what the kind remembers for its own use. It is neither compared nor shown, and is
    kept when nothing but the record changes. Texts from users in it have no secrets.
    """

    address: Address
    digest: str
    source_stamp: str | None
    destination_stamp: str | None
    size: int | None = None
    attributes: Mapping[str, Json] = field(default_factory=lambda: NO_ATTRIBUTES)
    private: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KindTraits:
    """The properties of a kind that planning and recording use, so that no other module depends on the names of kinds.

    `needs`: kinds of the same algorithm that a resource of this kind is built on. `--target` includes them.
    `renewed_by`: kinds of the same algorithm whose changes also update a resource of this kind. `replaceable`: it can be written
    again although it is equal.

    `is_file`: each resource is a data file. Plans count its bytes, and it has no versions: overwriting it takes effect at once.
    `publishes`: the resource is the published version. The algorithm's payload tests the new version before it is published.
    `deleted_with`: the kind of the same algorithm whose deletion also deletes it. It cannot be deleted alone.
    `stamps_from`: where the stamps of the source and of the destination come from, for people.
    `ignorable`: the attributes whose differences a workflow may ignore, with their names in its rules.
    `read_back`: the attributes that the kind reads from its records. A record keeps their exact values or leaves them out.
    """

    needs: frozenset[str] = frozenset()
    renewed_by: frozenset[str] = frozenset()
    replaceable: bool = False
    is_file: bool = False
    publishes: bool = False
    deleted_with: str | None = None
    read_back: frozenset[str] = frozenset()
    ignorable: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    stamps_from: tuple[str, str] = ("listing", "listing")


Snapshot: TypeAlias = Mapping[Address, Resource]


def _canonical(form: Callable[[Any], object]) -> Callable[[object], str]:
    return json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=form).encode


_plain_text = _canonical(dict)  # making an encoder takes as long as writing a short text


def canonical_json(value: object, form: Callable[[object], object]) -> str:
    """The canonical JSON text of a value. `form`: the next level of JSON of what JSON does not have, such as a dataclass."""
    return _canonical(form)(value)


def digest_of_text(text: str) -> str:
    """SHA-256 (hex) of a canonical JSON text."""
    return hashlib.sha256(text.encode()).hexdigest()


def digest_of(value: Json) -> str:
    """SHA-256 (hex) of the canonical JSON text of a value."""
    return digest_of_text(_plain_text(value))
