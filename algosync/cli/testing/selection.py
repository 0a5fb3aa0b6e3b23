"""Selection: which tests of a workflow run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from algosync.core.error import UsageError
from algosync.core.testing.case import Load
from algosync.core.text import printable

if TYPE_CHECKING:
    from collections.abc import Set

    from algosync.core.address import Address
    from algosync.core.planning.plan import Check, Plan

__all__ = ["TestSelection"]

_LISTED = 20  # tests in the hint


@dataclass(frozen=True, slots=True)
class TestSelection:
    """A test runs if it meets all of these. `names`: one of these globs matches its name or address. `failed`: the tests that
    failed when they last ran; None: any test. `bench`: it measures load. `accept`: it has a baseline.
    """

    __test__ = False  # without this pytest would collect the class

    names: tuple[str, ...] = ()
    failed: Set[Address] | None = None
    bench: bool = False
    accept: bool = False

    def of(self, plan: Plan) -> Plan:
        """The plan with these tests only. UsageError: no test has a name like this, or none is a benchmark, or has a baseline."""
        checks = tuple(check for check in plan.checks if self._named(check))
        if self.names and not checks:
            known = ", ".join(printable(str(check.address)) for check in plan.checks[:_LISTED])
            named = " ".join(map(printable, self.names))
            raise UsageError(f"--filter {named}: no test has such a name", hint=f"the tests are {known}" if known else None)
        if self.bench:
            checks = tuple(check for check in checks if check.case.load != Load())
        if self.accept:
            checks = tuple(check for check in checks if _may_have_baseline(check))
        if (self.bench or self.accept) and not checks:
            option, key = (
                ("--bench", "`repeat`, `concurrency` or `limits`") if self.bench else ("--accept", "`expect: {baseline: FILE}`")
            )
            raise UsageError(f"{option}: no test has {key}")
        if self.failed is not None:
            checks = tuple(check for check in checks if check.address in self.failed)
        return replace(plan, checks=checks)

    def _named(self, check: Check) -> bool:
        texts = (check.case.name, str(check.address))
        return not self.names or any(fnmatchcase(text, pattern) for text in texts for pattern in self.names)


def _may_have_baseline(check: Check) -> bool:
    """Whether the test has a baseline. Its cases may have some: they are only known when they are read."""
    return check.case.expect.baseline is not None or check.case.cases is not None
