"""`algosync emulator`: signatures of the commands around local clusters. `main` hands each its terminal as the context's object."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from algosync.cli import options

__all__ = ["app"]

app = typer.Typer(invoke_without_command=True)
user = typer.Typer(help="Users of a local cluster.")
key = typer.Typer(help="API keys of a local cluster.")
app.add_typer(user, name="user")
app.add_typer(key, name="key")


class Form(str, Enum):
    """How a key looks."""

    PLAIN = "plain"
    BASE64 = "base64"
    JWT = "jwt"


_Name = Annotated[str, typer.Option("--name", envvar="ALGOSYNC_NAME", metavar="NAME", help="Which local cluster.")]
_MaybeName = Annotated[
    str | None,
    typer.Option(
        "--name", envvar="ALGOSYNC_NAME", metavar="NAME", help="Which local cluster; all of them without it.", show_default=False
    ),
]
_Port = Annotated[
    int,
    typer.Option(
        "--port", envvar="ALGOSYNC_PORT", metavar="N", min=0, max=65535, help="Default: the last one, or any.", show_default=False
    ),
]
_Tls = Annotated[bool, typer.Option("--tls", envvar="ALGOSYNC_TLS", help="Serve HTTPS, with a certificate authority of its own.")]
_Faults = Annotated[
    Path | None,
    typer.Option("--faults", envvar="ALGOSYNC_FAULTS", metavar="FILE", help="What is to go wrong, as JSON.", show_default=False),
]
_Organizations = Annotated[
    list[str] | None,
    typer.Option(
        "--organization",
        envvar="ALGOSYNC_ORGANIZATION",
        metavar="ORG",
        help="Make it a member, and the organization; may be repeated.",
        show_default=False,
    ),
]


@app.callback()
def common(context: typer.Context) -> None:
    """Keep a local cluster running: start it, look at it, give out keys, stop it."""
    if context.invoked_subcommand is None:
        context.obj.tell(context.get_help())
        raise typer.Exit(64)


@app.command()
def start(
    context: typer.Context,
    name: _Name = "default",
    port: _Port = 0,
    tls: _Tls = False,
    faults: _Faults = None,
    state: options.StateFolder = Path("state"),
) -> None:
    """Start the cluster, or join the one that runs; it stays until it is stopped. Prints its address."""
    from algosync.cli import keeping

    keeping.start(state, name, keeping.Wanted(port, tls, faults), context.obj)


@app.command()
def stop(context: typer.Context, name: _Name = "default", state: options.StateFolder = Path("state")) -> None:
    """End the cluster with all that it runs. Its data stays."""
    from algosync.cli import keeping

    keeping.stop(state, name, context.obj)


@app.command()
def status(
    context: typer.Context,
    name: _MaybeName = None,
    json: options.JsonOutput = False,
    state: options.StateFolder = Path("state"),
) -> None:
    """Tell which clusters there are, and which of them run. Exit 1 where the named one does not."""
    from algosync.cli import watching

    watching.status(state, name, context.obj, json=json)


@app.command()
def reset(
    context: typer.Context,
    name: _Name = "default",
    auto_approve: options.AutoApprove = False,
    no_input: options.NoInput = False,
    state: options.StateFolder = Path("state"),
) -> None:
    """Stop the cluster and remove all its data, users and keys."""
    from algosync.cli import keeping

    keeping.reset(state, name, context.obj, auto_approve=auto_approve, no_input=no_input)


@app.command()
def logs(
    context: typer.Context,
    name: _Name = "default",
    follow: Annotated[bool, typer.Option("--follow", "-f", envvar="ALGOSYNC_FOLLOW", help="Go on showing what is added.")] = False,
    state: options.StateFolder = Path("state"),
) -> None:
    """Show what the cluster's server has said since its start, and all requests."""
    from algosync.cli import watching

    watching.logs(state, name, context.obj, follow=follow)


@app.command()
def env(context: typer.Context, name: _Name = "default", state: options.StateFolder = Path("state")) -> None:
    """Print what other clients need, with the key, for a shell: eval "$(algosync emulator env)"."""
    from algosync.cli import access

    access.env(state, name, context.obj)


@user.command("add")
def add_user(
    context: typer.Context,
    user: Annotated[str, typer.Argument(metavar="USER", help="The new user, or one that is to join an organization.")],
    organization: _Organizations = None,
    name: _Name = "default",
    state: options.StateFolder = Path("state"),
) -> None:
    """Make a user with an API key, which is printed alone on stdout, and what organizations it belongs to."""
    from algosync.cli import access

    access.add_user(state, name, context.obj, user=user, organizations=organization or [])


@key.command("add")
def add_key(
    context: typer.Context,
    user: Annotated[
        str, typer.Option("--user", envvar="ALGOSYNC_USER", metavar="USER", help="Whose key; default: the cluster's first user.")
    ] = "",
    read_only: Annotated[bool, typer.Option("--read-only", envvar="ALGOSYNC_READ_ONLY", help="It may change nothing.")] = False,
    no_call: Annotated[bool, typer.Option("--no-call", envvar="ALGOSYNC_NO_CALL", help="It may call no algorithm.")] = False,
    no_management: Annotated[
        bool, typer.Option("--no-management", envvar="ALGOSYNC_NO_MANAGEMENT", help="It may change no algorithm, nor use git.")
    ] = False,
    expired: Annotated[
        bool, typer.Option("--expired", envvar="ALGOSYNC_EXPIRED", help="It is of no use from the beginning.")
    ] = False,
    expires_in: Annotated[
        float | None,
        typer.Option(
            "--expires-in",
            envvar="ALGOSYNC_EXPIRES_IN",
            metavar="SECONDS",
            min=0,
            help="It is of use that long.",
            show_default=False,
        ),
    ] = None,
    form: Annotated[Form, typer.Option("--form", envvar="ALGOSYNC_FORM", help="How it looks.")] = Form.PLAIN,
    name: _Name = "default",
    state: options.StateFolder = Path("state"),
) -> None:
    """Make one more API key, which is printed alone on stdout. The server knows it at once."""
    from algosync.cli import access
    from algosync.core.error import UsageError

    if expired and expires_in is not None:
        raise UsageError("--expired and --expires-in exclude each other")
    wanted = access.Wanted(user, form.value, not read_only, not no_call, not no_management, 0.0 if expired else expires_in)
    access.add_key(state, name, context.obj, wanted)
