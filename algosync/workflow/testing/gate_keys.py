"""Read one entry of `gates`: a metric over labelled cases, and the line that it has to reach."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from algosync.core.testing.case import Expectation, Load, QualityGate
from algosync.workflow.fault import quote
from algosync.workflow.node import Scalar
from algosync.workflow.payload import json_text
from algosync.workflow.testing.load_keys import MAX_CONCURRENCY

if TYPE_CHECKING:
    from algosync.core.testing.case import Metric
    from algosync.workflow.cases import LabelKind
    from algosync.workflow.section import Section
    from algosync.workflow.testing.inputs import TestInputs

__all__ = ["GATE_KEYS", "METRICS", "label_kind", "read_gate"]

METRICS: tuple[Metric, ...] = ("accuracy", "f1", "precision", "recall", "roc_auc", "rmse", "mae", "exact")
_LINES = ("at_least", "at_most", "no_worse_than_published")
_ERRORS = ("rmse", "mae")  # how far predictions are off: from 0 on; all others are from 0 to 1
_NOISE: tuple[Literal["pass", "fail"], ...] = ("pass", "fail")
_OF_A_CLASS = ("f1", "precision", "recall", "roc_auc")
GATE_KEYS = ("name", "cases", "answer", "metric", *_LINES, "by", "noise", "positive", "concurrency", "timeout")


_ONE_VALUE = re.compile(
    r"""\$(\s*(\.\s*[^\W\d]\w*|\[\s*(-?[0-9]+|'([^'\\]|\\.)*'|"([^"\\]|\\.)*")\s*\]))*"""
)  # a singular query of RFC 9535: the time that it takes is bounded


def label_kind(metric: Metric) -> LabelKind:
    """What the labels have to be that a metric compares with."""
    if metric == "exact":
        return "any"
    return "number" if metric in ("rmse", "mae") else "plain"


def read_gate(section: Section, inputs: TestInputs) -> tuple[QualityGate, Load]:
    """Return the gate and how its calls are made. What is invalid is reported, and a placeholder takes its place."""
    section.require_value("metric", "a text")
    if not any(section.get(key) for key in _LINES):
        hint = f"give at least one of {', '.join(_LINES)}"
        section.report("at_least", "missing-key", "the gate has no line to reach", hint)
    by = section.text("by")
    metric = section.choice("metric", METRICS, "exact")
    named = getattr(section.find("metric"), "text", "")
    gate = QualityGate(
        metric=metric,
        answer=_answer(section, inputs),
        at_least=_line(section, "at_least", named),
        at_most=_line(section, "at_most", named),
        no_worse_than_published=_line(section, "no_worse_than_published", named),
        by=by.text if by else None,
        noise=section.choice("noise", _NOISE, "pass"),
        positive=_positive(section),
    )
    if gate.metric == "roc_auc" and gate.positive is None:
        section.report("positive", "missing-key", "roc_auc needs the label of the positive class", "such as positive: true")
    elif gate.positive is not None and gate.metric not in _OF_A_CLASS:
        hint = f"it is for {', '.join(_OF_A_CLASS)}"
        section.report("positive", "not-used", f"the metric {gate.metric} has no positive class", hint)
    return gate, Load(concurrency=section.whole("concurrency", 1, MAX_CONCURRENCY, 1))


def _line(section: Section, key: str, metric: str) -> float | None:
    """A line that the metric can reach and miss. `metric`: as the file has it, which may be none."""
    if metric not in METRICS or metric in _ERRORS:
        return section.number(key)
    return section.number(key, most=1.0, hint=f"{metric} is a part of 1: 0.95 is 95 %")


def _answer(section: Section, inputs: TestInputs) -> str:
    node = section.text("answer")
    if node is None:
        return "$"
    for fault in inputs.check(Expectation(match=((node.text, "null"),))):  # a path that can be matched can be looked up
        section.report("answer", "expectation", f"'answer' {fault.message}")
        break
    else:
        if not _ONE_VALUE.fullmatch(node.text):
            hint = "a gate needs one prediction: use names and indexes only, such as $.predictions[0].label"
            section.report("answer", "expectation", f"{quote(node.text)} may select several values", hint)
    return node.text


def _positive(section: Section) -> str | None:
    node = section.get("positive")
    if node is None or isinstance(node, Scalar):
        return json_text(node) if node else None
    section.wrong_type("positive", "a label: a text, a number or a boolean")
    return None
