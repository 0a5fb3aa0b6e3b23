"""Idle rules: rules of comparison in tests that compare nothing.

They are no faults, because `compare` uses them whatever else a test expects.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from algosync.core.testing.case import Expectation, Tolerance
from algosync.core.text import printable

if TYPE_CHECKING:
    from algosync.core.testing.case import TestCase
    from algosync.core.workflow import Workflow

__all__ = ["idle_rule_warnings"]


def idle_rule_warnings(workflow: Workflow) -> Iterator[str]:
    """A warning for each test with `tolerance`, `ignore` or `ignore_order` that has no answer to compare with.

    Cases of a file have their own answers, so tests over one are left out.
    """
    of = [(spec.name, case) for spec in workflow.algorithms for case in spec.tests]
    for name, case in [*of, *((workflow.entrypoint or "", case) for case in workflow.tests)]:
        if case.cases is None and (rules := _idle(case.expect)):
            has = "have" if len(rules) > 1 else "has"
            yield (
                f"Warning: {_named(name, case)}: {' and '.join(rules)} {has} no effect on the test, which expects neither "
                "`equals`, `contains` nor `baseline`. Only `algosync compare` uses it."
            )


def _idle(expect: Expectation) -> list[str]:
    if expect.equals is not None or expect.contains is not None or expect.baseline is not None:
        return []
    given = {"`tolerance`": expect.tolerance != Tolerance(), "`ignore`": expect.ignore, "`ignore_order`": expect.ignore_order}
    return [key for key, value in given.items() if value]


def _named(algorithm: str, case: TestCase) -> str:
    told = f"the test {case.name}" if case.name else "the test_payload"
    line = f" (line {case.line})" if case.line else ""
    return printable(f"{told} of {algorithm}{line}")
