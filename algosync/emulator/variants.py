"""Options for behaviour on which the evidence about real clusters is divided (PLATFORM.md §10)."""

import argparse
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, replace
from typing import Any, TypeVar

NO_LIMIT = "none"

T = TypeVar("T")


def _option(default: T, meaning: str, choices: tuple[int, ...] = ()) -> T:
    """A field with the description of its command-line option, and with its values if it has few."""
    return field(default=default, metadata={"help": meaning, "choices": choices})


@dataclass(frozen=True, slots=True)
class Variants:
    """One field for each behaviour in which real clusters differ, or may differ."""

    unbuilt_status: int = _option(404, "HTTP status of a call by the hash of a version that is not built", (404, 200))
    duplicate_status: int = _option(400, "HTTP status of creating a collection that already exists", (400, 409))
    largest_file: int | None = _option(None, f"refuse larger data files; `{NO_LIMIT}` for no limit")
    """In bytes; None for no limit."""
    call_errors_as_200: bool = _option(False, "answer failed calls with HTTP status 200, as the platform did in its first years")
    """Except where the request asks for a raw result."""
    etag: bool = _option(False, "return the MD5 of a data file as ETag of a HEAD request")
    """Without quotes."""
    strict_names: bool = _option(False, "allow only letters, digits and _ in names of new collections, and at most 30 characters")
    strict_versions: bool = _option(False, "allow only major versions to change whether an algorithm is public")
    my_algorithms: bool = _option(False, "accept .my for the caller's name in calls")
    any_case: bool = _option(False, "accept names of users and algorithms in any case in calls")
    plain_templates: bool = _option(False, "create algorithms without .adk, as the platform did before July 2021")
    """The legacy language `python3-1` implies this."""


DEFAULT_VARIANTS = Variants()


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add one option for each variant. An option that is not given keeps its value of the last start."""
    group = parser.add_argument_group("behaviour in which real clusters differ (default: as at the last start)")
    for each in fields(Variants):
        option, meaning = f"--{each.name.replace('_', '-')}", each.metadata["help"]
        if choices := each.metadata["choices"]:
            group.add_argument(option, type=int, choices=choices, help=meaning)
        elif each.name == "largest_file":
            group.add_argument(option, type=_size, metavar="BYTES", help=meaning)
        else:
            group.add_argument(option, action=argparse.BooleanOptionalAction, help=meaning)


def chosen(arguments: argparse.Namespace, last: Variants) -> Variants:
    """The variants of the last start, changed by the given options."""
    options = {each.name: getattr(arguments, each.name) for each in fields(Variants)}
    given = {name: value for name, value in options.items() if value is not None}
    if given.get("largest_file") == NO_LIMIT:
        given["largest_file"] = None
    return replace(last, **given)


def recorded(document: object) -> Variants:
    """The variants in a JSON document, with the default for each one that is missing or invalid."""
    found = document if isinstance(document, Mapping) else {}
    valid = [each.name for each in fields(Variants) if _is_valid(each, found.get(each.name))]
    return replace(DEFAULT_VARIANTS, **{name: found[name] for name in valid})


def _is_valid(variant: Field[Any], value: object) -> bool:
    if variant.name == "largest_file":
        return type(value) is int and value >= 0
    choices = variant.metadata["choices"]
    return type(value) is int and value in choices if choices else isinstance(value, bool)


def _size(text: str) -> int | str:
    if text == NO_LIMIT:
        return NO_LIMIT
    size = int(text)
    if size < 0:
        raise ValueError("a size cannot be negative")
    return size
