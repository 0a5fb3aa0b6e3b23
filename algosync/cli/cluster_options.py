"""The options of `algosync emulator`; every one has a default from `ALGOSYNC_<OPTION>`."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "CallErrorsAs200",
    "Duplicate",
    "DuplicateStatus",
    "Etag",
    "Faults",
    "Form",
    "KeyId",
    "LargestFile",
    "MaybeName",
    "MyAlgorithms",
    "Name",
    "Organizations",
    "Port",
    "StrictNames",
    "StrictVersions",
    "Tls",
    "Unbuilt",
    "UnbuiltStatus",
]


class Form(str, Enum):
    """How a key looks."""

    PLAIN = "plain"
    BASE64 = "base64"
    JWT = "jwt"


class Unbuilt(str, Enum):
    """Of calling a version hash that is not built."""

    NOT_FOUND = "404"
    OK = "200"


class Duplicate(str, Enum):
    """Of creating a collection that exists."""

    BAD_REQUEST = "400"
    CONFLICT = "409"


Name = Annotated[str, typer.Option("--name", envvar="ALGOSYNC_NAME", metavar="NAME", help="Which local cluster.")]
MaybeName = Annotated[
    str | None,
    typer.Option(
        "--name", envvar="ALGOSYNC_NAME", metavar="NAME", help="Which local cluster; all of them without it.", show_default=False
    ),
]
Port = Annotated[
    int,
    typer.Option(
        "--port", envvar="ALGOSYNC_PORT", metavar="N", min=0, max=65535, help="Default: the last one, or any.", show_default=False
    ),
]
Tls = Annotated[
    bool | None,
    typer.Option(
        "--tls/--no-tls",
        envvar="ALGOSYNC_TLS",
        help="Serve HTTPS, with a certificate authority of its own. Default: as at the last start; at the first, not.",
        show_default=False,
    ),
]
Faults = Annotated[
    Path | None,
    typer.Option("--faults", envvar="ALGOSYNC_FAULTS", metavar="FILE", help="What is to go wrong, as JSON.", show_default=False),
]
UnbuiltStatus = Annotated[
    Unbuilt | None,
    typer.Option(
        "--unbuilt-status",
        envvar="ALGOSYNC_UNBUILT_STATUS",
        help="Status of calling a version hash that is not built; 404.",
        show_default=False,
    ),
]
CallErrorsAs200 = Annotated[
    bool | None,
    typer.Option(
        "--call-errors-as-200/--no-call-errors-as-200",
        envvar="ALGOSYNC_CALL_ERRORS_AS_200",
        help="Answer calls with status 200 whatever is wrong with them.",
        show_default=False,
    ),
]
DuplicateStatus = Annotated[
    Duplicate | None,
    typer.Option(
        "--duplicate-status",
        envvar="ALGOSYNC_DUPLICATE_STATUS",
        help="Status of creating a collection that exists; 400.",
        show_default=False,
    ),
]
Etag = Annotated[
    bool | None,
    typer.Option("--etag/--no-etag", envvar="ALGOSYNC_ETAG", help="Tell a data file's MD5 to HEAD.", show_default=False),
]
StrictNames = Annotated[
    bool | None,
    typer.Option(
        "--strict-names/--no-strict-names",
        envvar="ALGOSYNC_STRICT_NAMES",
        help="Refuse collections of more than 30 characters, or other than letters, digits and _.",
        show_default=False,
    ),
]
StrictVersions = Annotated[
    bool | None,
    typer.Option(
        "--strict-versions/--no-strict-versions",
        envvar="ALGOSYNC_STRICT_VERSIONS",
        help="Let only major versions change whether an algorithm is public.",
        show_default=False,
    ),
]
LargestFile = Annotated[
    str | None,
    typer.Option(
        "--largest-file",
        envvar="ALGOSYNC_LARGEST_FILE",
        metavar="BYTES",
        help="Refuse larger data files; `none` for no limit.",
        show_default=False,
    ),
]
MyAlgorithms = Annotated[
    bool | None,
    typer.Option(
        "--my-algorithms/--no-my-algorithms",
        envvar="ALGOSYNC_MY_ALGORITHMS",
        help="Take .my for the caller's name in calls.",
        show_default=False,
    ),
]
KeyId = Annotated[str, typer.Argument(metavar="ID", help="The key's id, as `key list` has it, or - for the key itself on stdin.")]
Organizations = Annotated[
    list[str] | None,
    typer.Option(
        "--organization",
        envvar="ALGOSYNC_ORGANIZATION",
        metavar="ORG",
        help="Make it a member, and the organization; may be repeated.",
        show_default=False,
    ),
]
