"""The option of the commands that send messages."""

import os
from collections.abc import Mapping
from dataclasses import field
from enum import Enum
from typing import Annotated

import typer

from algosync.cli.help import RARE
from algosync.core.lean import dataclass

__all__ = ["ADDRESSES", "NotifyOn", "NotifyOptions"]

ADDRESSES = "ALGOSYNC_NOTIFY"
"""The variable with the addresses of apprise, separated by spaces. They hold tokens."""


class NotifyOn(Enum):
    """When a message is sent. `CHANGES`: also for failures."""

    CHANGES = "changes"
    FAILURES = "failures"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class NotifyOptions:
    """A command with a parameter of this type sends a message when it ends (see `command`)."""

    notify_on: Annotated[
        NotifyOn,
        typer.Option(help="When the addresses in ALGOSYNC_NOTIFY get a message.", rich_help_panel=RARE),
    ] = NotifyOn.CHANGES
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(self.environ.get(ADDRESSES, "").split())
