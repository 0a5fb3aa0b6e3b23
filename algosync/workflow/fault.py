"""What can be wrong with a workflow file: the table of codes, and the collector that every reader tells.

Codes are stable: scripts and expected lists rely on them. A file's faults are told all at once, so a reader never stops at the
first one unless nothing after it can be understood (`Faults.stop`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from algosync.core.error import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from algosync.workflow.node import Node

__all__ = ["CODES", "MAX_FAULTS", "Faults", "Place", "UnreadableError", "quote"]

MAX_FAULTS = 1000  # more than this is not a workflow file, and nobody reads on

CODES: Mapping[str, str] = {
    # the text
    "encoding": "the file is not UTF-8, or begins with a byte order mark",
    "control-character": "a character that may not stand in a text file",
    "syntax": "not JSON or not YAML",
    "second-document": "a YAML stream of more than one document",
    "too-deep": "nested deeper than anything a workflow needs",
    "too-large": "too many bytes or nodes, what aliases stand for included",
    "too-many-faults": "told only the first thousand",
    "duplicate-key": "a key that its map has already",
    "key-not-text": "a YAML key that is a number, a boolean, null or a collection",
    "number-not-json": "NaN, infinity, or a number too long to be converted",
    "number-ambiguous": "a YAML number with leading zeros, which readers take for different values",
    "lone-surrogate": "half of a surrogate pair, which no UTF-8 text can hold",
    "tag": "a YAML tag",
    "unknown-alias": "a YAML alias without an anchor before it",
    "alias-cycle": "a YAML alias inside of what it stands for",
    "merge": "a YAML merge key whose value is neither a map nor a list of maps",
    # the template
    "template-syntax": "not a Jinja2 template",
    "template-undefined": "a name that nobody declared, gave or set",
    "template-failed": "the template ended with an error",
    "template-forbidden": "something that a template may not do: other files, unsafe attributes",
    "template-too-expensive": "the template needs too much time, memory or output",
    "template-line-break": "a variable with line breaks that is printed as it is",
    # its variables
    "variables-place": "the variables block of a template is not where it can be read before rendering, or not plain",
    "variable-name": "not the name of a variable",
    "variable-missing": "a variable without default that was not given",
    "variable-unknown": "a variable was given that the file does not declare",
    "variable-type": "a variable's value does not fit its declaration, or would be rounded",
    "sensitive-short": "a secret too short to be hidden",
    "sensitive-default": "a secret in the file: a sensitive variable has a default",
    # the content
    "key-in-file": "one of the API keys that the environment gives",
    "type": "a value of another type than the field has",
    "missing-key": "a required key is not there",
    "unknown-key": "a key that the format does not know",
    "two-spellings": "two keys that mean the same",
    "empty": "nothing where something is needed",
    "not-one-of": "a text that is none of the field's words",
    "invalid-name": "not the name of an algorithm, owner or file",
    "invalid-address": "not the address of a source cluster",
    "invalid-uri": "not the place of a data file or of a source archive",
    "duplicate-algorithm": "two algorithms of one name, capitals aside",
    "duplicate-data-file": "two data files of one algorithm would land under one name, or names that look the same",
    "duplicate-test": "two tests of one name",
    "unknown-entrypoint": "the entrypoint is none of the algorithms",
    "tests-without-entrypoint": "workflow tests, and no algorithm to call",
    "unknown-dependency": "a dependency that is none of the algorithms",
    "dependency-cycle": "algorithms that wait for each other",
    "timeout": "a timeout that the platform does not offer",
    "payload-too-large": "a payload over the platform's 10 MiB",
    "closed-license": "closed source with another license than apl",
}


class UnreadableError(Exception):
    """Nothing behind this place can be understood; the collector knows why. Never leaves the package."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a text; both count from 1. Every node can serve as one."""

    line: int
    column: int


class Faults:
    """The faults found so far."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: list[Fault] = []

    def add(self, place: Place | Node, path: str, code: str, message: str, hint: str | None = None) -> None:
        """Tell a fault. UnreadableError: there are too many."""
        self.found.append(Fault(place.line, place.column, path, code, message, hint))
        if len(self.found) == MAX_FAULTS:
            self.stop(place, "too-many-faults", f"{MAX_FAULTS} faults; the rest is not told")

    def stop(self, place: Place | Node, code: str, message: str, hint: str | None = None) -> NoReturn:
        """Tell a fault behind which nothing can be understood."""
        self.found.append(Fault(place.line, place.column, "", code, message, hint))
        raise UnreadableError


def quote(text: str) -> str:
    """A text of the file for a message: at most 60 characters, nothing in it that a terminal would obey."""
    return repr(text if len(text) <= 60 else text[:59] + "…")
