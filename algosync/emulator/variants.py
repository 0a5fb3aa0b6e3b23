"""Options for behaviour on which the evidence about real clusters is divided (PLATFORM.md §10)."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace


@dataclass(frozen=True, slots=True)
class Variants:
    """One field for each behaviour in which real clusters differ, or may differ."""

    unbuilt_status: int = 404
    """The HTTP status of a call by a version hash without a successful build."""
    call_errors_as_200: bool = False
    """Errors of calls have HTTP status 200, except where the request asks for a raw result."""
    duplicate_status: int = 400
    """The HTTP status of creating a collection that already exists."""
    etag: bool = False
    """HEAD of a file returns the MD5 of its content as `ETag`, without quotes."""
    strict_names: bool = False
    """Names of new collections have a letter, then letters, digits and underscores, at most 30 characters in all."""
    strict_versions: bool = False
    """Only a major version may change who can call an algorithm."""
    largest_file: int | None = None
    """The maximum size of a data file in bytes; None for no limit."""
    my_algorithms: bool = False
    """`.my` stands for the caller's account in calls. Calls that work without this option work on both kinds of clusters."""
    any_case: bool = False
    """Calls may write names of users and algorithms in any case."""
    plain_templates: bool = False
    """New repositories have a plain `apply` and no `.adk`, as before 2021-07-12. The legacy language `python3-1` implies this."""


DEFAULT_VARIANTS = Variants()

NO_LIMIT = "none"

_STATUSES = {"unbuilt_status": (404, 200), "duplicate_status": (400, 409)}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add one option for each variant. An option that is not given keeps its value of the last start."""
    group = parser.add_argument_group("behaviour in which real clusters differ (default: as at the last start)")
    statuses = {
        "--unbuilt-status": "HTTP status of a call by the hash of a version that is not built",
        "--duplicate-status": "HTTP status of creating a collection that already exists",
    }
    for (option, meaning), choices in zip(statuses.items(), _STATUSES.values(), strict=True):
        group.add_argument(option, type=int, choices=choices, help=meaning)
    group.add_argument("--largest-file", type=_size, metavar="BYTES", help=f"refuse larger data files; `{NO_LIMIT}` for no limit")
    switches = {
        "--call-errors-as-200": "answer failed calls with HTTP status 200, as the platform did in its first years",
        "--etag": "return the MD5 of a data file as ETag of a HEAD request",
        "--strict-names": "allow only letters, digits and _ in names of new collections, and at most 30 characters",
        "--strict-versions": "allow only major versions to change whether an algorithm is public",
        "--my-algorithms": "accept .my for the caller's name in calls",
        "--any-case": "accept names of users and algorithms in any case in calls",
        "--plain-templates": "create algorithms without .adk, as the platform did before July 2021",
    }
    for option, meaning in switches.items():
        group.add_argument(option, action=argparse.BooleanOptionalAction, help=meaning)


def chosen(arguments: argparse.Namespace, last: Variants) -> Variants:
    """The variants of the last start, changed by the given options."""
    options = {field.name: getattr(arguments, field.name) for field in fields(Variants)}
    given = {name: value for name, value in options.items() if value is not None}
    if given.get("largest_file") == NO_LIMIT:
        given["largest_file"] = None
    return replace(last, **given)


def recorded(document: object) -> Variants:
    """The variants in a JSON document, with the default for each one that is missing or invalid."""
    found = document if isinstance(document, Mapping) else {}
    names = [field.name for field in fields(Variants)]
    return replace(DEFAULT_VARIANTS, **{name: found[name] for name in names if _is_valid(name, found.get(name))})


def _is_valid(name: str, value: object) -> bool:
    if name in _STATUSES:
        return type(value) is int and value in _STATUSES[name]
    if name == "largest_file":
        return type(value) is int and value >= 0
    return isinstance(value, bool)


def _size(text: str) -> int | str:
    if text == NO_LIMIT:
        return NO_LIMIT
    size = int(text)
    if size < 0:
        raise ValueError("a size cannot be negative")
    return size
