"""Load a workflow: read, render, parse, check. Reports all faults of the last stage that was reached.

No fault shows an API key of the environment (`leak`) or a sensitive variable. A file with sensitive variables and faults is loaded
again with a placeholder for each of them. Only faults that occur again with the same text are shown in full.
"""

from __future__ import annotations

import gc
import os
import sys
from contextlib import contextmanager, suppress
from dataclasses import field, replace
from typing import TYPE_CHECKING

from algosync.core.error import WorkflowError
from algosync.core.lean import dataclass
from algosync.core.secret import Secret
from algosync.workflow.declaration import check_named, check_unchanged, find_block, read_declarations, values_of
from algosync.workflow.document import EMPTY_HINT, read_document
from algosync.workflow.fault import CODES, Faults, Location, UnreadableError
from algosync.workflow.file import Format, format_of, read_text
from algosync.workflow.given_variables import GivenVariables
from algosync.workflow.leak import check_nodes, check_text, without_texts
from algosync.workflow.node import MapNode
from algosync.workflow.parsing import read_nodes
from algosync.workflow.template import Rendered, render_template
from algosync.workflow.testing.inputs import TestInputs
from algosync.workflow.testing.named_files import NamedFiles
from algosync.workflow.uri import workflow_name_fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from algosync.core.error import Fault
    from algosync.core.testing.case import TestCase
    from algosync.core.workflow import AlgorithmSpec, Workflow
    from algosync.workflow.node import Node

__all__ = ["STAND_IN", "load", "render", "sensitive", "with_stand_ins"]

_MASK = "***"
STAND_IN = "sensitive_variable_not_given"
_MARKS = ("{{", "{%")  # of a template
_PLACEHOLDER = "sensitive"  # a word without special meaning in any syntax


@dataclass(frozen=True, slots=True)
class _Source:
    """A file before rendering. `block` is the node of a template's declarations, `values` the values of its variables.

    `keys` are the API keys that do not occur in its text.
    """

    path: Path
    form: Format
    text: str
    given: GivenVariables
    block: Node | None = None
    values: Mapping[str, object] = field(default_factory=dict, repr=False)
    hidden: frozenset[str] = frozenset()
    keys: tuple[str, ...] = field(default=(), repr=False)


def load(
    path: Path,
    variables: Mapping[str, object],
    secrets: Iterable[Secret] = (),
    tests: TestInputs | None = None,
    *,
    local_files: bool = False,
) -> Workflow:
    """Load the workflow of a file. Raises WorkflowError with its faults; UsageError if it cannot be read.

    `variables` are JSON values: the result of `variables()`, or any mapping; the file must know every name in such a mapping.
    `secrets` are API keys: a file that contains one is refused, and no fault shows it. `tests`: how files of tests are read; by
    default they are beside the file, and expectations are not checked. `local_files`: report local code and data that are missing.
    """
    faults = Faults()
    inputs = tests or TestInputs(NamedFiles(path.absolute().parent))
    keys = (*inputs.keys, *(secret.reveal() for secret in secrets if secret))
    inputs = replace(inputs, keys=keys)
    source, workflow = None, None
    with suppress(UnreadableError), _gc_disabled():  # `faults` has the reason
        source = _open(path, variables, faults, keys)
        workflow = _read(source, faults, inputs, local_files=local_files)
    if workflow and not faults.found:
        return workflow
    found = without_texts(_redact(faults.found, source, inputs, local_files=local_files))
    name = workflow.name if workflow and not workflow_name_fault(workflow.name) else ""
    raise WorkflowError(str(path), tuple(_in_files(found, path, keys)), name)


def render(path: Path, variables: Mapping[str, object]) -> str:
    """Return the output of a template, with `***` for sensitive variables, or the text of any other file. Raises the errors of
    `load`.
    """
    faults = Faults()
    try:
        return _render(_open(path, variables, faults), faults, _MASK).text
    except UnreadableError:
        raise WorkflowError(str(path), tuple(faults.found)) from None


def sensitive(path: Path, variables: Mapping[str, object]) -> Mapping[str, Secret]:
    """Return the values of a file's sensitive variables by name. They must not be shown. Raises the errors of `load`."""
    faults = Faults()
    try:
        source = _open(path, variables, faults)
    except UnreadableError:
        raise WorkflowError(str(path), tuple(faults.found)) from None
    return {name: Secret(str(source.values[name])) for name in sorted(source.hidden)}


def with_stand_ins(path: Path, variables: GivenVariables) -> tuple[GivenVariables, tuple[str, ...]]:
    """Return the variables with a placeholder for each sensitive one that the file needs and nobody gave, and their names."""
    form, faults = format_of(path), Faults()
    declared = None
    with suppress(UnreadableError):  # `load` reports the reason
        declared = read_declarations(find_block(read_text(path, faults), form, faults), faults) if form.template else None
    missing = tuple(each.name for each in declared or () if each.sensitive and each.name not in variables)
    return variables.extended(dict.fromkeys(missing, STAND_IN)), missing


def _open(path: Path, variables: Mapping[str, object], faults: Faults, keys: Sequence[str] = ()) -> _Source:
    """Read the file. Raises UnreadableError if it can be neither rendered nor parsed."""
    form = format_of(path)
    if not isinstance(variables, GivenVariables):
        variables = GivenVariables(dict(variables), dict.fromkeys(variables, "by the caller"))
    try:
        text = read_text(path, faults)
        found = check_text(text, keys, faults)
        source = _Source(path, form, text, variables, keys=tuple(key for key in keys if key not in found))
        return _with_values(source, faults) if form.template else source
    finally:
        if form.template:
            faults.found[:] = [replace(fault, template_line=fault.line) for fault in faults.found]


def _with_values(source: _Source, faults: Faults) -> _Source:
    """Add the block and the values of the variables to a template."""
    block = find_block(source.text, source.form, faults)
    declared = read_declarations(block, faults)
    if block is None or declared is None:
        return replace(source, values=dict(source.given))
    check_named(declared, source.given, block, faults)
    values = values_of(declared, source.given, faults)
    if faults.found:
        raise UnreadableError
    hidden = frozenset(declaration.name for declaration in declared if declaration.sensitive)
    return replace(source, block=block, values=values, hidden=hidden)


def _render(source: _Source, faults: Faults, mask: str | None = None) -> Rendered:
    if not source.form.template:
        return Rendered(source.text)
    values = {name: mask if mask and name in source.hidden else value for name, value in source.values.items()}
    named = source.given.named if source.block is None else ()
    return render_template(source.text, values, faults, named=named)


def _in_files(found: Iterable[Fault], path: Path, keys: Iterable[str]) -> Iterator[Fault]:
    """The faults with the paths of their files as seen from the current folder. A path may hold a key."""
    for fault in found:
        file = _MASK if any(key in fault.file for key in keys) else fault.file
        yield replace(fault, file=os.path.normpath(path.parent / file)) if fault.file else fault


def _read(
    source: _Source, faults: Faults, inputs: TestInputs, mask: str | None = None, *, local_files: bool = False
) -> Workflow | None:
    rendered = _render(source, faults, mask)
    found = Faults()
    try:
        if not rendered.text.strip():
            found.stop(Location(1, 1), "empty", "the file has no content", EMPTY_HINT)
        root = read_nodes(rendered.text, source.form.syntax, found)
        check_nodes(root, source.keys, found)
        _check_variables(source, root, found)
        workflow = read_document(root, source.path, inputs, found, local_files=local_files)
        return _with_template_lines(workflow, rendered) if workflow and source.form.template else workflow
    finally:
        for fault in _with_template_hint(found.found, source):
            line = None if fault.file else rendered.template_line(fault.line, fault.column)
            faults.found.append(replace(fault, template_line=line))


def _with_template_hint(found: Sequence[Fault], source: _Source) -> Iterator[Fault]:
    """The faults. If the file is not rendered, the first one that marks of a template have caused says so."""
    if not found or source.form.template:
        return iter(found)
    lines = source.text.split("\n")
    caused = [fault for fault in found if not fault.file and _is_of_marks(fault, lines[fault.line - 1 : fault.line])]
    first = min(caused, key=lambda fault: (fault.line, fault.column), default=None)
    hint = "only a file whose name ends with .j2 is a template: give this one such a name"
    return (replace(fault, hint=hint) if fault is first else fault for fault in found)


def _is_of_marks(fault: Fault, lines: Iterable[str]) -> bool:
    """Whether marks of a template are in the text that the fault quotes, or at its place. `lines`: the line of the fault.

    A parser reports them at any place of their line.
    """
    if fault.code == "syntax":
        return any(mark in line for mark in _MARKS for line in lines)
    return any(mark in fault.message for mark in _MARKS) or any(line.startswith(_MARKS, fault.column - 1) for line in lines)


def _with_template_lines(workflow: Workflow, rendered: Rendered) -> Workflow:
    """The workflow with the lines of its data files and tests in the template."""

    def test(case: TestCase) -> TestCase:
        return replace(case, line=rendered.template_line(case.line, sys.maxsize) or 0)

    def of(spec: AlgorithmSpec) -> AlgorithmSpec:
        files = (replace(file, line=rendered.template_line(file.line or 1, sys.maxsize)) for file in spec.data_files)
        return replace(spec, data_files=tuple(files), tests=tuple(map(test, spec.tests)))

    return replace(workflow, algorithms=tuple(map(of, workflow.algorithms)), tests=tuple(map(test, workflow.tests)))


@contextmanager
def _gc_disabled() -> Iterator[None]:
    """Disable the garbage collector: nodes have no cycles, and collecting takes longer than creating them."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _check_variables(source: _Source, root: Node, faults: Faults) -> None:
    if source.form.template:
        check_unchanged(source.block, root, faults)
        return
    block = root.entries.get("variables") if isinstance(root, MapNode) else None
    declared = read_declarations(block, faults)
    check_named(declared or (), source.given, block or root, faults)


def _redact(found: list[Fault], source: _Source | None, inputs: TestInputs, *, local_files: bool) -> list[Fault]:
    """Hide the text of faults that may contain a secret: those that do not occur when placeholders replace the secrets."""
    if source is None or not source.hidden:
        return found
    shadow = Faults()
    with suppress(UnreadableError):
        _read(source, shadow, inputs, _PLACEHOLDER, local_files=local_files)
    known = {_content(fault) for fault in shadow.found}
    hint = "a sensitive variable is involved, so the text is not shown"
    return [fault if _content(fault) in known else _hidden(fault, hint) for fault in found]


def _hidden(fault: Fault, hint: str) -> Fault:
    return replace(fault, path="", message=CODES[fault.code], hint=hint, file=_MASK if fault.file else "")


def _content(fault: Fault) -> tuple[str, str, str, str, str | None]:
    return fault.file, fault.path, fault.code, fault.message, fault.hint
