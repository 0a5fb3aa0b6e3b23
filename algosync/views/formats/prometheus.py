"""The format `prometheus`: the text format of Prometheus, for the textfile collector of its node exporter.

Each metric has the labels `workflow` and `destination`. Tests have their own durations, up to a bound.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import datetime
from typing import TYPE_CHECKING

from algosync.core.lean import dataclass
from algosync.core.redaction import Redactor
from algosync.views.formats.outline import Count, Entry, Outline
from algosync.views.formats.outlining import outline_of
from algosync.views.subject import Subject

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Gauge

__all__ = ["view"]

_TESTS = 500  # that have metrics of their own
_QUANTILES: Mapping[str, str] = {"p50": "0.5", "p95": "0.95", "p99": "0.99", "max": "1"}
_LABELS = ("workflow", "destination", "report")


def view(subject: Subject, redactor: Redactor) -> str:
    from prometheus_client import CollectorRegistry, generate_latest

    outline, registry = outline_of(subject, redactor), CollectorRegistry()
    gauges = _Gauges(registry)
    if outline.parts:
        of_all = tuple(count for count in outline.counts if count.of == "workflows")
        _counts(of_all, ("", outline.destination, outline.title.lower()), gauges)
    for part in outline.parts or (outline,):
        labels = (part.workflow, part.destination or outline.destination, part.title.lower())
        _counts(part.counts, labels, gauges)
        _times(part, labels, gauges)
        _tests(part, labels, gauges)
    return generate_latest(registry).decode()


@dataclass(slots=True)
class _Gauges:
    """The metrics by name. Each is registered once, whatever number of workflows has it."""

    registry: CollectorRegistry
    made: dict[str, Gauge] = field(default_factory=dict)

    def of(self, name: str, text: str, *labels: str) -> Gauge:
        from prometheus_client import Gauge

        if name not in self.made:
            self.made[name] = Gauge(f"algosync_{name}", text, (*_LABELS, *labels), registry=self.registry)
        return self.made[name]


def _counts(counts: Iterable[Count], labels: tuple[str, ...], gauges: _Gauges) -> None:
    told = {
        "changes": ("action", "Changes of a plan, by action."),
        "resources": ("result", "Resources that were changed or looked at."),
        "findings": ("drift", "Findings of a drift report, by kind."),
        "tests": ("result", "Tests by result."),
        "errors": ("of", "Errors that ended the command."),
        "workflows": ("result", "Workflows by result. The label `workflow` is empty."),
    }
    for count in counts:
        label, text = told[count.of]
        gauges.of(count.of, text, label).labels(*labels, count.sort).set(count.number)


def _times(outline: Outline, labels: tuple[str, ...], gauges: _Gauges) -> None:
    values = {
        "exit_code": ("The exit code of the command.", outline.exit_code),
        "good": ("1: nobody has to do anything.", int(outline.good)),
        "timestamp_seconds": ("When the command ended.", _timestamp(outline.time)),
        "duration_seconds": ("How long all steps took together.", outline.seconds),
    }
    for name, (text, value) in values.items():
        if value is not None:
            gauges.of(name, text).labels(*labels).set(value)


def _timestamp(time: str) -> float | None:
    return datetime.fromisoformat(time).timestamp() if time else None


def _tests(outline: Outline, labels: tuple[str, ...], gauges: _Gauges) -> None:
    """The durations of tests, and of their calls by quantile. Names that are equal when they are cut count once."""
    entries = [entry for section in outline.sections if section.name == "tests" for entry in section.entries]
    measured = {entry.address: entry for entry in entries if entry.seconds is not None}
    if not measured:
        return
    lasted = gauges.of("test_seconds", "How long a test took.", "test")
    calls = gauges.of("call_seconds", "Times of the calls of a test.", "test", "quantile")
    for entry in list(measured.values())[:_TESTS]:
        lasted.labels(*labels, entry.address).set(entry.seconds or 0.0)
        for quantile, value in _quantiles(entry).items():
            calls.labels(*labels, entry.address, quantile).set(value)


def _quantiles(entry: Entry) -> Mapping[str, float]:
    facts = dict(entry.facts)
    return {quantile: float(facts[name]) for name, quantile in _QUANTILES.items() if name in facts}
