"""Selection: which tests of a workflow run."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from algosync.core.error import UsageError
from algosync.core.lean import dataclass
from algosync.core.testing.case import Load
from algosync.core.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Set

    from algosync.cli.session import CommandSession
    from algosync.core.address import Address
    from algosync.core.planning.plan import Check, Plan

__all__ = ["TestSelection", "tests_of"]

_LISTED = 20  # tests in the hint


def tests_of(session: CommandSession, targets: Iterable[str]) -> Plan:
    """A plan of the tests of these targets. Without targets it has all tests. UsageError: there is no such target."""
    from algosync.core.planning.plan import plan_of_checks, targeted
    from algosync.core.planning.target import UnknownTarget

    try:
        return targeted(plan_of_checks(session.workflow, session.header), targets)
    except UnknownTarget as error:
        raise UsageError(str(error), hint=error.hint) from None


@dataclass(frozen=True, slots=True)
class TestSelection:
    """A test runs if it meets all of these. `names`: one of them is its name or address; `*` stands for any text. `failed`: the
    tests that failed when they last ran; None: any test. `bench`: it measures load. `accept`: says whether it has a
    baseline; None: it need not have one.
    """

    __test__ = False  # without this pytest would collect the class

    names: tuple[str, ...] = ()
    failed: Set[Address] | None = None
    bench: bool = False
    accept: Callable[[Check], bool] | None = None

    def of(self, plan: Plan) -> Plan:
        """The plan with these tests only. UsageError: no test has a name like this, or none is a benchmark, or has a baseline."""
        checks = tuple(check for check in plan.checks if self._named(check))
        if self.names and not checks:
            known = ", ".join(printable(str(check.address)) for check in plan.checks[:_LISTED])
            named = " ".join(map(printable, self.names))
            raise UsageError(f"--filter {named}: no test has such a name", hint=f"the tests are {known}" if known else None)
        if self.bench:
            checks = tuple(check for check in checks if check.case.load != Load() and check.case.gate is None)
        if self.accept is not None:
            checks = tuple(filter(self.accept, checks))
        if (self.bench or self.accept is not None) and not checks:
            option, key = (
                ("--bench", "`repeat`, `concurrency` or `limits`") if self.bench else ("--accept", "`expect: {baseline: FILE}`")
            )
            raise UsageError(f"{option}: no test has {key}")
        if self.failed is not None:
            checks = tuple(check for check in checks if check.address in self.failed)
        return replace(plan, checks=checks)

    def _named(self, check: Check) -> bool:
        texts = (check.case.name, str(check.address))
        return not self.names or any(_fits(text, pattern) for text in texts for pattern in self.names)


def _fits(text: str, pattern: str) -> bool:
    """Whether a pattern matches the whole text. Only `*` is special: addresses have brackets."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None
