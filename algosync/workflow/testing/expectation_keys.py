"""Read the key `expect`: what the answer of a test has to be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from algosync.core.testing.case import Baseline, Expectation, Tolerance
from algosync.workflow.fault import quote
from algosync.workflow.node import MAX_SIZE, ListNode, MapNode, Scalar, child
from algosync.workflow.payload import json_text
from algosync.workflow.section import Section, section_of
from algosync.workflow.testing.inputs import read_baseline_file, read_schema_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from algosync.core.testing.expectation import ExpectationFault
    from algosync.workflow.node import Node
    from algosync.workflow.testing.inputs import TestInputs

__all__ = ["EXPECT_KEYS", "read_expectation", "read_expectation_node"]

_CONTENT_TYPES = ("json", "text", "binary")
_NOTHING = Expectation()
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


def read_expectation(section: Section, inputs: TestInputs) -> Expectation:
    """Return the value of the key `expect`. What is invalid is reported, and left out."""
    node = section.get("expect")
    return read_expectation_node(node, section.where("expect"), section, inputs) if node else _NOTHING


def read_expectation_node(node: Node, path: str, around: Section, inputs: TestInputs) -> Expectation:
    """Return the expectation of a map. `around`: the section that collects its faults."""
    section = section_of(node, path, around.faults, EXPECT_KEYS)
    if section is None:
        return _NOTHING
    before = len(section.faults.found)
    expect = _read(section, inputs)
    if len(section.faults.found) == before:
        for fault in inputs.check(expect):
            _report(fault, section)
    return expect


def _read(section: Section, inputs: TestInputs) -> Expectation:
    """Reads only the keys that are given: usually one or two of fifteen."""
    return Expectation(**{key: _READERS[key](section, inputs) for key in section.node.entries if key in _READERS})


def _value(section: Section, key: str) -> str | None:
    """The JSON text of a value, which may be null. None: it is not given, or too large."""
    node = section.find(key)
    return _text(node, section.where(key), section) if node else None


def _text(node: Node, path: str, section: Section) -> str | None:
    text = json_text(node)
    if text is None:
        section.faults.add(node, path, "too-large", f"as JSON the value is larger than {MAX_SIZE // 1024**2} MiB")
    return text


def _matches(section: Section) -> list[tuple[str, str]]:
    node = section.get("match")
    if node is None:
        return []
    if not isinstance(node, MapNode):
        section.wrong_type("match", "a map of JSONPaths")
        return []
    if not node.entries:
        section.report("match", "empty", "at least one JSONPath is needed here", 'such as {"$.score": {">=": 0.5}}')
    read = ((path, _text(value, child(section.where("match"), path), section)) for path, value in node.entries.items())
    return [(path, text) for path, text in read if text is not None]


def _schema(section: Section, inputs: TestInputs) -> str | None:
    node = section.get("schema")
    if node is None:
        return None
    if isinstance(node, MapNode) or (isinstance(node, Scalar) and node.kind == "boolean"):
        return _value(section, "schema")
    if not isinstance(node, Scalar) or node.kind != "text":
        section.wrong_type("schema", "the path of a JSON file, or a JSON Schema")
        return None
    return read_schema_file(section, "schema", inputs)


def _baseline(section: Section, inputs: TestInputs) -> Baseline | None:
    content = read_baseline_file(section, "baseline", inputs)
    node = section.get("baseline")
    return Baseline(node.text, content) if isinstance(node, Scalar) else None


def _error(section: Section) -> str | None:
    node = section.text("error", blank=True)
    return node.text if node else None


def _sha256(section: Section) -> str | None:
    node = section.text("sha256")
    if node and not _SHA256.fullmatch(node.text):
        section.report("sha256", "expectation", "a SHA-256 has 64 hex digits")
        return None
    return node.text.lower() if node else None


def _size(section: Section) -> str | None:
    node = section.get("size")
    if node is None:
        return None
    if not isinstance(node, MapNode) and not (isinstance(node, Scalar) and node.kind == "integer"):
        section.wrong_type("size", "a number of bytes, or a map of conditions")
        return None
    return _value(section, "size")


def _patterns(section: Section, key: str) -> tuple[str, ...]:
    node = section.get(key)
    if isinstance(node, ListNode) and not node.items:
        section.report(key, "empty", "at least one regular expression is needed here")
    return section.texts(key)


def _tolerance(section: Section) -> Tolerance:
    tolerance = section.section("tolerance", ("relative", "absolute"))
    if tolerance is None:
        return Tolerance()
    return Tolerance(tolerance.number("relative") or 0.0, tolerance.number("absolute") or 0.0)


_READERS: Mapping[str, Callable[[Section, TestInputs], Any]] = {
    "equals": lambda section, _: _value(section, "equals"),
    "contains": lambda section, _: _value(section, "contains"),
    "match": lambda section, _: tuple(_matches(section)),
    "schema": _schema,
    "baseline": _baseline,
    "error": lambda section, _: _error(section),
    "content_type": lambda section, _: section.choice("content_type", _CONTENT_TYPES, "") or None,
    "sha256": lambda section, _: _sha256(section),
    "size": lambda section, _: _size(section),
    "printed": lambda section, _: _patterns(section, "printed"),
    "not_printed": lambda section, _: _patterns(section, "not_printed"),
    "max_seconds": lambda section, _: section.number("max_seconds"),
    "tolerance": lambda section, _: _tolerance(section),
    "ignore": lambda section, _: section.texts("ignore"),
    "ignore_order": lambda section, _: section.boolean("ignore_order", default=False),
}
EXPECT_KEYS = tuple(_READERS)


def _report(fault: ExpectationFault, section: Section) -> None:
    """Report what the check found at the member or item in question."""
    node, path = section.find(fault.key) or section.node, section.where(fault.key)
    if isinstance(node, MapNode) and fault.item in node.entries:
        node, path = node.key(str(fault.item)), child(path, str(fault.item))
    elif isinstance(node, ListNode) and isinstance(fault.item, int):
        node, path = node.items[fault.item], f"{path}[{fault.item}]"
    section.faults.add(node, path, "expectation", f"{quote(fault.key)} {fault.message}")
