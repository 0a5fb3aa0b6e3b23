"""The options that commands share; every one has a default from `ALGOSYNC_<OPTION>`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "AutoApprove",
    "BuildTimeout",
    "Chdir",
    "Debug",
    "Destination",
    "DetailedExitcode",
    "InsecureHttp",
    "JsonOutput",
    "NoInput",
    "Parallelism",
    "RequestTimeout",
    "StateAddress",
    "StateFolder",
    "Target",
    "Var",
    "VarFile",
    "WorkflowArgument",
]

WorkflowArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[WORKFLOW]",
        help="A path, or a name in workflows/. Default: WORKFLOW_NAME, workflow.* here, or the only file in workflows/.",
        show_default=False,
    ),
]
Destination = Annotated[
    str,
    typer.Option(
        envvar="ALGOSYNC_DESTINATION",
        metavar="ADDRESS",
        help="The destination cluster's API address, `local` or `local:NAME`; overrides DESTINATION_API_ADDRESS.",
        show_default=False,
    ),
]
StateFolder = Annotated[Path, typer.Option("--state", envvar="ALGOSYNC_STATE", metavar="DIR", help="Where the state is kept.")]
StateAddress = Annotated[  # not a path: that would lose a slash of `://`
    str, typer.Option("--state", envvar="ALGOSYNC_STATE", metavar="DIR", help="Where the state is kept.")
]
Chdir = Annotated[
    Path | None,
    typer.Option(envvar="ALGOSYNC_CHDIR", metavar="DIR", help="Change to this folder first.", show_default=False),
]
Var = Annotated[
    list[str],
    typer.Option(
        "--var", envvar="ALGOSYNC_VAR", metavar="NAME=VALUE", help="A template variable; may be repeated.", show_default=False
    ),
]
VarFile = Annotated[
    list[str],  # not paths: of those a variable of the environment would be split at `:`
    typer.Option(
        envvar="ALGOSYNC_VAR_FILE", metavar="FILE", help="A JSON or YAML file of variables; may be repeated.", show_default=False
    ),
]
Target = Annotated[
    list[str],
    typer.Option(
        "--target",
        envvar="ALGOSYNC_TARGET",
        metavar="TARGET",
        help="Only this algorithm or address, and what it depends on; may be repeated.",
        show_default=False,
    ),
]
NoInput = Annotated[bool, typer.Option("--no-input", envvar="ALGOSYNC_NO_INPUT", help="Never ask; fail where an answer is needed.")]
Debug = Annotated[bool, typer.Option("--debug", envvar="ALGOSYNC_DEBUG", help="Log every request; show tracebacks.")]
JsonOutput = Annotated[bool, typer.Option("--json", envvar="ALGOSYNC_JSON", help="One JSON document on stdout.")]
DetailedExitcode = Annotated[
    bool, typer.Option("--detailed-exitcode", envvar="ALGOSYNC_DETAILED_EXITCODE", help="Exit 2 where there are changes.")
]
AutoApprove = Annotated[bool, typer.Option("--auto-approve", envvar="ALGOSYNC_AUTO_APPROVE", help="Apply without asking.")]
Parallelism = Annotated[
    int, typer.Option(envvar="ALGOSYNC_PARALLELISM", metavar="N", min=1, max=64, help="How much is done at the same time.")
]
BuildTimeout = Annotated[
    int, typer.Option(envvar="ALGOSYNC_BUILD_TIMEOUT", metavar="SECONDS", min=1, help="How long to wait for one build.")
]
RequestTimeout = Annotated[
    int,
    typer.Option(
        envvar="ALGOSYNC_REQUEST_TIMEOUT",
        metavar="SECONDS",
        min=1,
        max=86400,
        help="How long one request may take, and a transfer go without progress.",
    ),
]
InsecureHttp = Annotated[
    bool,
    typer.Option(
        "--insecure-http",
        envvar="ALGOSYNC_INSECURE_HTTP",
        help="Allow plain http:// to other machines: keys then travel in clear.",
    ),
]
