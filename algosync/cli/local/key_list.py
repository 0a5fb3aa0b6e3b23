"""`algosync emulator key list`: list the API keys of a local cluster. The keys themselves are never shown."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from algosync.cli.command import command
from algosync.cli.local.options import LocalClusterOptions
from algosync.cli.options import JsonOutput
from algosync.cli.terminal import Terminal

if TYPE_CHECKING:
    from algosync.core.resource import Json
    from algosync.emulator.records.accounts import KeyRecord

__all__ = ["key_list"]


@command
def key_list(terminal: Terminal, options: LocalClusterOptions, json: JsonOutput = False) -> None:
    """List the API keys by a short id, with user, rights and expiry. The keys themselves are not shown."""
    from algosync.cli.local.accounts import existing_accounts

    with existing_accounts(options.root(terminal), options.home.others(options.name)) as accounts:
        keys = accounts.key_records()
    if json:
        terminal.document({"format_version": "1.0", "keys": [_document(each) for each in keys]})
        return
    for each in keys:
        terminal.result(_line(each))


def _line(key: KeyRecord) -> str:
    import time

    from algosync.cli.local.accounts import permissions
    from algosync.core.text import printable

    expiry = "" if key.expires_at is None else f"  {'expired' if key.expires_at <= time.time() else 'until'} {_expiry(key)}"
    return f"{key.id}  {printable(key.user, 80)}  {', '.join(permissions(key.rights))}{expiry}{'  main' if key.main else ''}"


def _document(key: KeyRecord) -> Json:
    rights = [each.name for each in fields(key.rights) if getattr(key.rights, each.name)]
    return {"id": key.id, "user": key.user, "rights": rights, "main": key.main, "expires_at": _expiry(key)}


def _expiry(key: KeyRecord) -> str | None:
    from datetime import datetime, timezone

    if key.expires_at is None:
        return None
    try:
        return datetime.fromtimestamp(key.expires_at, timezone.utc).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        # Older versions of algosync did not limit a key's lifetime.
        return "after the year 9999"
