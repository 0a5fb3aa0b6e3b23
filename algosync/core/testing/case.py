"""Case: a test as the workflow has it: what is called, how often, and what the answers have to be.

JSON values are JSON texts with numbers as the workflow has them. Files that the workflow names are read when it is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from algosync.core.lean import dataclass

__all__ = [
    "CALL_TIMEOUT",
    "Baseline",
    "Case",
    "CaseFile",
    "Expectation",
    "Limit",
    "Load",
    "Metric",
    "QualityGate",
    "TestCase",
    "Tolerance",
]

CALL_TIMEOUT = 300  # seconds: the platform's own default

Metric = Literal["accuracy", "f1", "precision", "recall", "roc_auc", "rmse", "mae", "exact"]


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Numbers are equal if they differ by at most `absolute`, or by at most `relative` times the larger one."""

    relative: float = 0.0
    absolute: float = 0.0


@dataclass(frozen=True, slots=True)
class Baseline:
    """An accepted answer in a file. `path`: as in the workflow. `content`: the file's text; None: there is no file yet."""

    path: str
    content: str | None = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """All that is given must hold. None and empty: not given.

    `match`: pairs of a JSONPath and the JSON text of a value or of conditions. `schema`: the JSON text of a JSON Schema. `error`:
    the call has to fail, with a message that this regular expression finds something in. `size`: the JSON text of a number of
    bytes or of conditions.
    `printed` and `not_printed`: regular expressions. `tolerance`, `ignore` (JSONPaths) and `ignore_order` apply to `equals`,
    `contains` and `baseline`.
    """

    equals: str | None = None
    contains: str | None = None
    match: tuple[tuple[str, str], ...] = ()
    schema: str | None = None
    baseline: Baseline | None = None
    error: str | None = None
    content_type: str | None = None
    sha256: str | None = None
    size: str | None = None
    printed: tuple[str, ...] = ()
    not_printed: tuple[str, ...] = ()
    max_seconds: float | None = None
    tolerance: Tolerance = Tolerance()
    ignore: tuple[str, ...] = ()
    ignore_order: bool = False


@dataclass(frozen=True, slots=True)
class Limit:
    """A measure of many calls that may be at most `most` (`throughput`: at least).

    `measure`: p50, p95, p99, max (seconds), error_rate (a part of 1), throughput (calls a second), and NAME_vs_baseline: times the
    value of the last accepted run.
    """

    measure: str
    most: float


@dataclass(frozen=True, slots=True)
class Load:
    """How the calls of a test are made: each payload `repeat` times, at most `concurrency` at once, after `warmup` calls that do
    not count.
    """

    repeat: int = 1
    concurrency: int = 1
    warmup: int = 0
    limits: tuple[Limit, ...] = ()


@dataclass(frozen=True, slots=True)
class QualityGate:
    """A metric over the labelled cases of a file, which has to be good enough before anything is published.

    `answer`: a JSONPath to the prediction in an answer; the label is what the case expects. `no_worse_than_published`: how much
    worse than the published version it may be. `by`: the column of the cases whose values are held apart, too. `noise`: whether a
    difference that may be chance fails. `positive`: the label of the positive class, as JSON text; None: the mean over all classes.
    """

    metric: Metric
    answer: str = "$"
    at_least: float | None = None
    at_most: float | None = None
    no_worse_than_published: float | None = None
    by: str | None = None
    noise: Literal["pass", "fail"] = "pass"
    positive: str | None = None


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A file of cases, which is read case by case. `path`: as in the workflow. `sha256`: of its bytes. `count`: of its cases."""

    path: str
    sha256: str
    count: int


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a file. `name`: `#LINE` if the file has none. `payload`: JSON text with `<algo>` replaced.

    `expect`: with what the test says about all cases. `attributes`: the other columns or members of the case; a value that is no
    text is JSON text. `line`: where it begins.
    """

    name: str
    payload: str
    expect: Expectation
    attributes: Mapping[str, str]
    line: int


@dataclass(frozen=True, slots=True)
class TestCase:
    """A test of one algorithm: one payload, or the cases of a file. `timeout` of a call is in seconds.

    `name` is empty for the `test_payload` of an algorithm. No two tests of one algorithm have the same name. `payload` is JSON
    text with `<algo>` replaced; it is empty if there are `cases`.
    `expect` also holds for every case of a file. `gate`: the answers to all cases are judged together. `line`: where it begins in
    the workflow file, or in its template; 0: that is not known. Two tests that differ only in it are equal.
    """

    __test__ = False  # without this pytest would collect the class

    name: str
    payload: str = ""
    timeout: int = CALL_TIMEOUT
    expect: Expectation = field(default_factory=Expectation)
    cases: CaseFile | None = None
    load: Load = field(default_factory=Load)
    gate: QualityGate | None = None
    line: int = field(default=0, compare=False, metadata={"json": False})  # digests of tests must not depend on it
