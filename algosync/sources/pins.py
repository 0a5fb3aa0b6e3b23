"""Pins: the data files that a model manifest refers to, with the MD5 it expects; and how a source record stores them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from algosync.core.address import Address
from algosync.core.resource import Json, digest_of
from algosync.core.workflow import AlgorithmSpec

__all__ = ["MD5", "Pin", "pins_from_json", "pins_to_json"]

MD5 = re.compile(r"[0-9a-f]{32}")
_FIELDS = ("path", "entry", "file", "md5", "strict")


@dataclass(frozen=True, slots=True)
class Pin:
    """The entry `entry` of the manifest at `path` expects the data file `file` to have this MD5 (hex).

    `strict`: the algorithm does not start with another file. Otherwise it starts, so a plan only warns.
    """

    path: str
    entry: str
    file: Address
    md5: str
    strict: bool = True


def pins_to_json(pins: Sequence[Pin], specs: Sequence[AlgorithmSpec]) -> Json:
    """The pins as a source record stores them, with a digest of the workflow's data files, which decide how URIs are adapted."""
    return {"pins": [_row(pin) for pin in pins], "shipped": _data_files_digest(specs)}


def pins_from_json(value: Json, specs: Sequence[AlgorithmSpec]) -> tuple[Pin, ...] | None:
    """The inverse of `pins_to_json`. None: the workflow's data files have changed, or the value is incomplete.

    A value is incomplete if the state's redaction of secrets has replaced a part of it, or if an older version wrote it.
    """
    rows = value.get("pins") if isinstance(value, Mapping) and value.get("shipped") == _data_files_digest(specs) else None
    if not isinstance(rows, Sequence):
        return None
    files = {str(address): address for address in (Address("data", s.name, f.name) for s in specs for f in s.data_files)}
    pins = tuple(pin for row in rows if (pin := _pin(row, files)))
    return pins if len(pins) == len(rows) else None


def _row(pin: Pin) -> Json:
    return {"path": pin.path, "entry": pin.entry, "file": str(pin.file), "md5": pin.md5, "strict": pin.strict}


def _pin(row: Json, files: Mapping[str, Address]) -> Pin | None:
    values = [row.get(name) for name in _FIELDS] if isinstance(row, Mapping) else []
    match values:
        case [str(path), str(entry), str(file), str(md5), bool(strict)] if file in files and MD5.fullmatch(md5):
            return Pin(path, entry, files[file], md5, strict)
        case _:
            return None


def _data_files_digest(specs: Sequence[AlgorithmSpec]) -> str:
    rows: list[Json] = [[spec.name, file.name, file.source] for spec in specs for file in spec.data_files]
    return digest_of(rows)
