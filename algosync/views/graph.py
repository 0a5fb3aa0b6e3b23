"""The graph of a workflow: its algorithms, their data files, and what they need, as DOT, Mermaid or JSON.

An arrow goes from an algorithm to what it needs, as in `terraform graph`. Names are escaped: they may hold anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from algosync.core.resource import Json
from algosync.core.text import printable
from algosync.core.workflow import Workflow
from algosync.views.value import Redact

__all__ = ["GRAPH_FORMATS", "WorkflowGraph", "dot_lines", "graph_document", "mermaid_lines"]


@dataclass(frozen=True, slots=True)
class WorkflowGraph:
    """`calls`: for each algorithm the algorithms of the workflow that its local code calls. They need not be in `depends_on`."""

    workflow: Workflow
    calls: Mapping[str, Sequence[str]]

    def found(self, name: str) -> list[str]:
        """The calls of an algorithm that its `depends_on` does not have."""
        known = {name, *self.workflow.depends_on[name]}
        return [other for other in self.calls.get(name, ()) if other not in known and other in self.workflow.depends_on]


def dot_lines(graph: WorkflowGraph, redact: Redact) -> Iterator[str]:
    yield f"digraph {_quoted(redact(graph.workflow.name))} {{"
    yield "  rankdir=LR"
    for number, spec in enumerate(graph.workflow.algorithms):
        yield f"  a{number} [shape=box, label={_quoted(redact(spec.name))}]"
        for place, file in enumerate(spec.data_files):
            yield f"  a{number}f{place} [shape=note, label={_quoted(redact(file.name))}]"
            yield f"  a{number} -> a{number}f{place}"
    yield from _arrows(graph, "  {} -> {}", "  {} -> {} [style=dashed, label=calls]")
    yield "}"


def mermaid_lines(graph: WorkflowGraph, redact: Redact) -> Iterator[str]:
    yield "flowchart LR"
    for number, spec in enumerate(graph.workflow.algorithms):
        yield f'  a{number}["{_entities(redact(spec.name))}"]'
        for place, file in enumerate(spec.data_files):
            yield f'  a{number} --> a{number}f{place}[("{_entities(redact(file.name))}")]'
    yield from _arrows(graph, "  {} --> {}", "  {} -. calls .-> {}")


def graph_document(graph: WorkflowGraph) -> Json:
    return {
        "format_version": "1.0",
        "workflow": graph.workflow.name,
        "entrypoint": graph.workflow.entrypoint,
        "algorithms": [
            {
                "name": spec.name,
                "depends_on": list(spec.depends_on),
                "calls": graph.found(spec.name),
                "data_files": [{"name": file.name, "source": file.source} for file in spec.data_files],
            }
            for spec in graph.workflow.algorithms
        ],
    }


def _arrows(graph: WorkflowGraph, needs: str, calls: str) -> Iterator[str]:
    """`needs` and `calls`: the forms of an arrow between two nodes."""
    nodes = {spec.name: f"a{number}" for number, spec in enumerate(graph.workflow.algorithms)}
    for spec in graph.workflow.algorithms:
        yield from (needs.format(nodes[spec.name], nodes[other]) for other in spec.depends_on if other in nodes)
        yield from (calls.format(nodes[spec.name], nodes[other]) for other in graph.found(spec.name))


def _quoted(text: str) -> str:
    """A quoted string of DOT. A backslash is doubled, because it begins an escape of labels."""
    escaped = printable(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _entities(text: str) -> str:
    """The text of a Mermaid label: everything but letters, digits and a few harmless signs as a character code."""
    return "".join(each if each.isalnum() or each in " ._-/" else f"#{ord(each)};" for each in printable(text))


GRAPH_FORMATS: Mapping[str, Callable[[WorkflowGraph, Redact], Iterator[str]]] = {"dot": dot_lines, "mermaid": mermaid_lines}
"""The formats that are text. JSON is a document."""
