"""`algosync validate`: every fault of the file, and of the files beside it that it names, or that there is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.cli.choice import Choice
from algosync.cli.stage import loaded

if TYPE_CHECKING:
    from algosync.cli.terminal import Terminal
    from algosync.core.error import AlgosyncError
    from algosync.core.workflow import Workflow

__all__ = ["run"]


def run(choice: Choice, terminal: Terminal) -> None:
    from algosync.core.error import Several
    from algosync.core.text import plural, printable

    path, workflow = loaded(choice, terminal)
    if missing := tuple(_missing(workflow)):
        raise Several(missing)
    counts = f"{plural(len(workflow.algorithms), 'algorithm')}, {plural(len(workflow.tests), 'workflow test')}"
    terminal.result(terminal.paint("Success!", "green", "bold") + f" {printable(str(path))} is valid: {counts}.")


def _missing(workflow: Workflow) -> Iterator[AlgosyncError]:
    """Code that should lie beside the workflow. What is on a cluster only a plan can tell."""
    from algosync.core.error import SourceError
    from algosync.core.text import printable

    for spec in workflow.algorithms:
        scheme, _, path = (spec.code or f"file://algorithms/{spec.name}").partition("://")
        if scheme == "file" and not workflow.run_only and not (Path(workflow.folder) / path).exists():
            hint = f"it is looked for in {printable(workflow.folder)}"
            yield SourceError(f"{spec.name}: its code {printable(path)} does not exist", hint=hint)
