"""Keywords of a JSON Schema that are probably misspelled: a schema with one accepts more than its author thinks.

JSON Schema allows unknown keywords as annotations, and so do we: only one that differs by a letter or two from a keyword of the
dialect is a fault. Names that other tools use, and those that begin with `x-`, are never one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

__all__ = ["keyword_faults"]

_DRAFT = "https://json-schema.org/draft/2020-12"
_SHORT = 5  # characters; there are words close to all shorter keywords
_LONGEST = 40  # characters of a keyword that is looked at
_OTHERS = frozenset(
    (
        *("id", "example", "nullable", "discriminator", "externalDocs", "xml"),  # OpenAPI and older drafts
        *("additionalItems", "dependencies", "divisibleBy", "disallow", "extends", "definitions"),
        *("enumNames", "enumDescriptions", "markdownDescription", "errorMessage", "formatMaximum", "formatMinimum"),
        *("defaultSnippets", "patternErrorMessage", "deprecationMessage"),
    )
)
"""Keywords of older drafts, of OpenAPI, and of editors. They are annotations here."""


def keyword_faults(schema: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each key of a schema that is probably a misspelled keyword. Schemas inside of it are not looked at."""
    for key in schema:
        if near := _meant(key[:_LONGEST]):
            yield f"has the key {key[:_LONGEST]!r}, which is no keyword: did you mean {near!r}? Begin a key of your own with x-"


def _meant(key: str) -> str | None:
    """The keyword that was probably meant. None: it is one, or nothing like one."""
    known = _keywords()
    if key in known or key in _OTHERS or key.startswith("x-"):
        return None
    bare = key.replace("_", "").replace("-", "").casefold()
    return next((each for each in sorted(known) if bare == each.casefold() or _is_slip(key, each)), None)


def _is_slip(key: str, keyword: str) -> bool:
    """Whether one letter is wrong, missing or too many, or two are swapped. In short words only a swap counts, as in `tpye`.

    Keywords that begin with `$` have a meaning without it (`comment`), but for `ref` and `defs`.
    """
    if keyword.startswith("$") and not key.startswith("$"):
        return f"${key}" == keyword and key in ("ref", "defs")
    pairs = zip(key, keyword, strict=False)
    start = next((place for place, (one, other) in enumerate(pairs) if one != other), min(len(key), len(keyword)))
    rest, right = key[start:], keyword[start:]
    if len(rest) > 1 and len(key) > _SHORT - 2 and rest[1::-1] + rest[2:] == right:
        return True
    return len(key) >= _SHORT and (rest[1:] in (right, right[1:]) or rest == right[1:])


@cache
def _keywords() -> frozenset[str]:
    """The keywords of the dialect's vocabularies, and those that its own schema still knows."""
    from jsonschema_specifications import REGISTRY

    dialect: Any = REGISTRY.contents(f"{_DRAFT}/schema")
    parts: list[Any] = [REGISTRY.contents(f"{_DRAFT}/{part['$ref']}") for part in dialect["allOf"]]
    return frozenset(key for part in (dialect, *parts) for key in part["properties"])
