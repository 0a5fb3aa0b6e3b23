"""Results document: the document beside a state, of independent sections. Each section has a module of its own."""

from __future__ import annotations

from collections.abc import Mapping

from algosync.core.codec import encode_json, parse_json
from algosync.core.error import Corrupt, StateError
from algosync.core.resource import Json

__all__ = ["decode_document", "encode_document"]

_FORMAT_VERSION = 1


def encode_document(document: Mapping[str, Json]) -> bytes:
    """The bytes of the document. Earlier versions need the section `tests`, so it is always there."""
    return (encode_json({"tests": {}, **document, "format_version": _FORMAT_VERSION}) + "\n").encode("ascii")


def decode_document(data: bytes) -> Mapping[str, Json]:
    """The document by its members, unchecked. Corrupt: it is damaged. StateError: a newer version wrote it in another format."""
    document = parse_json(data)
    version = document.get("format_version") if isinstance(document, dict) else None
    if isinstance(version, bool) or not isinstance(document, dict) or not isinstance(version, int) or version < _FORMAT_VERSION:
        raise Corrupt("is damaged: it has no format_version")
    if version > _FORMAT_VERSION:
        raise StateError(f"was written by a newer algosync: format {version}, this one reads {_FORMAT_VERSION}")
    return document
