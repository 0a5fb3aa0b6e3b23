"""Codec: translates State and Record to JSON and back.

The text is ASCII and deterministic: one line for each record, in the order of addresses. The last line is a seal, the SHA-256 of
every byte before it, so every flipped bit and every cut is detected. Unknown fields are refused, because they may change what a
record means: a change that adds a field also raises `FORMAT_VERSION`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

from algosync.core.address import Address
from algosync.core.error import Corrupt, NewerFormat
from algosync.core.json_document import read_json
from algosync.core.resource import NO_ATTRIBUTES, Json, Record
from algosync.core.state import State

__all__ = [
    "FORMAT_VERSION",
    "address_from_json",
    "decode_state",
    "encode_json",
    "encode_state",
    "fields_of",
    "parse_json",
    "record_from_json",
    "record_to_json",
    "require_count",
    "require_text",
    "require_version",
]

FORMAT_VERSION = 2
"""Format 2 added `private` to records, and the workflow file. Format 1 is read as well."""

_STATE_FIELDS = ("format_version", "lineage", "serial", "records", "sha256")
_FILE = "workflow_file"
_RECORD_FIELDS = ("attributes", "destination_stamp", "digest", "size", "source_stamp")
_OPTIONAL_RECORD_FIELDS = ("private",)
_TEXTS = {str, type(None)}
_USUAL_FIELDS = (frozenset(_RECORD_FIELDS), frozenset((*_RECORD_FIELDS, *_OPTIONAL_RECORD_FIELDS)))


def encode_state(state: State) -> bytes:
    """The bytes of a state file. Equal states give equal bytes. ValueError, TypeError: an attribute is not JSON."""
    rows = sorted(((a.algorithm, str(a), record) for a, record in state.records.items()), key=lambda row: row[:2])
    lines = [f"    {encode_json(text)}: {encode_json(record_to_json(record))}" for _, text, record in rows]
    records = "{\n" + ",\n".join(lines) + "\n  }" if lines else "{}"
    file = "" if state.file is None else f'  "{_FILE}": {encode_json(state.file)},\n'
    body = (
        f'{{\n  "format_version": {FORMAT_VERSION},\n  "lineage": {encode_json(state.lineage)},\n'
        f'  "serial": {state.serial},\n{file}  "records": {records}'
    ).encode("ascii")
    return body + _seal(body)


def decode_state(data: bytes) -> State:
    """The inverse of `encode_state`. Corrupt: the data is damaged, from a newer version, or not a state."""
    document = parse_json(data)
    require_version(document)  # first, because another version may have another seal
    body = data[: -len(_seal(b""))]
    if data != body + _seal(body):
        raise Corrupt("is damaged: its checksum is not that of its content")
    fields = fields_of(document, _STATE_FIELDS, "the state", optional=(_FILE,))
    lineage = require_text(fields["lineage"], "lineage")
    serial = require_count(fields["serial"], "serial")
    if not isinstance(fields["records"], dict):
        raise Corrupt("is damaged: records is not an object")
    records = [record_from_json(text, value) for text, value in fields["records"].items()]
    file = require_text(fields[_FILE], _FILE) if _FILE in fields else None
    return State(lineage, serial, {record.address: record for record in records}, file)


def record_to_json(record: Record) -> dict[str, Json]:
    """Everything of a record except its address."""
    private: dict[str, Json] = {"private": record.private} if record.private else {}
    return {
        "attributes": record.attributes,
        "destination_stamp": record.destination_stamp,
        "digest": record.digest,
        **private,
        "size": record.size,
        "source_stamp": record.source_stamp,
    }


def record_from_json(address: str, value: Json) -> Record:
    """The inverse of `record_to_json`. Corrupt: the value is not a record, lacks a field, or has an unknown one."""
    if not isinstance(value, dict) or value.keys() not in _USUAL_FIELDS:
        fields_of(value, _RECORD_FIELDS, address, optional=_OPTIONAL_RECORD_FIELDS)  # tells what is wrong
    fields = cast("dict[str, Any]", value)
    attributes, private = fields["attributes"], fields.get("private", {})
    if not isinstance(attributes, dict) or not isinstance(private, dict):
        raise Corrupt(f"is damaged: the attributes of {address} are not an object")
    digest, source, destination, size = fields["digest"], fields["source_stamp"], fields["destination_stamp"], fields["size"]
    texts = {type(digest), type(source), type(destination)}
    if digest is None or not texts <= _TEXTS or not (size is None or (type(size) is int and size >= 0)):
        _require_values(address, fields)
    kept = MappingProxyType(attributes) if attributes else NO_ATTRIBUTES
    return Record(address_from_json(address), digest, source, destination, size, kept, private)


def _require_values(address: str, value: Mapping[str, Json]) -> None:
    """Corrupt: a value of a record has another type. Its messages are made only then: a state has tens of thousands of records."""
    require_text(value["digest"], f"digest of {address}")
    _text_or_none(value["source_stamp"], f"source_stamp of {address}")
    _text_or_none(value["destination_stamp"], f"destination_stamp of {address}")
    if value["size"] is not None:
        require_count(value["size"], f"size of {address}")


def address_from_json(value: Json) -> Address:
    """An address in its canonical spelling. Corrupt: any other, because two spellings would be two records of one resource."""
    text = require_text(value, "an address")
    try:
        address = Address.parse(text)
    except ValueError as error:
        raise Corrupt(f"is damaged: {error}") from error
    if str(address) != text:
        raise Corrupt(f"is damaged: {text!r} is not how {address} is written")
    return address


def parse_json(data: bytes) -> Json:
    """A JSON document in UTF-8, without duplicate names, with finite numbers. Corrupt: anything else."""
    try:
        return read_json(data.decode("utf-8"))
    except ValueError as error:
        raise Corrupt(f"is damaged: not JSON ({error})") from error


def require_version(document: Json, newest: int = FORMAT_VERSION) -> None:
    """NewerFormat: the document has a newer format than `newest`. Corrupt: it names none."""
    version = document.get("format_version") if isinstance(document, dict) else None
    if isinstance(version, bool) or not isinstance(version, int):
        raise Corrupt("is damaged: it has no format_version")
    if version > newest:
        raise NewerFormat(
            f"was written by a newer algosync: format {version}, this one reads {newest}",
            hint="Upgrade algosync.",
        )
    if version < 1:
        raise Corrupt(f"is damaged: there never was a format {version}")


def fields_of(value: Json, names: tuple[str, ...], what: str, optional: tuple[str, ...] = ()) -> Mapping[str, Json]:
    """The members of an object with exactly these fields, and perhaps the optional ones. Corrupt: anything else."""
    if not isinstance(value, dict):
        raise Corrupt(f"is damaged: {what} is not an object")
    if odd := sorted((value.keys() - set(optional)) ^ set(names)):
        missing = "lacks" if odd[0] in names else "has an unknown field"
        raise Corrupt(f"is damaged: {what} {missing} {odd[0]!r:.60}")
    return value


def require_text(value: Json, what: str) -> str:
    if not isinstance(value, str):
        raise Corrupt(f"is damaged: {what} is not a text")
    return value


def require_count(value: Json, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Corrupt(f"is damaged: {what} is not a count")
    return value


def _text_or_none(value: Json, what: str) -> str | None:
    return None if value is None else require_text(value, what)


def _seal(body: bytes) -> bytes:
    return f',\n  "sha256": "{hashlib.sha256(body).hexdigest()}"\n}}\n'.encode("ascii")


def _plain(value: object) -> dict[Any, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a state cannot hold a {type(value).__name__}")


# One line of ASCII, so that no text in a record can move a terminal's cursor. Equal values give equal text.
encode_json = json.JSONEncoder(sort_keys=True, separators=(", ", ": "), allow_nan=False, default=_plain).encode
