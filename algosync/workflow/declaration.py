"""The `variables:` block: the declarations and the values of a file's template variables.

A template's block must be known before the template is rendered. So it is read from the template's own text, as plain YAML or JSON
without template syntax, from a place that can be found without rendering:

- YAML: the key `variables:` at the start of a line, up to the next line that starts with anything but a space or `#`;
- JSON: the first member of the document, so that the text starts with `{"variables": {…}`. Jinja2 comments may precede it.

The rendered document must contain the same block. A block elsewhere, or one that the template generates, is a fault.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from algosync.core.lean import dataclass
from algosync.workflow.fault import Location
from algosync.workflow.node import MapNode, Scalar
from algosync.workflow.parsing import read_nodes
from algosync.workflow.parsing.json_reader import read_json_value
from algosync.workflow.payload import payload_text
from algosync.workflow.section import Section, nearest, section_of
from algosync.workflow.value import NAME, fit, python_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from algosync.workflow.fault import Faults
    from algosync.workflow.file import Format
    from algosync.workflow.given_variables import GivenVariables
    from algosync.workflow.node import Node

__all__ = ["Declaration", "check_named", "check_unchanged", "find_block", "read_declarations", "values_of"]

_YAML_BLOCK = re.compile(r"^variables[ \t]*:.*\n?(?:(?:[ \t#\r].*)?\n)*(?:[ \t#].*)?", re.MULTILINE)
_JSON_BLOCK = re.compile(r'\s*(?:\{#(?:(?!#\}).)*#\}\s*)*\{\s*"variables"\s*:', re.DOTALL)
_TEMPLATE_SYNTAX = re.compile(r"\{\{|\{%|\{#")
_MIN_SECRET = 4  # characters; masking shorter texts would destroy unrelated text and reveal the secret by the gaps
_KEYS = ("default", "description", "sensitive")


@dataclass(frozen=True, slots=True)
class Declaration:
    """One variable. `required` means that it has no default, so a value must be given."""

    name: str
    place: Scalar
    default: object
    required: bool
    sensitive: bool


def find_block(text: str, form: Format, faults: Faults) -> Node | None:
    """Return the block of a template's text with its locations, or None if there is none in the expected place."""
    if form.syntax == "json":
        match = _JSON_BLOCK.match(text)
        if match is None:
            return None
        block, end = read_json_value(text, match.end(), faults)
        _refuse_syntax(text, match.end(), end, faults)
        return block
    match = _YAML_BLOCK.search(text)
    if match is None:
        return None
    _refuse_syntax(text, match.start(), match.end(), faults)
    root = read_nodes("\n" * text.count("\n", 0, match.start()) + match.group(), "yaml", faults)
    return root.entries.get("variables") if isinstance(root, MapNode) else None


def _refuse_syntax(text: str, start: int, end: int, faults: Faults) -> None:
    if match := _TEMPLATE_SYNTAX.search(text, start, end):
        place = Location(text.count("\n", 0, match.start()) + 1, match.start() - text.rfind("\n", 0, match.start()))
        message = "template syntax in the variables block, which is read before anything is rendered"
        faults.stop(place, "variables-place", message, "write the block without it")


def check_unchanged(block: Node | None, root: Node, faults: Faults) -> None:
    """Report a fault if the block of the rendered document differs from the one found in the template."""
    found = root.entries.get("variables") if isinstance(root, MapNode) else None
    if found is None and block is None:
        return
    if found and block and payload_text(found, "") == payload_text(block, ""):
        return
    message = "the variables block could not be read before rendering"
    hint = "YAML: `variables:` at the beginning of a line; JSON: the first member of the document; no template syntax in it"
    place = root.key("variables") if found and isinstance(root, MapNode) else root
    faults.add(place, "variables", "variables-place", message, hint)


def read_declarations(block: Node | None, faults: Faults) -> list[Declaration] | None:
    """Return the declared variables, or None if the file has no block and so accepts any variable."""
    if block is None:
        return None
    if isinstance(block, Scalar) and block.kind == "null":
        return []
    if not isinstance(block, MapNode):
        section_of(block, "variables", faults, ())
        return []
    section = Section(block, "variables", faults, tuple(block.entries))
    return [_read_declaration(section, key) for key in block.key_nodes()]


def _read_declaration(block: Section, place: Scalar) -> Declaration:
    name = place.text
    path = block.where(name)
    if not NAME.fullmatch(name):
        message = "a variable's name is a letter, then letters, digits and underscores"
        block.faults.add(place, path, "variable-name", message)
    section = block.section(name, _KEYS)
    if section is None:
        return Declaration(name, place, None, required=block.get(name) is None, sensitive=False)
    section.note("description")
    sensitive = section.boolean("sensitive", default=False)
    node = section.find("default")
    if sensitive and node is not None:
        hint = f"leave the default out and give ALGOSYNC_VAR_{name}"
        section.faults.add(node, section.where("default"), "sensitive-default", "a sensitive variable has no default", hint)
    default = python_value(node, section.where("default"), section.faults) if node else None
    return Declaration(name, place, default, required=node is None, sensitive=sensitive)


def check_named(declarations: Iterable[Declaration], given: GivenVariables, block: Node, faults: Faults) -> None:
    """Report variables that were given for this file but are not declared in it."""
    known = {declaration.name for declaration in declarations}
    for name in sorted(given.named.keys() - known):
        message = f"the variable {name!r} was given ({given.named[name]}), but the file does not declare it"
        faults.add(block, "variables", "variable-unknown", message, nearest(name, known))


def values_of(declarations: Iterable[Declaration], given: GivenVariables, faults: Faults) -> Mapping[str, object]:
    """Return the value of every declared variable: the given one, or else its default."""
    return {declaration.name: _value(declaration, given, faults) for declaration in declarations}


def _value(declaration: Declaration, given: GivenVariables, faults: Faults) -> object:
    name, path = declaration.name, f"variables.{declaration.name}"
    if name not in given:
        if declaration.required:
            message = f"the variable {name!r} has no default and was not given"
            variable = "" if name == "FILE" else f", or ALGOSYNC_VAR_{name}"  # ALGOSYNC_VAR_FILE is the option --var-file
            faults.add(declaration.place, path, "variable-missing", message, f"give --var {name}=…{variable}")
        return declaration.default
    if declaration.sensitive:
        return _secret(declaration, given[name], path, faults)
    try:
        return fit(given[name], declaration.default)
    except ValueError as error:
        faults.add(declaration.place, path, "variable-type", f"the value given for {name!r} does not fit: {error}")
        return declaration.default


def _secret(declaration: Declaration, value: object, path: str, faults: Faults) -> str:
    """Return the value of a sensitive variable. Reports a value too short to be masked."""
    if not isinstance(value, str):
        faults.add(declaration.place, path, "variable-type", "a sensitive variable is a text")
        return ""
    if len(value.strip()) < _MIN_SECRET:
        message = f"a secret of fewer than {_MIN_SECRET} characters cannot be hidden, and {declaration.name!r} was given one"
        faults.add(declaration.place, path, "sensitive-short", message, "use a longer secret")
    return value
