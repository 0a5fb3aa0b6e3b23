"""Variables from outside the file: `--var`, then `--var-file`, then the environment. The file's own defaults come after them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from algosync.core.error import UsageError, WorkflowError
from algosync.core.lean import dataclass
from algosync.workflow.fault import Faults, UnreadableError, quote
from algosync.workflow.file import format_of, read_text
from algosync.workflow.node import MapNode, kind_of
from algosync.workflow.parsing import read_nodes
from algosync.workflow.value import NAME, python_value

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from algosync.workflow.node import Node

__all__ = ["PREFIX", "GivenVariables", "variables"]

PREFIX = "ALGOSYNC_VAR_"
_OPTION = "ALGOSYNC_VAR_FILE"  # the default of the option --var-file, so it is no variable


@dataclass(frozen=True, slots=True)
class GivenVariables(Mapping[str, object]):
    """Values by name; its `repr` hides them.

    `named` gives the origin of each variable that the file must know. Variables of the environment are not among them, because it
    may serve several workflows.
    """

    values_by_name: Mapping[str, object] = field(repr=False)
    named: Mapping[str, str] = field(default_factory=dict)

    def extended(self, more: Mapping[str, object]) -> GivenVariables:
        """The same variables and some more, which a file need not know."""
        return GivenVariables({**self.values_by_name, **more}, self.named)

    def shared(self) -> GivenVariables:
        """The same variables for several files, none of which has to know them."""
        return GivenVariables(self.values_by_name)

    def __getitem__(self, name: str) -> object:
        return self.values_by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_name)

    def __len__(self) -> int:
        return len(self.values_by_name)


def variables(flags: Sequence[str], files: Sequence[Path], environ: Mapping[str, str]) -> GivenVariables:
    """Return the given values; the last flag or file wins.

    Flags (`k=v`) and the environment give texts, files any JSON value. Raises UsageError if a flag is not `k=v` or a file cannot be
    read, and WorkflowError with the faults of a file.
    """
    values: dict[str, object] = {
        name.removeprefix(PREFIX): value
        for name, value in environ.items()
        if name.startswith(PREFIX) and NAME.fullmatch(name, len(PREFIX)) and name != _OPTION
    }
    named: dict[str, str] = {}
    for path in files:
        for name, (value, line) in _read_file(path).items():
            values[name], named[name] = value, f"{quote(path.name)}, line {line}"
    for flag in flags:
        name, text = _parse_flag(flag)
        values[name], named[name] = text, "--var"
    return GivenVariables(values, named)


def _parse_flag(flag: str) -> tuple[str, str]:
    name, equals, value = flag.partition("=")
    if not equals:  # the flag is not shown, because its value may be a secret
        raise UsageError("--var takes NAME=VALUE")
    if not NAME.fullmatch(name):
        raise UsageError(f"--var: {name!r} is not the name of a variable", hint="a letter, then letters, digits, underscores")
    return name, value


def _read_file(path: Path) -> Mapping[str, tuple[object, int]]:
    """Return the values of a file with their lines."""
    try:
        form = format_of(path)
    except UsageError:
        hint = "write NAME: VALUE in a .yaml or .yml file, or a JSON object in a .json file"
        raise UsageError(f"--var-file {path}: a file of variables is YAML or JSON", hint=hint) from None
    if form.template:
        raise UsageError(f"--var-file {path}: a file of variables cannot be a template")
    faults = Faults()
    try:
        text = read_text(path, faults)
        root = read_nodes(text, form.syntax, faults)
        values = _values(root, faults)
    except UnreadableError:
        values = {}
    if faults.found:
        raise WorkflowError(str(path), tuple(faults.found))
    return values


def _values(root: Node, faults: Faults) -> dict[str, tuple[object, int]]:
    if not isinstance(root, MapNode):
        faults.add(root, "", "type", f"a map of variables is needed here, not {kind_of(root)}")
        return {}
    for key in root.key_nodes():
        if not NAME.fullmatch(key.text):
            message = "a variable's name is a letter, then letters, digits and underscores"
            faults.add(key, "", "variable-name", message)
    return {key.text: (python_value(root.entries[key.text], key.text, faults), key.line) for key in root.key_nodes()}
