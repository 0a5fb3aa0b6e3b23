"""Derived texts: the values of a workflow that a template computed from sensitive variables, such as a hash or a part of one.

They are found by loading the file again with other values for the sensitive variables: what differs depends on them.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from string import ascii_lowercase, ascii_uppercase, digits
from typing import TYPE_CHECKING

from algosync.core.error import WorkflowError
from algosync.core.lean import dataclass
from algosync.workflow.loading import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from algosync.core.secret import Secret
    from algosync.core.workflow import Workflow
    from algosync.workflow.given_variables import GivenVariables
    from algosync.workflow.testing.inputs import TestInputs

__all__ = ["Derived", "derived_texts"]

_PAYLOADS = frozenset({"payload", "equals", "contains", "schema", "size", "positive"})  # JSON texts
_RECOGNIZED = 8  # characters; the redactor finds a text of this length everywhere, also inside of a word
_OTHER_TEXT = "another value"


@dataclass(frozen=True, slots=True)
class Derived:
    """`parts` are secret wherever they occur, `wholes` only as complete values: their own parts may be too short to be found.

    `unhidden`: where the workflow has numbers and booleans outside of payloads that depend on a secret, like `tests[0].timeout`.
    They cannot be hidden, because the same value occurs elsewhere, too.
    """

    parts: frozenset[str]
    wholes: frozenset[str]
    unhidden: tuple[str, ...] = ()


def derived_texts(
    path: Path,
    workflow: Workflow,
    variables: GivenVariables,
    secrets: Mapping[str, Secret],
    tests: TestInputs | None = None,
) -> Derived:
    """The texts of a loaded workflow that depend on its sensitive variables. `tests`: as of `load`, with the API keys.

    If the file cannot be loaded with other values, no text can be told apart, so all of them count as derived.
    """
    if not secrets:
        return Derived(frozenset(), frozenset())
    changes = ((_same_shape, _same_shape_below), (_any_text,))
    loaded = (filter(None, (_loaded(path, variables, secrets, tests, each) for each in either)) for either in changes)
    others = [other for found in loaded if (other := next(found, None)) is not None]
    if not others:
        return Derived(frozenset(), frozenset(text for text, _ in _differing(asdict(workflow), None)))
    found = {each for other in others for each in _differing(asdict(workflow), asdict(other))}
    wholes = frozenset(text for text, part in found if not part or not _found_anywhere(text))
    unhidden = dict.fromkeys(place for other in others for place in _numbers(asdict(workflow), asdict(other), ""))
    return Derived(frozenset(text for text, part in found if part), wholes, tuple(unhidden))


def _loaded(
    path: Path,
    variables: GivenVariables,
    secrets: Mapping[str, Secret],
    tests: TestInputs | None,
    change: Callable[[str], str],
) -> Workflow | None:
    """The workflow with changed values of its sensitive variables. None: the file does not accept them."""
    try:
        return load(path, variables.extended({name: change(secret.reveal()) for name, secret in secrets.items()}), tests=tests)
    except WorkflowError:
        return None


def _same_shape(secret: str) -> str:
    """Another text with letters and digits at the same places, which a template that expects them accepts too."""
    return secret.translate(_NEXT)


def _same_shape_below(secret: str) -> str:
    """As `_same_shape`, for a number that may not be larger."""
    return secret.translate(_PREVIOUS)


_RANGES = (digits, ascii_lowercase, ascii_uppercase)
_NEXT = {ord(a): b for each in _RANGES for a, b in zip(each, each[1:] + each[0], strict=True)}
_PREVIOUS = {ord(b): a for a, b in zip(map(chr, _NEXT), _NEXT.values(), strict=True)}


def _any_text(secret: str) -> str:
    return _OTHER_TEXT if secret != _OTHER_TEXT else _OTHER_TEXT.upper()


def _differing(value: object, other: object, name: str = "") -> Iterator[tuple[str, bool]]:
    """Each text of `value` that `other` does not have at the same place, and whether it is secret as a part of other texts."""
    if value == other or value is None or isinstance(value, (bool, int, float)):
        return
    if name in _PAYLOADS and isinstance(value, str):
        yield from _payload(value, other)
    elif name == "match" and isinstance(value, tuple):
        yield from _matches(value, other)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _differing(item, other.get(key) if isinstance(other, dict) else None, key)
    elif isinstance(value, (list, tuple)):
        others = list(other)[: len(value)] if isinstance(other, (list, tuple)) else []
        for item, changed in zip(value, others + [None] * (len(value) - len(others)), strict=True):
            yield from _differing(item, changed)
    else:
        yield str(value), True


def _matches(value: tuple[tuple[str, str], ...], other: object) -> Iterator[tuple[str, bool]]:
    """The differing paths, and the differing values inside the JSON texts beside them."""
    pairs = list(other) if isinstance(other, tuple) else []
    for (path, text), (other_path, other_text) in zip(value, pairs + [(None, None)] * (len(value) - len(pairs)), strict=False):
        yield from _differing(path, other_path)
        if text != other_text:
            yield from _payload(text, other_text)


def _payload(text: str, other: object) -> Iterator[tuple[str, bool]]:
    """The differing values inside a payload, and the payload itself if one of them is too short to be found in it."""
    changed = json.loads(other, parse_int=str, parse_float=str) if isinstance(other, str) else None
    found = list(_differing(_named(json.loads(text, parse_int=str, parse_float=str)), _named(changed)))
    yield from found
    if not found or not all(_found_anywhere(part) for part, _ in found):
        yield text, False


def _numbers(value: object, other: object, place: str) -> Iterator[str]:
    """The places of numbers and booleans that both workflows have, with different values. Payloads are compared as texts."""
    if isinstance(value, dict) and isinstance(other, dict):
        for key in (key for key in value if key in other and key not in _PAYLOADS and key != "line"):
            yield from _numbers(value[key], other[key], f"{place}.{key}" if place else key)
    elif isinstance(value, (list, tuple)) and isinstance(other, (list, tuple)):
        for index, (item, changed) in enumerate(zip(value, other, strict=False)):
            yield from _numbers(item, changed, f"{place}[{index}]")
    elif isinstance(value, (int, float)) and isinstance(other, (int, float)) and value != other:
        yield place


def _found_anywhere(text: str) -> bool:
    return len(text) >= _RECOGNIZED


def _named(value: object) -> object:
    """A JSON value with the names of its members among the texts that are compared."""
    if isinstance(value, dict):
        return [[key, _named(item)] for key, item in value.items()]
    return [_named(item) for item in value] if isinstance(value, list) else value
