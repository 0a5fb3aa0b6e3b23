"""The graph of a workflow: its algorithms, their data files, and what they need, as DOT, Mermaid or JSON.

An arrow goes from an algorithm to what it needs, as in `terraform graph`. Names are escaped: they may hold anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field

from algosync.core.lean import dataclass
from algosync.core.resource import Json
from algosync.core.text import printable
from algosync.core.workflow import Workflow
from algosync.views.value import Redact

__all__ = ["GRAPH_FORMATS", "WorkflowGraph", "dot_lines", "graph_document", "mermaid_lines"]


@dataclass(frozen=True, slots=True)
class WorkflowGraph:
    """`calls`: for each algorithm the algorithms of the workflow that its local code calls. They need not be in `depends_on`.

    `reads`: for each algorithm the collections that its local code reads, with the names of the files. No names: any of its files.
    """

    workflow: Workflow
    calls: Mapping[str, Sequence[str]]
    reads: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)

    def found(self, name: str) -> list[str]:
        """The calls of an algorithm that its `depends_on` does not have."""
        known = {name, *self.workflow.depends_on[name]}
        return [other for other in self.calls.get(name, ()) if other not in known and other in self.workflow.depends_on]

    def read(self, name: str) -> Mapping[str, Sequence[str]]:
        """The data of other algorithms of the workflow that an algorithm reads, as in `reads`."""
        found = self.reads.get(name, {})
        return {other: files for other, files in found.items() if other != name and other in self.workflow.depends_on}


def dot_lines(graph: WorkflowGraph, redact: Redact) -> Iterator[str]:
    yield f"digraph {_quoted(redact(graph.workflow.name))} {{"
    yield "  rankdir=LR"
    for number, spec in enumerate(graph.workflow.algorithms):
        yield f"  a{number} [shape=box, label={_quoted(redact(spec.name))}]"
        for place, file in enumerate(spec.data_files):
            yield f"  a{number}f{place} [shape=note, label={_quoted(redact(file.name))}]"
            yield f"  a{number} -> a{number}f{place}"
    yield from _arrows(graph, "  {} -> {}", "  {} -> {} [style=dashed, label=calls]", "  {} -> {} [style=dotted, label=reads]")
    yield "}"


def mermaid_lines(graph: WorkflowGraph, redact: Redact) -> Iterator[str]:
    yield "flowchart LR"
    for number, spec in enumerate(graph.workflow.algorithms):
        yield f'  a{number}["{_entities(redact(spec.name))}"]'
        for place, file in enumerate(spec.data_files):
            yield f'  a{number} --> a{number}f{place}[("{_entities(redact(file.name))}")]'
    yield from _arrows(graph, "  {} --> {}", "  {} -. calls .-> {}", "  {} -. reads .-> {}")


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
                "reads": {other: list(files) for other, files in graph.read(spec.name).items()},
                "data_files": [{"name": file.name, "source": file.source} for file in spec.data_files],
            }
            for spec in graph.workflow.algorithms
        ],
    }


def _arrows(graph: WorkflowGraph, needs: str, calls: str, reads: str) -> Iterator[str]:
    """`needs`, `calls` and `reads`: the forms of an arrow between two nodes."""
    nodes = {spec.name: f"a{number}" for number, spec in enumerate(graph.workflow.algorithms)}
    for spec in graph.workflow.algorithms:
        yield from (needs.format(nodes[spec.name], nodes[other]) for other in spec.depends_on if other in nodes)
        yield from (calls.format(nodes[spec.name], nodes[other]) for other in graph.found(spec.name))
        for other, names in graph.read(spec.name).items():
            yield from (reads.format(nodes[spec.name], node) for node in _read_nodes(graph, other, names))


def _read_nodes(graph: WorkflowGraph, name: str, files: Sequence[str]) -> Iterator[str]:
    """The nodes of the files of an algorithm that are read. Its own node stands for a file that the workflow does not have, and for
    all files.
    """
    number, spec = next((n, spec) for n, spec in enumerate(graph.workflow.algorithms) if spec.name == name)
    places = {file.name: place for place, file in enumerate(spec.data_files)}
    yield from (f"a{number}f{places[file]}" for file in files if file in places)
    if not files or any(file not in places for file in files):
        yield f"a{number}"


def _quoted(text: str) -> str:
    """A quoted string of DOT. A backslash is doubled, because it begins an escape of labels."""
    escaped = printable(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _entities(text: str) -> str:
    """The text of a Mermaid label: everything but letters, digits and a few harmless signs as a character code."""
    return "".join(each if each.isalnum() or each in " ._-/" else f"#{ord(each)};" for each in printable(text))


GRAPH_FORMATS: Mapping[str, Callable[[WorkflowGraph, Redact], Iterator[str]]] = {"dot": dot_lines, "mermaid": mermaid_lines}
"""The formats that are text. JSON is a document."""
