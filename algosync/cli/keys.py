"""Keys of a local cluster: made, listed by what they permit, removed. After it was made, nobody is shown a key again."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, fields
from datetime import datetime, timezone
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.cli.access import FIRST_USER, accounts_of, permitted, tell_of_key, tell_of_new
from algosync.cli.embedded import folder, named, standing
from algosync.cli.keeping import command
from algosync.core.error import AlgosyncError, UsageError
from algosync.core.text import printable

if TYPE_CHECKING:
    from algosync.cli.terminal import Terminal
    from algosync.core.resource import Json
    from algosync.emulator.records.accounts import KeyRecord
    from algosync.emulator.records.rights import Rights

__all__ = ["Wanted", "add", "listed", "remove"]

_LONGEST = 100 * 365 * 24 * 3600  # seconds
_LONGEST_KEY = 4096  # characters


@dataclass(frozen=True, slots=True)
class Wanted:
    """A key: whose (the cluster's first user's where that is empty), in what form, for what, for how many seconds.

    One for the `administration` is for nothing else.
    """

    user: str
    form: str
    write: bool
    call: bool
    management: bool
    administration: bool
    expires_in: float | None

    def rights(self) -> Rights:
        """As the cluster has them."""
        from algosync.emulator.records.rights import ADMINISTERING, Rights

        return ADMINISTERING if self.administration else Rights(self.write, self.call, self.management)


def add(state: Path, name: str, terminal: Terminal, wanted: Wanted) -> None:
    """The key on stdout. UsageError: it would end later than anybody can tell. AlgosyncError: there is no such user."""
    from algosync.emulator.records.keys import Form, new_key

    # Written so that it refuses what is no number, too.
    if wanted.expires_in is not None and not 0 <= wanted.expires_in <= _LONGEST:
        raise UsageError(f"--expires-in is not within 0 and {_LONGEST} seconds, which are 100 years")
    root = folder(state, name)
    cluster = standing(root)
    user = wanted.user or (cluster.user if cluster else FIRST_USER)
    tell_of_new(root, terminal)
    with accounts_of(root) as accounts:
        if not wanted.user:
            accounts.add_user(user)
        elif not accounts.has_user(user):
            raise _unknown(name, user, organization=accounts.profile_of_organization(user) is not None)
        made = new_key(Form(wanted.form), user)
        expires_at = None if wanted.expires_in is None else time.time() + wanted.expires_in
        accounts.add_key(user, made, wanted.rights(), expires_at)
    tell_of_key(made, user, wanted.rights(), terminal)
    terminal.result(made)


def listed(state: Path, name: str, terminal: Terminal, *, json: bool) -> None:
    """One line for each key. AlgosyncError: there is no such cluster."""
    with accounts_of(_existing(state, name)) as accounts:
        keys = accounts.key_records()
    if json:
        terminal.document({"format_version": "1.0", "keys": [_document(each) for each in keys]})
        return
    for each in keys:
        terminal.result(_line(each))


def remove(state: Path, name: str, terminal: Terminal, *, key_id: str) -> None:
    """By its id, or itself on stdin where that is `-`: keys are never arguments. The server knows at once.

    AlgosyncError: there is no such key, or it is one of those that the cluster was started with.
    """
    key_id = _given(terminal) if key_id == "-" else key_id
    with accounts_of(_existing(state, name)) as accounts:
        if not accounts.remove_key(key_id):
            main = any(each.id == key_id for each in accounts.key_records())
            why = "is a main key, which lives as long as its cluster" if main else "is the id of no key"
            raise AlgosyncError(f"{printable(key_id, 80)} {why}", hint=command("reset" if main else "key list", name))
    terminal.tell(f"The key {key_id} opens nothing any more.")


def _given(terminal: Terminal) -> str:
    """The id of the key that is the first line on stdin. UsageError: there is none."""
    from algosync.emulator.records.accounts import key_id

    key = _first_line().strip()
    if not key or len(key) > _LONGEST_KEY or not key.isascii():
        raise UsageError("there is no key on stdin")
    terminal.hide(key)
    return key_id(key)


def _first_line() -> str:
    """Of stdin, or enough of it to be too long. On a terminal it is asked for, and not shown. Empty where nothing can be read."""
    try:
        if sys.stdin is None:  # it is closed
            return ""
        if sys.stdin.isatty():
            return getpass("Key: ")
        return sys.stdin.readline(_LONGEST_KEY + len("\r\n") + 1)
    except (EOFError, OSError, ValueError):  # its end, a folder, no text
        return ""


def _unknown(name: str, user: str, *, organization: bool) -> AlgosyncError:
    shown = printable(user)
    if organization:
        return AlgosyncError(f"{shown} is an organization: keys are those of users", hint="--user with the name of a member")
    return AlgosyncError(f"the local cluster {name} has no user {shown}", hint=command(f"user add {shown}", name))


def _existing(state: Path, name: str) -> Path:
    root = folder(state, name)
    if not (root / "cluster.sqlite").exists():
        raise AlgosyncError(f"there is no local cluster {named(root)}", hint=command("start", name))
    return root


def _until(key: KeyRecord) -> str | None:
    if key.expires_at is None:
        return None
    try:
        return datetime.fromtimestamp(key.expires_at, timezone.utc).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        # Made before there was a limit, and never in the past: no calendar has it.
        return "after the year 9999"


def _line(key: KeyRecord) -> str:
    ends = "" if key.expires_at is None else f"  {'expired' if key.expires_at <= time.time() else 'until'} {_until(key)}"
    return f"{key.id}  {printable(key.user, 80)}  {', '.join(permitted(key.rights))}{ends}{'  main' if key.main else ''}"


def _document(key: KeyRecord) -> Json:
    rights = [each.name for each in fields(key.rights) if getattr(key.rights, each.name)]
    return {"id": key.id, "user": key.user, "rights": rights, "main": key.main, "expires_at": _until(key)}
