"""`algosync emulator user add`: create a user of a local cluster, or add one to organizations."""

from __future__ import annotations

from typing import Annotated

import typer

from algosync.cli.command import command
from algosync.cli.local.options import LocalClusterOptions
from algosync.cli.terminal import Terminal

__all__ = ["user_add"]

UserName = Annotated[str, typer.Argument(metavar="USER", help="A new user, or an existing user who joins an organization.")]
Organizations = Annotated[
    list[str] | None,
    typer.Option(
        "--organization",
        metavar="ORG",
        help="Add the user to this organization, which is created if needed; may be repeated.",
        show_default=False,
    ),
]


@command
def user_add(terminal: Terminal, options: LocalClusterOptions, user: UserName, organization: Organizations = None) -> None:
    """Create a user with an API key, or add a user to organizations. The key is printed alone on stdout."""
    from algosync.cli.local.accounts import describe_key, new_or_existing_accounts
    from algosync.cli.local.location import emulator_command
    from algosync.core.error import AlgosyncError
    from algosync.core.text import printable
    from algosync.emulator.records.keys import new_key
    from algosync.emulator.records.rights import EVERYTHING

    organizations, shown = organization or [], printable(user)
    with new_or_existing_accounts(options.root(terminal), terminal, options.home.others(options.name)) as accounts:
        known, before = accounts.has_user(user), accounts.organizations(user)
        if known and not organizations:
            raise AlgosyncError(f"the user {shown} exists already", hint=emulator_command(f"key add --user {shown}", options.name))
        key = None if known else new_key()
        accounts.enrol(user, organizations, key)
        joined = [each for each in accounts.organizations(user) if each not in before]
    if key:
        describe_key(key, user, EVERYTHING, terminal)
    if organizations:
        terminal.tell(f"{shown} joined {', '.join(joined)}." if joined else f"{shown} is a member already.")
    if key:
        terminal.result(key)
