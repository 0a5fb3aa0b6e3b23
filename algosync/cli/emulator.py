"""`algosync emulator`: signatures of the commands around local clusters. `main` hands each its terminal as the context's object."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from algosync.cli import cluster_options as ours
from algosync.cli import options

__all__ = ["app"]

app = typer.Typer(invoke_without_command=True)
user = typer.Typer(help="Users of a local cluster.")
key = typer.Typer(help="API keys of a local cluster.")
app.add_typer(user, name="user")
app.add_typer(key, name="key")


@app.callback()
def common(context: typer.Context) -> None:
    """Keep a local cluster running: start it, look at it, give out keys, stop it."""
    if context.invoked_subcommand is None:
        context.obj.tell(context.get_help())
        raise typer.Exit(64)


@app.command()
def start(
    context: typer.Context,
    name: ours.Name = "default",
    port: ours.Port = 0,
    tls: ours.Tls = None,
    faults: ours.Faults = None,
    unbuilt_status: ours.UnbuiltStatus = None,
    call_errors_as_200: ours.CallErrorsAs200 = None,
    duplicate_status: ours.DuplicateStatus = None,
    etag: ours.Etag = None,
    strict_names: ours.StrictNames = None,
    strict_versions: ours.StrictVersions = None,
    largest_file: ours.LargestFile = None,
    my_algorithms: ours.MyAlgorithms = None,
    state: options.StateFolder = Path("state"),
) -> None:
    """Start the cluster, or join the one that runs; it stays until it is stopped. Prints its address.

    It runs the code of the algorithms it is given. What is not said is as at its last start, but for --faults.
    """
    from algosync.cli import keeping

    said: dict[str, int | bool | None] = {
        "unbuilt_status": int(unbuilt_status.value) if unbuilt_status else None,
        "duplicate_status": int(duplicate_status.value) if duplicate_status else None,
        "call_errors_as_200": call_errors_as_200,
        "etag": etag,
        "strict_names": strict_names,
        "strict_versions": strict_versions,
        "my_algorithms": my_algorithms,
    }
    stances = {each: value for each, value in said.items() if value is not None}
    limit = {} if largest_file is None else {"largest_file": keeping.size_limit(largest_file)}
    keeping.start(state, name, keeping.Wanted(port, tls, faults, {**stances, **limit}), context.obj)


@app.command()
def stop(context: typer.Context, name: ours.Name = "default", state: options.StateFolder = Path("state")) -> None:
    """End the cluster with all that it runs. Its data stays."""
    from algosync.cli import keeping

    keeping.stop(state, name, context.obj)


@app.command()
def status(
    context: typer.Context,
    name: ours.MaybeName = None,
    json: options.JsonOutput = False,
    state: options.StateFolder = Path("state"),
) -> None:
    """Tell which clusters there are, and which of them run. Exit 1 where the named one does not."""
    from algosync.cli import watching

    watching.status(state, name, context.obj, json=json)


@app.command()
def reset(
    context: typer.Context,
    name: ours.Name = "default",
    auto_approve: Annotated[
        bool, typer.Option("--auto-approve", envvar="ALGOSYNC_AUTO_APPROVE", help="Remove everything without asking.")
    ] = False,
    no_input: options.NoInput = False,
    state: options.StateFolder = Path("state"),
) -> None:
    """Stop the cluster and remove all its data, users and keys."""
    from algosync.cli import keeping

    keeping.reset(state, name, context.obj, auto_approve=auto_approve, no_input=no_input)


@app.command()
def logs(
    context: typer.Context,
    name: ours.Name = "default",
    follow: Annotated[bool, typer.Option("--follow", "-f", envvar="ALGOSYNC_FOLLOW", help="Go on showing what is added.")] = False,
    state: options.StateFolder = Path("state"),
) -> None:
    """Show what the cluster's server has said since its start, and all requests."""
    from algosync.cli import watching

    watching.logs(state, name, context.obj, follow=follow)


@app.command()
def env(
    context: typer.Context,
    name: ours.Name = "default",
    source: Annotated[
        bool, typer.Option("--source", envvar="ALGOSYNC_SOURCE", help="As algosync's source, not as its destination.")
    ] = False,
    state: options.StateFolder = Path("state"),
) -> None:
    """Print what other clients need, with the keys, for a shell: eval "$(algosync emulator env)"."""
    from algosync.cli import access

    access.env(state, name, context.obj, source=source)


@user.command("add")
def add_user(
    context: typer.Context,
    user: Annotated[str, typer.Argument(metavar="USER", help="The new user, or one that is to join an organization.")],
    organization: ours.Organizations = None,
    name: ours.Name = "default",
    state: options.StateFolder = Path("state"),
) -> None:
    """Make a user with an API key, which is printed alone on stdout, or let one that is there join organizations."""
    from algosync.cli import access

    access.add_user(state, name, context.obj, user=user, organizations=organization or [])


@key.command("add")
def add_key(
    context: typer.Context,
    user: Annotated[
        str, typer.Option("--user", envvar="ALGOSYNC_USER", metavar="USER", help="Whose key; default: the cluster's first user.")
    ] = "",
    read_only: Annotated[
        bool, typer.Option("--read-only", envvar="ALGOSYNC_READ_ONLY", help="It may change nothing: read, call, clone.")
    ] = False,
    no_call: Annotated[bool, typer.Option("--no-call", envvar="ALGOSYNC_NO_CALL", help="It may call no algorithm.")] = False,
    no_management: Annotated[
        bool, typer.Option("--no-management", envvar="ALGOSYNC_NO_MANAGEMENT", help="It may change no algorithm, nor use git.")
    ] = False,
    admin: Annotated[
        bool, typer.Option("--admin", envvar="ALGOSYNC_ADMIN", help="It is for the administration, and for nothing else.")
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
    form: Annotated[ours.Form, typer.Option("--form", envvar="ALGOSYNC_FORM", help="How it looks.")] = ours.Form.PLAIN,
    name: ours.Name = "default",
    state: options.StateFolder = Path("state"),
) -> None:
    """Make one more API key, which is printed alone on stdout. The server knows it at once."""
    from algosync.cli import keys
    from algosync.core.error import UsageError

    if expired and expires_in is not None:
        raise UsageError("--expired and --expires-in exclude each other")
    if admin and (read_only or no_call or no_management):
        raise UsageError("--admin excludes --read-only, --no-call and --no-management: its key permits none of these anyway")
    ends = 0.0 if expired else expires_in
    wanted = keys.Wanted(user, form.value, not read_only, not no_call, not no_management, admin, ends)
    keys.add(state, name, context.obj, wanted)


@key.command("list")
def list_keys(
    context: typer.Context,
    name: ours.Name = "default",
    json: options.JsonOutput = False,
    state: options.StateFolder = Path("state"),
) -> None:
    """Tell of every key whose it is, what it permits, until when, and a short id. The keys themselves are shown never again."""
    from algosync.cli import keys

    keys.listed(state, name, context.obj, json=json)


@key.command("remove")
def remove_key(
    context: typer.Context, key_id: ours.KeyId, name: ours.Name = "default", state: options.StateFolder = Path("state")
) -> None:
    """Let nobody in with this key any more. The server knows at once."""
    from algosync.cli import keys

    keys.remove(state, name, context.obj, key_id=key_id)
