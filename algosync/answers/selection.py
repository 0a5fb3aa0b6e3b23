"""Selection: the places in a value that a JSONPath (RFC 9535) names."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from typing import TYPE_CHECKING, TypeAlias

from algosync.answers.difference import Place
from algosync.answers.exact_json import DEEPEST, Value, json_text, read_rounded

if TYPE_CHECKING:
    from jsonpath_rfc9535 import JSONPathEnvironment, JSONPathQuery

__all__ = ["InvalidPath", "compiled", "selected", "without"]

Tree: TypeAlias = "dict[str | int, Tree]"

_LONGEST = 10_000


class InvalidPath(ValueError):
    """The text is no JSONPath. The message says why."""


@lru_cache(maxsize=256)
def compiled(path: str) -> JSONPathQuery:
    """InvalidPath: the text is no JSONPath."""
    from jsonpath_rfc9535 import JSONPathError

    if len(path) > _LONGEST:
        raise InvalidPath(f"longer than {_LONGEST} characters")
    try:
        return _environment().compile(path)
    except (JSONPathError, RecursionError, ValueError, IndexError) as error:
        raise InvalidPath(str(error) or "nested too deep") from None


@cache
def _environment() -> JSONPathEnvironment:
    from jsonpath_rfc9535 import JSONPathEnvironment

    class Deep(JSONPathEnvironment):
        max_recursion_depth = DEEPEST + 2

    return Deep()


def selected(path: str, value: Value) -> list[tuple[Place, Value]]:
    """The places and their values, in the order of the document. InvalidPath: the text is no JSONPath.

    Filters compare numbers with a fraction as floats, as the RFC allows; the values that are returned are exact.
    """
    nodes = compiled(path).finditer(_floats(value) if "?" in path else value)  # type: ignore[arg-type]  # Decimal is a leaf to it
    places = [node.location for node in nodes]
    return [(place, _at(value, place)) for place in places]


def without(value: Value, paths: Iterable[str]) -> Value:
    """The value without what the paths select. Inside a list null takes its place, so that the other elements keep theirs."""
    places = {place for path in paths for place, _ in selected(path, value)}
    if () in places:
        return None
    return _removed(value, _tree(places)) if places else value


def _floats(value: Value) -> Value:
    return read_rounded(json_text(value))


def _at(value: Value, place: Place) -> Value:
    for part in place:
        value = value[part]  # type: ignore[index]  # the place was found in it
    return value


def _tree(places: Iterable[Place]) -> Tree:
    """Places as nested dicts by their parts. An empty dict ends a place; nothing below it counts."""
    top: Tree = {}
    for place in sorted(places, key=len, reverse=True):
        node = top
        for part in place:
            node = node.setdefault(part, {})
        node.clear()
    return top


def _removed(value: Value, tree: Tree) -> Value:
    if isinstance(value, dict):
        kept = {name: one for name, one in value.items() if tree.get(name) != {}}
        return {name: _removed(one, tree[name]) if name in tree else one for name, one in kept.items()}
    if not isinstance(value, list):
        return value
    count = len(value)
    while count and tree.get(count - 1) == {}:
        count -= 1
    return [value[at] if at not in tree else _removed(value[at], tree[at]) if tree[at] else None for at in range(count)]
