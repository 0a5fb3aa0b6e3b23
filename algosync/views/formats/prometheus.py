"""The format `prometheus`: the text format of Prometheus, for the textfile collector of its node exporter.

Each metric has the labels `workflow` and `destination`. Tests have their own durations, up to a bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from algosync.core.redaction import Redactor
from algosync.views.formats.outline import Entry, Outline
from algosync.views.formats.outlining import outline_of
from algosync.views.subject import Subject

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

__all__ = ["view"]

_TESTS = 500  # that have metrics of their own
_QUANTILES: Mapping[str, str] = {"p50": "0.5", "p95": "0.95", "p99": "0.99", "max": "1"}
_LABELS = ("workflow", "destination", "report")


def view(subject: Subject, redactor: Redactor) -> str:
    from prometheus_client import CollectorRegistry, generate_latest

    outline, registry = outline_of(subject, redactor), CollectorRegistry()
    labels = (outline.workflow, outline.destination, outline.title.lower())
    _counts(outline, labels, registry)
    _times(outline, labels, registry)
    _tests(outline, labels, registry)
    return generate_latest(registry).decode()


def _counts(outline: Outline, labels: tuple[str, ...], registry: CollectorRegistry) -> None:
    from prometheus_client import Gauge

    told = {
        "changes": ("action", "Changes of a plan, by action."),
        "resources": ("result", "Resources that were changed or looked at."),
        "findings": ("drift", "Findings of a drift report, by kind."),
        "tests": ("result", "Tests by result."),
        "errors": ("of", "Errors that ended the command."),
    }
    gauges: dict[str, Gauge] = {}
    for count in outline.counts:
        label, text = told[count.of]
        if count.of not in gauges:
            gauges[count.of] = Gauge(f"algosync_{count.of}", text, (*_LABELS, label), registry=registry)
        gauges[count.of].labels(*labels, count.sort).set(count.number)


def _times(outline: Outline, labels: tuple[str, ...], registry: CollectorRegistry) -> None:
    from prometheus_client import Gauge

    values = {
        "exit_code": ("The exit code of the command.", outline.exit_code),
        "good": ("1: nobody has to do anything.", int(outline.good)),
        "timestamp_seconds": ("When the command ended.", _timestamp(outline.time)),
        "duration_seconds": ("How long all steps took together.", outline.seconds),
    }
    for name, (text, value) in values.items():
        if value is not None:
            Gauge(f"algosync_{name}", text, _LABELS, registry=registry).labels(*labels).set(value)


def _timestamp(time: str) -> float | None:
    return datetime.fromisoformat(time).timestamp() if time else None


def _tests(outline: Outline, labels: tuple[str, ...], registry: CollectorRegistry) -> None:
    """The durations of tests, and of their calls by quantile. Names that are equal when they are cut count once."""
    from prometheus_client import Gauge

    entries = [entry for section in outline.sections if section.name == "tests" for entry in section.entries]
    measured = {entry.address: entry for entry in entries if entry.seconds is not None}
    if not measured:
        return
    lasted = Gauge("algosync_test_seconds", "How long a test took.", (*_LABELS, "test"), registry=registry)
    calls = Gauge("algosync_call_seconds", "Times of the calls of a test.", (*_LABELS, "test", "quantile"), registry=registry)
    for entry in list(measured.values())[:_TESTS]:
        lasted.labels(*labels, entry.address).set(entry.seconds or 0.0)
        for quantile, value in _quantiles(entry).items():
            calls.labels(*labels, entry.address, quantile).set(value)


def _quantiles(entry: Entry) -> Mapping[str, float]:
    facts = dict(entry.facts)
    return {quantile: float(facts[name]) for name, quantile in _QUANTILES.items() if name in facts}
