"""Read one case: in our own form, or in that of `algorithmia-ci-action`, which has the key `case_name` or `input`."""

from __future__ import annotations

import json
import math
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal

from algosync.core.lean import dataclass
from algosync.core.testing.case import Case, Expectation
from algosync.workflow.fault import quote
from algosync.workflow.node import MapNode, Scalar, child
from algosync.workflow.payload import MAX_PAYLOAD, json_text, payload_text
from algosync.workflow.section import Section, nearest, section_of
from algosync.workflow.testing.expectation_keys import read_expectation_node

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from algosync.workflow.cases.row import Row
    from algosync.workflow.fault import Faults
    from algosync.workflow.testing.inputs import TestInputs

__all__ = ["CaseRules", "LabelKind", "check_keys", "read_case"]

_KEYS = ("name", "payload", "expect", "label")
_CI_KEYS = ("case_name", "input", "expected_output", "type", "tree")
_CI_TYPES = ("EXACT_MATCH", "GREATER_OR_EQUAL", "LESS_OR_EQUAL", "NO_EXCEPTION", "EXCEPTION")
_ANY_ERROR = ".*"
_SIMILAR = 0.8  # of a misspelled key, which must not become an attribute
_EXPECTING = ("equals", "contains", "match", "printed", "not_printed", "max_seconds", "expected_output")


LabelKind = Literal["any", "plain", "number"]
"""Any JSON value; a text, number, boolean or null; a number."""


@dataclass(frozen=True, slots=True)
class CaseRules:
    """What the cases of a file need. `algorithm`: `<algo>` in payloads. `label`: what the label of each case is; None: it needs
    none. `by`: an attribute of each case.
    """

    algorithm: str
    label: LabelKind | None = None
    by: str | None = None


def read_case(row: Row, rules: CaseRules, inputs: TestInputs, faults: Faults) -> Case | None:
    """Return the case of a row. None: it is no map or has no payload, which is reported. Other faults are reported, too."""
    if not isinstance(row.node, MapNode):
        section_of(row.node, row.path, faults, ())
        return None
    is_ci = "payload" not in row.node.entries and not {"case_name", "input"}.isdisjoint(row.node.entries)
    keys = _CI_KEYS if is_ci else _KEYS
    if not row.is_table:
        check_keys(row.node, row.path, faults, keys)
    section = Section(row.node, row.path, faults, tuple(row.node.entries))
    name = section.text(keys[0])
    payload = _payload(section, keys[1], rules.algorithm)
    expect = _ci_expectation(section, inputs) if is_ci else _expectation(section, inputs, is_table=row.is_table)
    attributes = dict(_attributes(row.node, keys))
    _check_label(section, expect, attributes, rules)
    if payload is None:
        return None
    return Case(name.text if name else f"#{row.line}", payload, expect, attributes, row.line)


def check_keys(node: MapNode, path: str, faults: Faults, keys: tuple[str, ...] = _KEYS) -> None:
    """Report a key that is almost one of those of a case, or that expects something in the wrong place: as an attribute it would
    expect nothing. Any other may be an attribute.
    """
    _check_expecting(node, path, faults, keys)
    for key in node.entries:
        close = [] if key in keys or key.startswith("x-") else get_close_matches(key[:100].lower(), keys, 1, _SIMILAR)
        if close:
            message = f"the key {quote(key)} is almost {quote(close[0])}"
            faults.add(node.key(key), child(path, key), "unknown-key", message, f"did you mean {close[0]}?")


def _check_expecting(node: MapNode, path: str, faults: Faults, keys: tuple[str, ...]) -> None:
    own = keys == _KEYS
    if own and not {"expect", "label"}.isdisjoint(node.entries):
        return
    hint = 'put it into `expect`, such as {"expect": {"equals": 1}}' if own else "such a case has `expected_output` and `type`"
    for key in ("expect", "label") if not own else _EXPECTING:
        if key in node.entries:
            faults.add(node.key(key), child(path, key), "unknown-key", f"the key {quote(key)} expects nothing here", hint)


def _payload(section: Section, key: str, algorithm: str) -> str | None:
    node = section.require(key)
    if node is None:
        return None
    text = payload_text(node, algorithm)
    if text is None:
        section.report(key, "payload-too-large", f"as JSON the payload is larger than {MAX_PAYLOAD // 1024**2} MiB")
    return text


def _expectation(section: Section, inputs: TestInputs, *, is_table: bool) -> Expectation:
    """`expect` is a map as in the workflow, `label` the answer itself. In a table any value but a map is the answer, too."""
    key = section.spelling("expect", "label")
    node = section.find(key)
    if node is None:
        return Expectation()
    if key == "label" or (is_table and not isinstance(node, MapNode)):
        return Expectation(equals=json_text(node))
    if isinstance(node, Scalar) and node.kind == "null":
        return Expectation()
    return read_expectation_node(node, section.where(key), section, inputs)


def _attributes(node: MapNode, keys: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for key, value in node.entries.items():
        if key not in keys:
            yield key, value.text if isinstance(value, Scalar) else json_text(value) or ""


def _check_label(section: Section, expect: Expectation, attributes: Mapping[str, str], rules: CaseRules) -> None:
    if rules.label and expect.equals is None:
        hint = "the answer that a gate compares with, such as label: setosa"
        section.report("label", "missing-key", "the case has no label", hint)
    elif rules.label and expect.equals:
        _check_kind(section, expect.equals, rules.label)
    if rules.by is not None and rules.by not in attributes:
        message = f"the case has no {quote(rules.by)}, by which the gate tells its cases apart"
        section.report(rules.by, "missing-key", message, nearest(rules.by, attributes))


def _check_kind(section: Section, label: str, kind: LabelKind) -> None:
    """Report a label of the wrong type. `label`: its JSON text."""
    key = next((key for key in ("label", "expect", "expected_output") if section.find(key)), "label")
    is_number = label[0] in "-0123456789" and math.isfinite(float(label))
    if kind == "number" and not is_number:
        section.report(key, "type", "the metric of the gate needs a number as label", "such as label: 1.5")
    elif kind == "plain" and label[0] in "[{":
        hint = "give a text, a number, true or false; the metric `exact` compares lists and objects"
        section.report(key, "type", "a list or an object is no label", hint)


def _ci_expectation(section: Section, inputs: TestInputs) -> Expectation:
    kind = section.choice("type", _CI_TYPES, "EXACT_MATCH")
    path = _ci_path(section)
    if kind in ("NO_EXCEPTION", "EXCEPTION"):
        return Expectation(error=_ANY_ERROR if kind == "EXCEPTION" else None)
    node = section.require("expected_output")
    value = json_text(node) if node else None
    if value is None:
        return Expectation()
    if kind == "EXACT_MATCH" and path == "$":
        return Expectation(equals=value)
    sign = {"EXACT_MATCH": "==", "GREATER_OR_EQUAL": ">=", "LESS_OR_EQUAL": "<="}[kind]
    expect = Expectation(match=((path, f"{{{json.dumps(sign)}:{value}}}"),))
    for fault in inputs.check(expect):
        section.report("expected_output", "expectation", f"{quote('expected_output')} {fault.message}")
    return expect


def _ci_path(section: Section) -> str:
    """The JSONPath of `tree`, a list of keys and indexes."""
    parts = []
    for node, path in section.list("tree"):
        if isinstance(node, Scalar) and node.kind in ("text", "integer"):
            parts.append(f"[{json.dumps(node.text) if node.kind == 'text' else node.text}]")
        else:
            section.faults.add(node, path, "type", "a key or an index is needed here")
    return "$" + "".join(parts)
