"""Baseline: the file of an accepted answer, written such that a diff of two of them reads well."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from dataclasses import asdict
from typing import Any

from algosync.answers.exact_json import NotJson, Value, read_exact, read_marked, unmarked
from algosync.answers.subject import Subject
from algosync.core.lean import dataclass
from algosync.core.testing.answer import Answer
from algosync.core.testing.timing import Timing

__all__ = ["Accepted", "NotBaseline", "accepted", "digest", "read_baseline"]

_FORMAT_VERSION = 1
_HIDDEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_MEASURES = ("cold", "p50", "p95", "p99", "max", "total")


class NotBaseline(ValueError):
    """The text is no baseline. The message continues the words "the file"."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a baseline says. `value`: of a JSON or text answer; a binary one has `sha256` and `size` instead.

    `timing`: of the run whose answer was accepted; None if it was not measured.
    """

    content_type: str
    value: Value = None
    sha256: str = ""
    size: int = 0
    timing: Timing | None = None


def accepted(answer: Answer, timing: Timing | None = None) -> str:
    """The text of a baseline file: sorted, one member or element a line, numbers with the digits that were sent.

    ValueError: the call failed, or the answer is no JSON; such an answer cannot be accepted.
    """
    if answer.failure is not None:
        raise ValueError("the call failed, so there is no answer to accept")
    document = {"format_version": _FORMAT_VERSION, "content_type": answer.content_type, **_content(answer)}
    if timing is not None:
        document["timing"] = {**asdict(timing), "distribution": [list(bucket) for bucket in timing.distribution]}
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, indent=2)
    return unmarked(_NOT_ASCII.sub(lambda found: _shown(found[0]), text)) + "\n"


def read_baseline(text: str) -> Accepted:
    """The inverse of `accepted`. NotBaseline: it did not write this text."""
    try:
        document = read_exact(text)
    except NotJson as error:
        raise NotBaseline(f"is {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("format_version"), int):
        raise NotBaseline("is no baseline: it has no format_version")
    if document["format_version"] != _FORMAT_VERSION:
        raise NotBaseline(f"is a baseline of another format than {_FORMAT_VERSION}")
    try:
        return _accepted(document)
    except (KeyError, TypeError, ValueError):
        raise NotBaseline("is a damaged baseline") from None


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _content(answer: Answer) -> dict[str, Any]:
    if answer.content_type == "binary":
        return {"sha256": digest(answer.body), "size": len(answer.body)}
    text = Subject(answer).text
    if answer.content_type == "text":
        return {"text": text.splitlines(keepends=True)}
    read_exact(text)  # refuses what `judge` could not compare
    return {"answer": read_marked(text)}


def _accepted(document: dict[str, Any]) -> Accepted:
    kind, timing = document["content_type"], document.get("timing")
    measured = None if timing is None else _timing(timing)
    match kind:
        case "binary":
            return Accepted(kind, sha256=str(document["sha256"]), size=int(document["size"]), timing=measured)
        case "text":
            return Accepted(kind, "".join(document["text"]), timing=measured)
        case "json":
            return Accepted(kind, document["answer"], timing=measured)
        case _:
            raise ValueError


def _timing(members: dict[str, Any]) -> Timing:
    seconds = {name: float(members[name]) for name in _MEASURES}
    buckets = tuple((float(bound), int(count)) for bound, count in members["distribution"])
    return Timing(calls=int(members["calls"]), errors=int(members["errors"]), distribution=buckets, **seconds)


def _shown(character: str) -> str:
    r"""A character that does not show, or is half of a pair, is written as `\u200b`. Others stay, in their form."""
    if unicodedata.category(character) not in _HIDDEN:
        return character
    return json.dumps(character)[1:-1]
