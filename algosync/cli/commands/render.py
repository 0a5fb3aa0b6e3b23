"""`algosync render`: show the text that a template renders to."""

from __future__ import annotations

from algosync.cli.command import command
from algosync.cli.options import WorkflowOptions
from algosync.cli.terminal import Terminal

__all__ = ["render"]


@command
def render(terminal: Terminal, options: WorkflowOptions) -> None:
    """Show a rendered template, with sensitive variables as ***. Sends no request."""
    from algosync import workflow
    from algosync.cli.workflow_file import find_workflow, hide_keys
    from algosync.core.text import printable_lines

    hide_keys(options.environ, terminal)
    path = find_workflow(options)
    text = workflow.render(path, workflow.variables(options.var, options.variable_files, options.environ))
    # A pipe or a file gets the text unchanged. On a terminal, control characters are replaced.
    if not terminal.out.isatty():
        terminal.verbatim(text.removesuffix("\n"))
        return
    for line in printable_lines(text):
        terminal.result(line)
