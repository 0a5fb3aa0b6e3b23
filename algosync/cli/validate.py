"""`algosync validate`: every fault of the file, or that there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from algosync.cli.choice import Choice
from algosync.cli.stage import loaded

if TYPE_CHECKING:
    from algosync.views.terminal import Terminal

__all__ = ["run"]


def run(choice: Choice, terminal: Terminal) -> None:
    from algosync.core.text import plural, printable

    path, workflow = loaded(choice, terminal)
    counts = f"{plural(len(workflow.algorithms), 'algorithm')}, {plural(len(workflow.tests), 'workflow test')}"
    terminal.result(terminal.paint("Success!", "green", "bold") + f" {printable(str(path))} is valid: {counts}.")
