"""Plan codec: the file of a saved plan as bytes and back. Pure.

The file begins with a line that names it and its format. After it come one line of JSON, the contents of local files one after
another, and a seal: the SHA-256 of every byte before it. So every flipped bit and every cut is detected. Nothing is compressed, so
that a search for a secret finds what is there.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import cast

from algosync.core.codec import encode_json, fields_of, parse_json, require_count, require_text
from algosync.core.error import Corrupt, NewerFormat, Stale
from algosync.core.planning.plan_file_start import MAGIC
from algosync.core.planning.plan_inputs import PlanFile, PlanInputs
from algosync.core.planning.saved_plan import SavedPlan
from algosync.core.resource import Json
from algosync.core.typed_json import from_json, to_json

__all__ = ["FORMAT_VERSION", "decode_plan", "encode_plan"]

FORMAT_VERSION = 2
_FIRST_LINE = re.compile(re.escape(MAGIC) + rb"([1-9][0-9]{0,8})\n")
_SEAL = b"\nsha256 "
_SEAL_LENGTH = len(_SEAL) + 64 + 1
_AGAIN = "make the plan again: algosync plan --out FILE"


def encode_plan(file: PlanFile) -> bytes:
    """The whole file. Equal plans give equal bytes."""
    contents = sorted(file.contents.items())
    document: Json = {
        "contents": [{"sha256": name, "size": len(data)} for name, data in contents],
        "inputs": to_json(file.inputs),
        "saved": to_json(file.saved),
    }
    line = encode_json(document).encode("ascii")
    body = b"".join([MAGIC, str(FORMAT_VERSION).encode(), b"\n", line, b"\n", *(data for _, data in contents)])
    return body + _seal(body)


def decode_plan(data: bytes) -> PlanFile:
    """The inverse of `encode_plan`. Corrupt: the file is damaged or cut. NewerFormat, Stale: it has another format."""
    first = _FIRST_LINE.match(data)
    if first is None:
        raise Corrupt("is damaged: it does not begin as a saved plan does", hint=_AGAIN)
    _require_format(int(first[1]))
    body = data[:-_SEAL_LENGTH]
    if len(body) < first.end() or data != body + _seal(body):
        raise Corrupt("is damaged or not complete: its checksum is not that of its content", hint=_AGAIN)
    line, separator, rest = body[first.end() :].partition(b"\n")
    if not separator:
        raise Corrupt("is damaged: it has no content", hint=_AGAIN)
    document = fields_of(parse_json(line), ("contents", "inputs", "saved"), "the saved plan")
    saved, inputs = from_json(SavedPlan, document["saved"], "saved"), from_json(PlanInputs, document["inputs"], "inputs")
    _require_file_name(inputs.workflow.name)
    _require_bound_header(saved)
    return PlanFile(saved, inputs, dict(_contents(document["contents"], rest)))


def _require_file_name(name: str) -> None:
    """Anybody can make a plan with a right checksum, and the workflow's text is written to a file of this name."""
    if name in ("", ".", "..") or not {"/", "\0"}.isdisjoint(name):
        raise Corrupt("is damaged: the workflow's name is not that of a file", hint=_AGAIN)


def _require_bound_header(saved: SavedPlan) -> None:
    """The clusters that `show` names are those that `apply` works on."""
    header, binding = saved.plan.header, saved.binding
    if (header.source, header.destination, header.owner) != (binding.source, binding.destination, binding.owner):
        raise Corrupt("is damaged: it shows other clusters than those it is bound to", hint=_AGAIN)


def _require_format(version: int) -> None:
    if version > FORMAT_VERSION:
        raise NewerFormat(
            f"was saved by a newer algosync: format {version}, this one reads {FORMAT_VERSION}",
            hint=f"upgrade algosync, or {_AGAIN}",
        )
    if version < FORMAT_VERSION:
        raise Stale(f"was saved by an older algosync: format {version}, this one reads {FORMAT_VERSION}", hint=_AGAIN)


def _contents(listed: Json, data: bytes) -> Iterator[tuple[str, bytes]]:
    place = 0
    for entry in cast("list[Json]", listed) if isinstance(listed, list) else ():
        fields: Mapping[str, Json] = fields_of(entry, ("sha256", "size"), "a content")
        end = place + require_count(fields["size"], "size")
        name, content = require_text(fields["sha256"], "sha256"), data[place:end]
        if hashlib.sha256(content).hexdigest() != name:
            raise Corrupt(f"is damaged: the content {json.dumps(name):.20} is another one", hint=_AGAIN)
        yield name, content
        place = end
    if place != len(data):
        raise Corrupt("is damaged: it has more content than it lists", hint=_AGAIN)


def _seal(body: bytes) -> bytes:
    return _SEAL + hashlib.sha256(body).hexdigest().encode("ascii") + b"\n"
