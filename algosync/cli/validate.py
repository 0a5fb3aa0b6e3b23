"""`algosync validate`: report every fault of a workflow file, and every file it names that is missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.cli.command import command
from algosync.cli.options import WorkflowOptions
from algosync.cli.terminal import Terminal

if TYPE_CHECKING:
    from algosync.cli.terminal import Terminal
    from algosync.core.error import AlgosyncError
    from algosync.core.workflow import Workflow

__all__ = ["validate"]


@command
def validate(terminal: Terminal, options: WorkflowOptions) -> None:
    """Check a workflow file; show every fault with its place. Sends no request."""
    from algosync.cli.workflow_file import load_workflow
    from algosync.core.error import Several
    from algosync.core.text import plural, printable

    path, workflow = load_workflow(options, terminal)
    if missing := tuple(_missing_code(workflow)):
        raise Several(missing)
    counts = f"{plural(len(workflow.algorithms), 'algorithm')}, {plural(len(workflow.tests), 'workflow test')}"
    terminal.result(terminal.paint("Success!", "green", "bold") + f" {printable(str(path))} is valid: {counts}.")


def _missing_code(workflow: Workflow) -> Iterator[AlgosyncError]:
    """An error for each algorithm whose local code does not exist. Code on a cluster is checked by `plan`."""
    from algosync.core.error import SourceError
    from algosync.core.text import printable

    for spec in workflow.algorithms:
        scheme, _, path = (spec.code or f"file://algorithms/{spec.name}").partition("://")
        if scheme == "file" and not workflow.run_only and not (Path(workflow.folder) / path).exists():
            hint = f"it should be in {printable(workflow.folder)}"
            yield SourceError(f"{spec.name}: its code {printable(path)} does not exist", hint=hint)
