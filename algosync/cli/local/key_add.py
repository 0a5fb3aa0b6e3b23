"""`algosync emulator key add`: create an API key of a local cluster."""

from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from algosync.cli.command import command
from algosync.cli.local.options import LocalClusterOptions
from algosync.cli.terminal import Terminal
from algosync.core.lean import dataclass

if TYPE_CHECKING:
    from algosync.core.error import AlgosyncError
    from algosync.emulator.records.accounts import Accounts
    from algosync.emulator.records.rights import Rights

__all__ = ["FormOption", "key_add"]

_LONGEST = 100 * 365 * 24 * 3600  # seconds


class FormOption(str, Enum):
    """The format of a key."""

    PLAIN = "plain"
    BASE64 = "base64"
    JWT = "jwt"


@dataclass(frozen=True, slots=True)
class KeyOptions(LocalClusterOptions):
    """Options of `emulator key add`. If `user` is empty, the key is for the cluster's first user."""

    user: Annotated[str, typer.Option(metavar="USER", help="The key's user. Default: the cluster's first user.")] = ""
    read_only: Annotated[bool, typer.Option("--read-only", help="The key can only read, call and clone.")] = False
    no_call: Annotated[bool, typer.Option("--no-call", help="The key cannot call algorithms.")] = False
    no_management: Annotated[bool, typer.Option("--no-management", help="The key can neither change algorithms nor use git.")] = (
        False
    )
    admin: Annotated[bool, typer.Option("--admin", help="The key is for the administration only.")] = False
    expired: Annotated[bool, typer.Option("--expired", help="The key is expired from the start.")] = False
    expires_in: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=0, help="The key expires after this time.", show_default=False)
    ] = None
    form: Annotated[FormOption, typer.Option(help="The key's format.")] = FormOption.PLAIN

    def rights(self) -> "Rights":
        """The permissions of the key."""
        from algosync.emulator.records.rights import ADMINISTERING, Rights

        return ADMINISTERING if self.admin else Rights(not self.read_only, not self.no_call, not self.no_management)

    def lifetime(self) -> float | None:
        """In seconds; None for a key that does not expire."""
        return 0.0 if self.expired else self.expires_in


@command
def key_add(terminal: Terminal, options: KeyOptions) -> None:
    """Create an API key. It is printed alone on stdout, and the server accepts it at once."""
    import time

    from algosync.cli.local.accounts import FIRST_USER, describe_key, new_or_existing_accounts
    from algosync.cli.local.running import running_cluster
    from algosync.emulator.records.keys import KeyFormat, new_key

    _check(options)
    root = options.root(terminal)
    cluster = running_cluster(root)
    user = options.user or (cluster.user if cluster else FIRST_USER)
    with new_or_existing_accounts(root, terminal, options.home.others(options.name)) as accounts:
        if not options.user:
            accounts.add_user(user)
        elif not accounts.has_user(user):
            raise _no_such_user(options.name, user, accounts)
        key = new_key(KeyFormat(options.form.value), user)
        lifetime = options.lifetime()
        accounts.add_key(user, key, options.rights(), None if lifetime is None else time.time() + lifetime)
    describe_key(key, user, options.rights(), terminal)
    terminal.result(key)


def _check(options: KeyOptions) -> None:
    from algosync.core.error import UsageError

    if options.expired and options.expires_in is not None:
        raise UsageError("--expired and --expires-in exclude each other")
    if options.admin and (options.read_only or options.no_call or options.no_management):
        raise UsageError(
            "--admin excludes --read-only, --no-call and --no-management: an administrator's key permits none of these"
        )
    # Written so that it also refuses NaN.
    if options.expires_in is not None and not 0 <= options.expires_in <= _LONGEST:
        raise UsageError(f"--expires-in must be between 0 and {_LONGEST} seconds (100 years)")


def _no_such_user(cluster: str, user: str, accounts: "Accounts") -> "AlgosyncError":
    from algosync.cli.local.location import emulator_command
    from algosync.core.error import AlgosyncError
    from algosync.core.text import printable

    shown = printable(user)
    if accounts.profile_of_organization(user) is not None:
        return AlgosyncError(f"{shown} is an organization, and only users have keys", hint="use --user with the name of a member")
    return AlgosyncError(f"the local cluster {cluster} has no user {shown}", hint=emulator_command(f"user add {shown}", cluster))
