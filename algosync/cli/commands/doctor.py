"""`algosync doctor`: check everything that a command needs, and say how to get what is missing."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

import typer

from algosync.cli.command import command
from algosync.cli.options import ClusterOptions, JsonOutput
from algosync.cli.terminal import Terminal

__all__ = ["doctor"]

_TRIES = 2  # of a request: an answer now is worth more than one after minutes


@command
def doctor(terminal: Terminal, options: ClusterOptions, json: JsonOutput = False) -> None:
    """Check clusters, keys, git, state and this machine. Says what is missing; changes nothing."""
    from algosync.cli.clusters import clusters
    from algosync.cli.doctor.checks import examine
    from algosync.cli.doctor.examination import Examination
    from algosync.cli.report_output import document_metadata
    from algosync.cli.workflow_file import hide_keys, hide_state_keys
    from algosync.views.doctor import diagnosis_lines, doctor_document, summary

    hide_keys(options.environ, terminal)
    hide_state_keys(options, terminal)
    found = []
    with ExitStack() as stack:
        connections = clusters(options, terminal, stack)
        net = replace(connections.net, retry=replace(connections.net.retry, tries=_TRIES))
        for diagnosis in examine(Examination(options, terminal, replace(connections, net=net))):
            found.append(diagnosis)
            if not json:
                terminal.result_lines(diagnosis_lines(diagnosis))
    if json:
        terminal.document(doctor_document(found, document_metadata()))
    else:
        terminal.result(f"\n{summary(found)}")
    if any(each.status == "failed" for each in found):
        raise typer.Exit(1)
