"""Where the evidence about the platform is split: what this cluster does unless told otherwise (facts: `platform.md` 10)."""

import argparse
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Stances:
    """One field for each question that real clusters have been seen, or may be thought, to answer in two ways."""

    unbuilt_status: int = 404
    """The HTTP status of a call by a version hash without a successful build."""
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


USUAL = Stances()


def add_options(parser: argparse.ArgumentParser) -> None:
    """One option for each stance."""
    group = parser.add_argument_group("where the evidence about real clusters is split")
    group.add_argument(
        "--unbuilt-status", type=int, choices=(404, 200), default=404, help="status of calling a version hash that is not built"
    )
    group.add_argument(
        "--duplicate-status", type=int, choices=(400, 409), default=400, help="status of creating a collection that exists"
    )
    group.add_argument("--etag", action="store_true", help="tell the MD5 of a data file when it is asked for with HEAD")
    group.add_argument(
        "--strict-names",
        action="store_true",
        help="refuse collections of more than 30 characters or other than letters, digits and _",
    )
    group.add_argument(
        "--strict-versions", action="store_true", help="let only major versions change whether an algorithm is public"
    )
    group.add_argument("--largest-file", type=_size, metavar="BYTES", help="refuse data files that are larger")


def chosen(arguments: argparse.Namespace) -> Stances:
    """The stances of parsed arguments."""
    return Stances(**{field.name: getattr(arguments, field.name) for field in fields(Stances)})


def _size(text: str) -> int:
    size = int(text)
    if size < 0:
        raise ValueError("no file is that small")
    return size
