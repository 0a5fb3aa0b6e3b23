"""From a file to a workflow: read, render, parse, check; all faults of the furthest stage that was reached are told at once.

No fault shows an API key of the environment (`leak`) or a sensitive variable. Where a file with sensitive variables has faults it
is loaded once more with a stand-in for each of them, and only what is said of that text too is said in full.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from algosync.core.error import WorkflowError
from algosync.core.secret import Secret
from algosync.workflow.declaration import check_named, check_unchanged, find_block, read_declarations, values_of
from algosync.workflow.document import read_document
from algosync.workflow.fault import CODES, Faults, UnreadableError
from algosync.workflow.file import Format, format_of, read_text
from algosync.workflow.given import Given
from algosync.workflow.json_reader import read_json
from algosync.workflow.leak import check_nodes, check_text, without_texts
from algosync.workflow.node import MapNode
from algosync.workflow.template import Rendered, render_template
from algosync.workflow.yaml_reader import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from algosync.core.error import Fault
    from algosync.core.workflow import Workflow
    from algosync.workflow.node import Node

__all__ = ["load", "render", "sensitive"]

_SHOWN = "***"
_STAND_IN = "sensitive"  # a word that no syntax cares about


@dataclass(frozen=True, slots=True)
class _Source:
    """A file before it is rendered. `block` is the declarations' node of a template, `values` its variables'.

    `keys` are the API keys that its text does not hold as it is.
    """

    path: Path
    form: Format
    text: str
    given: Given
    block: Node | None = None
    values: Mapping[str, object] = field(default_factory=dict, repr=False)
    hidden: frozenset[str] = frozenset()
    keys: tuple[str, ...] = field(default=(), repr=False)


def load(path: Path, variables: Mapping[str, object], secrets: Iterable[Secret] = ()) -> Workflow:
    """The workflow of a file. WorkflowError: its faults. UsageError: it cannot be read.

    `variables` are JSON values: what `variables()` gives, or any mapping, every name in which the file then has to know.
    `secrets` are API keys: a file that holds one is refused, and no fault shows it.
    """
    faults = Faults()
    source, workflow = None, None
    with suppress(UnreadableError), _no_garbage():  # `faults` knows why
        source = _open(path, variables, faults, [secret.reveal() for secret in secrets if secret])
        workflow = _read(source, faults)
    if workflow and not faults.found:
        return workflow
    raise WorkflowError(str(path), tuple(without_texts(_redact(faults.found, source))))


def render(path: Path, variables: Mapping[str, object]) -> str:
    """The text that a template gives, with `***` for sensitive variables; any other file's text. Errors as for `load`."""
    faults = Faults()
    try:
        return _render(_open(path, variables, faults), faults, _SHOWN).text
    except UnreadableError:
        raise WorkflowError(str(path), tuple(faults.found)) from None


def sensitive(path: Path, variables: Mapping[str, object]) -> tuple[Secret, ...]:
    """The values of a file's sensitive variables, for whoever shows anything made of the workflow. Errors as for `load`."""
    faults = Faults()
    try:
        source = _open(path, variables, faults)
    except UnreadableError:
        raise WorkflowError(str(path), tuple(faults.found)) from None
    return tuple(Secret(str(source.values[name])) for name in sorted(source.hidden))


def _open(path: Path, variables: Mapping[str, object], faults: Faults, keys: Sequence[str] = ()) -> _Source:
    """UnreadableError: nothing can be rendered or parsed."""
    form = format_of(path)
    given = variables if isinstance(variables, Given) else Given(dict(variables), dict.fromkeys(variables, "by the caller"))
    try:
        text = read_text(path, faults)
        found = check_text(text, keys, faults)
        source = _Source(path, form, text, given, keys=tuple(key for key in keys if key not in found))
        return _with_values(source, faults) if form.template else source
    finally:
        if form.template:
            faults.found[:] = [replace(fault, template_line=fault.line) for fault in faults.found]


def _with_values(source: _Source, faults: Faults) -> _Source:
    """The template with its block and its variables' values."""
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


def _read(source: _Source, faults: Faults, mask: str | None = None) -> Workflow | None:
    rendered = _render(source, faults, mask)
    found = Faults()
    try:
        root = (read_json if source.form.syntax == "json" else read_yaml)(rendered.text, found)
        check_nodes(root, source.keys, found)
        _check_variables(source, root, found)
        return read_document(root, source.form.stem, str(source.path.absolute().parent), found)
    finally:
        for fault in found.found:
            faults.found.append(replace(fault, template_line=rendered.template_line(fault.line, fault.column)))


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Switch the garbage collector off: nodes hold no cycles, and walking them again and again takes longer than making them."""
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
    entry = root.entries.get("variables") if isinstance(root, MapNode) else None
    declared = read_declarations(entry.value if entry else None, faults)
    check_named(declared or (), source.given, entry.value if entry else root, faults)


def _redact(found: list[Fault], source: _Source | None) -> list[Fault]:
    """The faults as they may be shown: what a text without the secrets has said of it as well is no secret."""
    if source is None or not source.hidden:
        return found
    shadow = Faults()
    with suppress(UnreadableError):
        _read(source, shadow, _STAND_IN)
    known = {_said(fault) for fault in shadow.found}
    hint = "a sensitive variable is involved, so the text is not shown"
    return [fault if _said(fault) in known else replace(fault, path="", message=CODES[fault.code], hint=hint) for fault in found]


def _said(fault: Fault) -> tuple[str, str, str, str | None]:
    return fault.path, fault.code, fault.message, fault.hint
