"""Faults of expectations: what no answer can meet, or what cannot be read."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import attrgetter
from types import MappingProxyType

from algosync.answers.baseline import NotBaseline, read_baseline
from algosync.answers.condition import condition_faults
from algosync.answers.exact_json import NotJson, read_exact
from algosync.answers.pattern import pattern_fault
from algosync.answers.selection import InvalidPath, compiled
from algosync.core.testing.case import Expectation
from algosync.core.testing.expectation import ExpectationFault

__all__ = ["CONTENT_TYPES", "ExpectationFault", "faults"]

CONTENT_TYPES = ("json", "text", "binary")

_OF_ANSWERS = ("content_type", "equals", "contains", "match", "schema", "baseline", "sha256", "size")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


def faults(expect: Expectation) -> Sequence[ExpectationFault]:
    """All faults, in the order of the keys. Imports what it needs for the keys that are given, and starts no process."""
    return [
        ExpectationFault(key, item, message)
        for (key, check), value, default in zip(_CHECKS.items(), _CHECKED(expect), _NOT_GIVEN, strict=True)
        if value is not default and value not in (None, ())
        for item, message in check(expect)
    ]


Found = Iterator["tuple[str | int | None, str]"]


def _error(expect: Expectation) -> Found:
    yield from _pattern(None, expect.error or "")
    if others := [name for name in _OF_ANSWERS if getattr(expect, name) not in (None, ())]:
        yield None, f"cannot be expected together with `{others[0]}`: a call that fails has no answer"


def _printed(expect: Expectation) -> Found:
    for at, pattern in enumerate(expect.printed):
        yield from _pattern(at, pattern)


def _not_printed(expect: Expectation) -> Found:
    for at, pattern in enumerate(expect.not_printed):
        yield from _pattern(at, pattern)


def _content_type(expect: Expectation) -> Found:
    if (given := expect.content_type or "") not in CONTENT_TYPES:
        near = difflib.get_close_matches(given[:40], CONTENT_TYPES, n=1)
        yield None, f"is no content type; {f'did you mean {near[0]}?' if near else 'one of ' + ', '.join(CONTENT_TYPES)}"


def _equals(expect: Expectation) -> Found:
    yield from _json(expect.equals or "")


def _contains(expect: Expectation) -> Found:
    yield from _json(expect.contains or "")


def _match(expect: Expectation) -> Found:
    for path, text in expect.match:
        yield from _path(path, path)
        try:
            yield from ((path, message) for message in condition_faults(read_exact(text)))
        except NotJson as error:
            yield path, f"is {error}"


def _schema(expect: Expectation) -> Found:
    from algosync.answers.schemas.json_schema import schema_faults

    yield from ((None, message) for message in schema_faults(expect.schema or ""))


def _baseline(expect: Expectation) -> Found:
    content = None if expect.baseline is None else expect.baseline.content
    if content is not None:
        try:
            read_baseline(content)
        except NotBaseline as error:
            yield None, f"names a file that {error}"


def _sha256(expect: Expectation) -> Found:
    if not _SHA256.fullmatch(expect.sha256 or ""):
        yield None, "is not 64 hexadecimal digits"


def _size(expect: Expectation) -> Found:
    try:
        yield from ((None, message) for message in condition_faults(read_exact(expect.size or ""), of_number=True))
    except NotJson as error:
        yield None, f"is {error}"


def _max_seconds(expect: Expectation) -> Found:
    if not expect.max_seconds or not math.isfinite(expect.max_seconds) or expect.max_seconds < 0:
        yield None, "is not a number above 0"


def _tolerance(expect: Expectation) -> Found:
    for name in ("relative", "absolute"):
        number = getattr(expect.tolerance, name)
        if not math.isfinite(number) or number < 0:
            yield name, "is not a number from 0 on"


def _ignore(expect: Expectation) -> Found:
    for at, path in enumerate(expect.ignore):
        yield from _path(at, path)
        if path.strip() == "$":
            yield at, "leaves out the whole answer, so that any answer would do"


def _pattern(item: str | int | None, pattern: str) -> Found:
    if message := pattern_fault(pattern):
        yield item, f"is a regular expression that cannot be read: {message}"


def _path(item: str | int | None, path: str) -> Found:
    try:
        compiled(path)
    except InvalidPath as error:
        yield item, f"is no JSONPath: {error}"


def _json(text: str) -> Found:
    try:
        read_exact(text)
    except NotJson as error:
        yield None, f"is {error}"


_CHECKS: Mapping[str, Callable[[Expectation], Found]] = MappingProxyType(
    {
        "error": _error,
        "content_type": _content_type,
        "equals": _equals,
        "contains": _contains,
        "match": _match,
        "schema": _schema,
        "baseline": _baseline,
        "sha256": _sha256,
        "size": _size,
        "printed": _printed,
        "not_printed": _not_printed,
        "max_seconds": _max_seconds,
        "tolerance": _tolerance,
        "ignore": _ignore,
    }
)
_CHECKED = attrgetter(*_CHECKS)
_NOT_GIVEN = _CHECKED(Expectation())
