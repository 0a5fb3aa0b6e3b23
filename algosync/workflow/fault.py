"""The errors of a workflow file: the table of codes, and the collector for all readers.

Codes are stable: scripts and lists of expected faults rely on them. All faults of a file are reported at once. A reader therefore
continues after a fault, unless the text after it cannot be interpreted (`Faults.stop`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from algosync.core.error import Fault
from algosync.core.lean import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from algosync.workflow.node import Node

__all__ = ["CODES", "MAX_FAULTS", "Faults", "Location", "UnreadableError", "quote"]

MAX_FAULTS = 1000  # such a file is not a workflow

CODES: Mapping[str, str] = {
    # text
    "encoding": "the file is not UTF-8, or begins with a byte order mark",
    "control-character": "a character that is not allowed in a text file",
    "syntax": "not JSON or not YAML",
    "second-document": "a YAML stream of more than one document",
    "too-deep": "nested deeper than anything a workflow needs",
    "too-large": "too many bytes or nodes, with aliases expanded",
    "too-many-faults": "only the first thousand faults are shown",
    "duplicate-key": "a key that the map already contains",
    "key-not-text": "a YAML key that is a number, a boolean, null or a collection",
    "number-not-json": "NaN, infinity, or a number too long to be converted",
    "number-ambiguous": "a YAML number with leading zeros, which parsers read as different values",
    "lone-surrogate": "half of a surrogate pair, which UTF-8 cannot encode",
    "tag": "a YAML tag",
    "unknown-alias": "a YAML alias without an anchor before it",
    "alias-cycle": "a YAML alias inside its own anchor",
    "merge": "a YAML merge key whose value is neither a map nor a list of maps",
    # template
    "template-syntax": "not a Jinja2 template",
    "template-undefined": "an undefined variable",
    "template-failed": "the template raised an error",
    "template-forbidden": "an operation that templates may not use: other files, unsafe attributes",
    "template-too-expensive": "the template needs too much time, memory or output",
    "template-line-break": "a variable with line breaks that is printed as it is",
    # variables
    "variables-place": "the variables block of a template is in the wrong place or contains template syntax",
    "variable-name": "not the name of a variable",
    "variable-missing": "a variable without a default was not given",
    "variable-unknown": "a given variable is not declared in the file",
    "variable-type": "a variable's value does not fit its declaration, or would be rounded",
    "sensitive-short": "a secret too short to be hidden",
    "sensitive-default": "a secret in the file: a sensitive variable has a default",
    # content
    "report": "a report of algosync, not a workflow",
    "unknown-language": "a language whose name is almost a known one",
    "missing-file": "local code, a local data file or a file of a test that does not exist",
    "unreadable-file": "a file of a test that cannot be read, or is not a file",
    "case-format": "a file of cases whose name has no known ending",
    "missing-module": "local code without the module that the platform starts",
    "key-in-file": "one of the API keys of the environment",
    "type": "a value of the wrong type",
    "missing-key": "a required key is missing",
    "unknown-key": "an unknown key",
    "two-spellings": "two keys with the same meaning",
    "empty": "an empty value where one is required",
    "unknown-attribute": "a name in `ignore` that matches nothing that can be ignored",
    "day": "a text that is not a day, such as 2027-01-31",
    "percent": "not a whole percentage from 0% to 100%",
    "not-one-of": "a text that is not one of the allowed words",
    "invalid-name": "not the name of an algorithm, owner or file",
    "invalid-address": "not the address of a source cluster",
    "invalid-uri": "not the URI of a data file or source archive",
    "duplicate-algorithm": "two algorithms whose names differ only in case",
    "duplicate-data-file": "two data files of one algorithm with the same name, or with names that look the same",
    "duplicate-test": "two tests with the same name",
    "unknown-entrypoint": "the entrypoint is not one of the algorithms",
    "tests-without-entrypoint": "workflow tests without an entrypoint to call",
    "unknown-dependency": "a dependency that is not one of the algorithms",
    "dependency-cycle": "algorithms that depend on each other in a cycle",
    "still-there": "an algorithm that was moved or removed, and is still in the file",
    "unknown-move": "a move to a name that is not one of the algorithms",
    "duplicate-move": "two moves of one name, or to one name, or a name that was moved and removed",
    "move-cycle": "moves that lead back to their beginning",
    "required-version": "this version of algosync is not one that the file requires",
    "version-specifier": "not a version specifier such as `>=0.4`",
    "timeout": "a timeout that the platform does not offer",
    "payload-too-large": "a payload over the platform's 10 MiB",
    "out-of-range": "a number outside of what is allowed",
    "needs-baseline": "a limit that compares with a baseline, in a test without one",
    "not-used": "a key that has no effect here",
    "two-inputs": "a test with more than one of payload, payload_file and cases",
    "expectation": "an expectation that cannot be read",
    "closed-license": "closed source with a license other than apl",
}


class UnreadableError(Exception):
    """The text after a fault cannot be interpreted. The collector holds the reason. Never leaves this package."""


@dataclass(frozen=True, slots=True)
class Location:
    """A position in a text; both numbers count from 1. Every node can be used as one."""

    line: int
    column: int


class Faults:
    """The faults found so far."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: list[Fault] = []

    def add(self, place: Location | Node, path: str, code: str, message: str, hint: str | None = None) -> None:
        """Add a fault. Raises UnreadableError if there are too many."""
        self.found.append(Fault(place.line, place.column, path, code, message, hint))
        if len(self.found) == MAX_FAULTS:
            self.stop(place, "too-many-faults", f"{MAX_FAULTS} faults; the rest is not shown")

    def include(self, other: Faults, file: str, offset: int = 0) -> None:
        """Add the faults of a file that the workflow names. `offset`: what their lines are less than those of the file.

        Those of a file that it names in turn are in that one.
        """
        for fault in other.found:
            self.found.append(fault if fault.file else replace(fault, file=file, line=fault.line + offset))

    def stop(self, place: Location | Node, code: str, message: str, hint: str | None = None) -> NoReturn:
        """Add a fault and stop reading: the text after it cannot be interpreted."""
        self.found.append(Fault(place.line, place.column, "", code, message, hint))
        raise UnreadableError


def quote(text: str) -> str:
    """Quote a text of the file for a message: at most 60 characters, with control characters escaped."""
    return repr(text if len(text) <= 60 else text[:59] + "…")
