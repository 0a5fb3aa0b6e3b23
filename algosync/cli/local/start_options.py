"""The options of `emulator start`: how a local cluster's server runs, and how it behaves where real clusters differ."""

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from algosync.cli.help import RARE
from algosync.cli.local.options import LocalClusterOptions
from algosync.core.lean import dataclass

__all__ = ["DuplicateStatus", "StartOptions", "UnbuiltStatus"]

_SIZE_DIGITS = 19  # every number with fewer digits fits into 64 bits


class UnbuiltStatus(str, Enum):
    """Statuses of a call of a version hash that is not built."""

    NOT_FOUND = "404"
    OK = "200"


class DuplicateStatus(str, Enum):
    """Statuses of the creation of a collection that exists."""

    BAD_REQUEST = "400"
    CONFLICT = "409"


@dataclass(frozen=True, slots=True)
class StartOptions(LocalClusterOptions):
    """Options of `emulator start`. An option that is not given keeps its value from the cluster's last start, except `faults`."""

    port: Annotated[
        int,
        typer.Option(metavar="N", min=0, max=65535, help="Default: the port of the last start, or a free one.", show_default=False),
    ] = 0
    tls: Annotated[
        bool | None,
        typer.Option(
            "--tls/--no-tls",
            help="Serve HTTPS, with the cluster's own certificate authority. Default: as at the last start; at first, HTTP.",
            show_default=False,
        ),
    ] = None
    faults: Annotated[Path | None, typer.Option(metavar="FILE", help="A JSON file of faults to inject.", show_default=False)] = None
    unbuilt_status: Annotated[
        UnbuiltStatus | None,
        typer.Option(
            help="Status of a call of a version hash that is not built; at first 404.", show_default=False, rich_help_panel=RARE
        ),
    ] = None
    call_errors_as_200: Annotated[
        bool | None,
        typer.Option(
            "--call-errors-as-200/--no-call-errors-as-200",
            help="Answer every call with status 200, even if it fails.",
            show_default=False,
            rich_help_panel=RARE,
        ),
    ] = None
    duplicate_status: Annotated[
        DuplicateStatus | None,
        typer.Option(
            help="Status of the creation of a collection that exists; at first 400.", show_default=False, rich_help_panel=RARE
        ),
    ] = None
    etag: Annotated[
        bool | None,
        typer.Option(
            "--etag/--no-etag", help="Answer HEAD of a data file with its MD5 as ETag.", show_default=False, rich_help_panel=RARE
        ),
    ] = None
    strict_names: Annotated[
        bool | None,
        typer.Option(
            "--strict-names/--no-strict-names",
            help="Refuse collection names with more than 30 characters, or with other characters than letters, digits and _.",
            show_default=False,
            rich_help_panel=RARE,
        ),
    ] = None
    strict_versions: Annotated[
        bool | None,
        typer.Option(
            "--strict-versions/--no-strict-versions",
            help="Only a major version may change whether an algorithm is public.",
            show_default=False,
            rich_help_panel=RARE,
        ),
    ] = None
    largest_file: Annotated[
        str | None,
        typer.Option(
            metavar="BYTES", help="Refuse larger data files; `none` for no limit.", show_default=False, rich_help_panel=RARE
        ),
    ] = None
    my_algorithms: Annotated[
        bool | None,
        typer.Option(
            "--my-algorithms/--no-my-algorithms",
            help="Accept .my for the caller's name in calls.",
            show_default=False,
            rich_help_panel=RARE,
        ),
    ] = None
    any_case: Annotated[
        bool | None,
        typer.Option(
            "--any-case/--no-any-case",
            help="Accept names of users and algorithms in any case in calls.",
            show_default=False,
            rich_help_panel=RARE,
        ),
    ] = None
    plain_templates: Annotated[
        bool | None,
        typer.Option(
            "--plain-templates/--no-plain-templates",
            help="Create algorithms without .adk, as the platform did before July 2021.",
            show_default=False,
            rich_help_panel=RARE,
        ),
    ] = None

    @property
    def given_settings(self) -> Mapping[str, int | bool | None]:
        """The settings that are given, by name. UsageError: `--largest-file` is not a size."""
        settings: dict[str, int | bool | None] = {
            "unbuilt_status": int(self.unbuilt_status.value) if self.unbuilt_status else None,
            "duplicate_status": int(self.duplicate_status.value) if self.duplicate_status else None,
            "call_errors_as_200": self.call_errors_as_200,
            "etag": self.etag,
            "strict_names": self.strict_names,
            "strict_versions": self.strict_versions,
            "my_algorithms": self.my_algorithms,
            "any_case": self.any_case,
            "plain_templates": self.plain_templates,
        }
        given = {name: value for name, value in settings.items() if value is not None}
        return given if self.largest_file is None else {**given, "largest_file": _size_limit(self.largest_file)}


def _size_limit(text: str) -> int | None:
    """A size in bytes; None for `none`."""
    from algosync.core.error import UsageError
    from algosync.core.text import printable
    from algosync.emulator.variants import NO_LIMIT

    if text == NO_LIMIT:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < _SIZE_DIGITS):
        raise UsageError(f"--largest-file {printable(text, 80)} is neither a number of bytes nor {NO_LIMIT}")
    return int(text)
