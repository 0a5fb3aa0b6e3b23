"""Where the evidence about the platform is split: what this cluster does unless told otherwise (facts: `PLATFORM.md` 10)."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace


@dataclass(frozen=True, slots=True)
class Stances:
    """One field for each question that real clusters have been seen, or may be thought, to answer in two ways."""

    unbuilt_status: int = 404
    """The HTTP status of a call by a version hash without a successful build."""
    call_errors_as_200: bool = False
    """Every error of a call comes with HTTP 200, but of those that want the bare result."""
    duplicate_status: int = 400
    """The HTTP status of creating a collection that exists."""
    etag: bool = False
    """HEAD of a file has the MD5 of its content as `ETag`, without quotes."""
    strict_names: bool = False
    """New collections are named by a letter, then letters, digits and underscores, 30 at most."""
    strict_versions: bool = False
    """Only a major version may change who can call an algorithm."""
    largest_file: int | None = None
    """The most bytes a data file may have."""
    my_algorithms: bool = False
    """`.my` names the caller's own account in calls. What is rehearsed without it holds on clusters of either kind."""


USUAL = Stances()

NO_LIMIT = "none"

_STATUSES = {"unbuilt_status": (404, 200), "duplicate_status": (400, 409)}


def add_options(parser: argparse.ArgumentParser) -> None:
    """One option for each stance. What is not said stays as it was at the last start."""
    group = parser.add_argument_group("where the evidence about real clusters is split (default: as at the last start)")
    statuses = {
        "--unbuilt-status": "status of calling a version hash that is not built",
        "--duplicate-status": "status of creating a collection that exists",
    }
    for (option, meaning), choices in zip(statuses.items(), _STATUSES.values(), strict=True):
        group.add_argument(option, type=int, choices=choices, help=meaning)
    group.add_argument("--largest-file", type=_size, metavar="BYTES", help=f"refuse data files that are larger; or {NO_LIMIT}")
    switches = {
        "--call-errors-as-200": "answer calls with status 200 whatever is wrong with them, as the platform's first years did",
        "--etag": "tell the MD5 of a data file when it is asked for with HEAD",
        "--strict-names": "refuse collections of more than 30 characters or other than letters, digits and _",
        "--strict-versions": "let only major versions change whether an algorithm is public",
        "--my-algorithms": "take .my for the caller's name in calls",
    }
    for option, meaning in switches.items():
        group.add_argument(option, action=argparse.BooleanOptionalAction, help=meaning)


def chosen(arguments: argparse.Namespace, last: Stances) -> Stances:
    """The stances of parsed arguments, and of the last start where they say nothing."""
    said = {field.name: getattr(arguments, field.name) for field in fields(Stances)}
    given = {name: value for name, value in said.items() if value is not None}
    if given.get("largest_file") == NO_LIMIT:
        given["largest_file"] = None
    return replace(last, **given)


def recorded(document: object) -> Stances:
    """The stances that a file tells of; the usual ones where it is damaged, or of another version."""
    found = document if isinstance(document, Mapping) else {}
    names = [field.name for field in fields(Stances)]
    return replace(USUAL, **{name: found[name] for name in names if _fits(name, found.get(name))})


def _fits(name: str, value: object) -> bool:
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
        raise ValueError("no file is that small")
    return size
