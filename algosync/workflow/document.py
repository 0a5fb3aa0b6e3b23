"""Read the whole document into a Workflow, and check what involves several parts of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from algosync.core.workflow import Workflow
from algosync.workflow.algorithm import ALGORITHM_KEYS, read_algorithm
from algosync.workflow.dependency import cycles
from algosync.workflow.fault import quote
from algosync.workflow.file import format_of
from algosync.workflow.keys.guards import read_guards
from algosync.workflow.keys.moves import read_moves
from algosync.workflow.keys.required_version import require_version
from algosync.workflow.local_files import check_local_files
from algosync.workflow.node import MapNode, Scalar
from algosync.workflow.section import nearest, section_of
from algosync.workflow.testing.reader import TestReader
from algosync.workflow.uri import address_fault, owner_fault, workflow_name_fault

if TYPE_CHECKING:
    from pathlib import Path

    from algosync.core.testing.case import TestCase
    from algosync.workflow.algorithm import AlgorithmEntry
    from algosync.workflow.fault import Faults
    from algosync.workflow.node import Node
    from algosync.workflow.section import Section
    from algosync.workflow.testing.inputs import TestInputs

__all__ = ["EMPTY_HINT", "read_document"]

_KEYS = (
    *("name", "required_version", "source_info", "algorithm_owner", "variables", "test_info", "algorithms", "run_only"),
    *("guards", "moved", "removed", "$schema"),
)
EMPTY_HINT = "the shortest workflow is: algorithms: [{name: Hello, language: python3}], with its code in algorithms/Hello"
_REPORT_KEYS = {"resource_changes", "drift", "records"}
_USER_INFO = re.compile(r"//.*@", re.DOTALL)


def read_document(root: Node, path: Path, inputs: TestInputs, faults: Faults, *, local_files: bool = False) -> Workflow | None:
    """Return the workflow, or None if the document is not a map. Use it only if `faults` is empty afterwards.

    `path`: of the file, whose stem is the workflow's name if the document has none. `inputs`: of tests. `local_files`: report local
    code and data that are missing.
    """
    folder = str(path.absolute().parent)
    _refuse_empty(root, faults)
    _refuse_report(root, faults)
    require_version(root, faults)
    document = section_of(root, "", faults, _KEYS)
    if document is None:
        return None
    document.note("$schema")  # for editors
    owner = document.text("algorithm_owner")
    if owner and (wrong := owner_fault(owner.text)):
        faults.add(owner, "algorithm_owner", "invalid-name", f"{quote(owner.text)}: {wrong}")
    own_name = document.text("name")
    if own_name and (wrong := workflow_name_fault(own_name.text)):
        faults.add(own_name, "name", "invalid-name", f"{quote(own_name.text)}: {wrong}")
    algorithms = _read_algorithms(document, folder, inputs)
    _check_names(algorithms, faults)
    _check_dependencies(algorithms, faults)
    source = _read_source_address(document)
    entrypoint, tests = _read_tests(document, algorithms, inputs)
    moved, removed = read_moves(document, {algorithm.spec.name for algorithm in algorithms if algorithm.name})
    run_only = document.boolean("run_only", default=False)
    if local_files and not run_only:
        check_local_files(algorithms, source, folder, faults)
    return Workflow(
        name=own_name.text if own_name else format_of(path).stem,
        folder=folder,
        algorithms=tuple(algorithm.spec for algorithm in algorithms),
        source_address=source.text if source else None,
        owner=owner.text if owner else None,
        entrypoint=entrypoint,
        tests=tests,
        run_only=run_only,
        moved=moved,
        removed=removed,
        guards=read_guards(document),
    )


def _refuse_empty(root: Node, faults: Faults) -> None:
    """Raises UnreadableError if the document is null: the file has comments only, or its template prints nothing."""
    if isinstance(root, Scalar) and root.kind == "null":
        faults.stop(root, "empty", "the file has no content", EMPTY_HINT)


def _refuse_report(root: Node, faults: Faults) -> None:
    """Raises UnreadableError if the document is a report of algosync, whose keys would all be unknown."""
    if isinstance(root, MapNode) and "format_version" in root.entries and root.entries.keys() & _REPORT_KEYS:
        hint = "give the workflow that it was made of; apply makes its own plan"
        faults.stop(root, "report", "this is a report of a plan, of a drift or of a state, not a workflow", hint)


def _read_source_address(document: Section) -> Scalar | None:
    source = document.section("source_info", ("cluster_address",))
    address = source.text("cluster_address", required=True) if source else None
    if address and source and (wrong := address_fault(address.text)):
        bare_host = "://" not in address.text and not address.text.startswith("local:")
        hint = (nearest(address.text, ["local"]) or f"write https://{address.text}") if bare_host else None
        message = f"{quote(_USER_INFO.sub('//***@', address.text))}: {wrong}"
        source.faults.add(address, source.where("cluster_address"), "invalid-address", message, hint)
    return address


def _read_algorithms(document: Section, folder: str, inputs: TestInputs) -> list[AlgorithmEntry]:
    items = document.list("algorithms", required=True)
    if not items and (node := document.find("algorithms")) and not isinstance(node, Scalar):
        document.faults.add(node, "algorithms", "empty", "a workflow has at least one algorithm")
    sections = (section_of(node, path, document.faults, ALGORITHM_KEYS) for node, path in items)
    return [read_algorithm(section, folder, inputs) for section in sections if section]


def _check_names(algorithms: list[AlgorithmEntry], faults: Faults) -> None:
    """Report names that differ only in case: a cluster or a file system may not distinguish them."""
    first: dict[str, Scalar] = {}
    for algorithm in algorithms:
        name = algorithm.name
        if name and (other := first.setdefault(name.text.casefold(), name)) is not name:
            message = f"{quote(other.text)} is an algorithm's name on line {other.line} already"
            faults.add(name, f"{algorithm.path}.name", "duplicate-algorithm", message)


def _check_dependencies(algorithms: list[AlgorithmEntry], faults: Faults) -> None:
    names = {algorithm.spec.name: algorithm for algorithm in algorithms if algorithm.name}
    for algorithm in algorithms:
        for dependency, path in algorithm.depends_on:
            if dependency.text not in names:
                message = f"{quote(dependency.text)} is not one of the algorithms"
                faults.add(dependency, path, "unknown-dependency", message, nearest(dependency.text, names))
    for cycle in cycles({name: algorithm.spec.depends_on for name, algorithm in names.items()}):
        last, following = names[cycle[-2]], cycle[-1]
        node, path = next(entry for entry in last.depends_on if entry[0].text == following)
        shown = cycle if len(cycle) <= 8 else (*cycle[:4], "…", *cycle[-3:])
        message = f"algorithms wait for each other: {' -> '.join(shown)}"
        faults.add(node, path, "dependency-cycle", message, "remove one of these dependencies")


def _read_tests(document: Section, algorithms: list[AlgorithmEntry], inputs: TestInputs) -> tuple[str | None, tuple[TestCase, ...]]:
    """The entrypoint and the workflow's tests. They share their names with the entrypoint's own tests."""
    info = document.section("test_info", ("entrypoint", "tests"))
    if info is None:
        return None, ()
    entries = {algorithm.spec.name: algorithm for algorithm in algorithms if algorithm.name}
    entrypoint = info.text("entrypoint")
    if entrypoint and entrypoint.text not in entries:
        message = f"{quote(entrypoint.text)} is not one of the algorithms"
        hint = nearest(entrypoint.text, entries)
        info.faults.add(entrypoint, info.where("entrypoint"), "unknown-entrypoint", message, hint)
    items = info.list("tests")
    if items and info.get("entrypoint") is None:
        message = "there are tests, and no entrypoint to call"
        info.faults.add(info.node, info.where("entrypoint"), "tests-without-entrypoint", message, "name one of the algorithms")
    algorithm = entrypoint.text if entrypoint else ""
    reader = entries[algorithm].tests if algorithm in entries else TestReader(algorithm, inputs)
    return algorithm or None, reader.tests(items, info)
