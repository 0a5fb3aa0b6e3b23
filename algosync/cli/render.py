"""`algosync render`: the text that a template gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from algosync.cli.stage import found, hidden_keys

if TYPE_CHECKING:
    from algosync.cli.choice import Choice
    from algosync.cli.terminal import Terminal

__all__ = ["run"]


def run(choice: Choice, terminal: Terminal) -> None:
    from algosync import workflow
    from algosync.core.text import printable_lines

    hidden_keys(choice, terminal)
    path = found(choice)
    given = workflow.variables(choice.variables, choice.variable_files, choice.environ)
    text = workflow.render(path, given)
    # A file that is piped on keeps its bytes; a terminal is not to be steered by them.
    if not terminal.out.isatty():
        terminal.verbatim(text.removesuffix("\n"))
        return
    for line in printable_lines(text):
        terminal.result(line)
