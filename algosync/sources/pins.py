"""Pins: the data files that a model manifest refers to, with the MD5 it expects; and how a source record stores them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from algosync.core.address import Address
from algosync.core.lean import dataclass
from algosync.core.resource import Json

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


def pins_to_json(pins: Sequence[Pin], data_files: str) -> Json:
    """The pins as a source record stores them. `data_files`: the digest of the workflow's data files, which decide how URIs are
    adapted.
    """
    return {"pins": [_row(pin) for pin in pins], "shipped": data_files}


def pins_from_json(value: Json, data_files: str, named: Mapping[str, Address]) -> tuple[Pin, ...] | None:
    """The inverse of `pins_to_json`. None: the workflow's data files have changed, or the value is incomplete.

    A value is incomplete if the state's redaction of secrets has replaced a part of it, or if an older version wrote it.
    `named`: the workflow's data files by the text of their addresses.
    """
    rows = value.get("pins") if isinstance(value, Mapping) and value.get("shipped") == data_files else None
    if not isinstance(rows, Sequence):
        return None
    pins = tuple(pin for row in rows if (pin := _pin(row, named)))
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
