"""`algosync graph`: show what the algorithms of a workflow need."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from algosync.cli.command import command
from algosync.cli.options import WorkflowOptions
from algosync.cli.terminal import Terminal

__all__ = ["graph"]


class GraphFormat(str, Enum):
    DOT = "dot"
    MERMAID = "mermaid"
    JSON = "json"


Format = Annotated[GraphFormat, typer.Option("--format", help="The language of the graph.")]


@command
def graph(terminal: Terminal, options: WorkflowOptions, format: Format = GraphFormat.DOT) -> None:  # noqa: A002  # its option
    """Show algorithms, data files and dependencies as a graph. Sends no request."""
    from pathlib import Path

    from algosync.cli.workflow_file import load_workflow
    from algosync.sources.called_algorithms import calls_in
    from algosync.sources.code import local_files
    from algosync.sources.read_collections import collections_in
    from algosync.views.graph import GRAPH_FORMATS, WorkflowGraph, graph_document

    workflow = load_workflow(options, terminal, stand_ins=True).workflow
    codes = {spec.name: local_files(spec, Path(workflow.folder)) for spec in workflow.algorithms}
    calls = {name: tuple(dict.fromkeys(called for _, _, called in calls_in(code))) for name, code in codes.items()}
    found = WorkflowGraph(workflow, calls, {name: collections_in(code, ".my", name) for name, code in codes.items()})
    if format is GraphFormat.JSON:
        terminal.document(graph_document(found))
    else:
        terminal.result_lines(GRAPH_FORMATS[format.value](found, terminal.redact))
