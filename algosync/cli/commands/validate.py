"""`algosync validate`: report every fault of a workflow file, and every file it names that is missing."""

from __future__ import annotations

from algosync.cli.command import command
from algosync.cli.options import WorkflowOptions
from algosync.cli.terminal import Terminal

__all__ = ["validate"]


@command
def validate(terminal: Terminal, options: WorkflowOptions) -> None:
    """Check a workflow file; show every fault with its location. Sends no request."""
    from algosync.cli.workflow_file import load_workflow
    from algosync.core.testing.idle_rules import idle_rule_warnings
    from algosync.core.text import plural, printable
    from algosync.sources.called_algorithms import call_warnings

    loaded = load_workflow(options, terminal, local_files=True, stand_ins=True)
    workflow = loaded.workflow
    terminal.tell_lines(idle_rule_warnings(workflow))
    terminal.tell_lines(call_warnings(workflow))
    own = [case for spec in workflow.algorithms for case in spec.tests if case.name]
    cases = sum(case.cases.count for case in (*own, *workflow.tests) if case.cases)
    counts = f"{plural(len(workflow.algorithms), 'algorithm')}, {plural(len(workflow.tests), 'workflow test')}"
    if own:
        counts += f", {plural(len(own), 'test')} of algorithms"
    if cases:
        counts += f", {plural(cases, 'case')}"
    terminal.result(terminal.paint("Success!", "green", "bold") + f" {printable(str(loaded.path))} is valid: {counts}.")
