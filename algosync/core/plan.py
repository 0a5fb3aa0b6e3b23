"""Plan: the changes and the checks that one apply would make. A plan is data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace

from algosync.core.address import KINDS, Address
from algosync.core.change import Action, Change
from algosync.core.workflow import Workflow

__all__ = ["Check", "Plan", "checks_of", "targeted"]

CALL_TIMEOUT = 300  # seconds: the platform's own default


@dataclass(frozen=True, slots=True)
class Check:
    """One call of an algorithm that has to succeed. `payload` is JSON text, `timeout` in seconds.

    A payload check (`payload_of_algorithm`) runs before its algorithm is published, a workflow's test after everything else.
    `candidate`: it calls the commit that is about to be published, not the published version.
    """

    address: Address
    payload: str
    timeout: int
    payload_of_algorithm: bool
    candidate: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """`changes` holds also those that do nothing. `owner` is the account on the destination."""

    workflow: str
    source: str | None
    destination: str
    owner: str
    changes: tuple[Change, ...]
    checks: tuple[Check, ...]
    depends_on: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def visible(self) -> tuple[Change, ...]:
        return tuple(c for c in self.changes if c.action.visible)

    @property
    def drifted(self) -> tuple[Change, ...]:
        return tuple(c for c in self.changes if c.drifted)

    def count(self) -> Counter[Action]:
        return Counter(c.action for c in self.changes)

    def upload(self) -> tuple[int, int]:
        """How many data files are to be uploaded, and their bytes."""
        sizes = [c.after.size or 0 for c in self.changes if c.address.kind == "data" and c.action.writes and c.after]
        return len(sizes), sum(sizes)

    def kept(self) -> int:
        """Bytes of data files that are there already."""
        present = (c.after.size or 0 for c in self.changes if c.address.kind == "data" and not c.action.writes and c.after)
        return sum(present)


def checks_of(workflow: Workflow, to_publish: Set[str]) -> tuple[Check, ...]:
    """The algorithms' payloads in order, then the workflow's tests; equal test names are told apart by their number.

    `to_publish`: the algorithms of which a new version is to be published.
    """
    payloads = (
        Check(
            Address("test", spec.name),
            spec.test_payload,
            CALL_TIMEOUT,
            payload_of_algorithm=True,
            candidate=spec.name in to_publish,
        )
        for spec in workflow.algorithms
        if spec.test_payload is not None
    )
    seen: Counter[str] = Counter()
    tests = []
    for case in workflow.tests:
        seen[case.name] += 1
        name = case.name if seen[case.name] == 1 else f"{case.name} #{seen[case.name]}"
        address = Address("test", workflow.entrypoint or "", name)
        tests.append(Check(address, case.payload, case.timeout, payload_of_algorithm=False))
    return (*payloads, *tests)


def targeted(plan: Plan, targets: Iterable[str]) -> Plan:
    """The part of a plan that concerns the targets, addresses or names of algorithms, and what those stand on.

    A target brings the algorithms it depends on, and the earlier kinds of its own algorithm (a version its source, data and
    settings). Checks are kept for the algorithms that are left, the workflow's tests where the entrypoint is.
    ValueError: a target that the plan does not know.
    """
    chosen = set(targets)
    if not chosen:
        return plan
    everything = [*(c.address for c in plan.changes), *(c.address for c in plan.checks)]
    known = {str(a) for a in everything} | {a.algorithm for a in everything}
    if strange := sorted(chosen - known):
        raise ValueError(f"nothing in this workflow is called {', '.join(strange)}")
    direct = {a for a in everything if str(a) in chosen or a.algorithm in chosen}
    below = _dependencies({a.algorithm for a in direct}, dict(plan.depends_on))
    kept = direct | {a for a in everything if a.algorithm in below or any(_stands_on(target, a) for target in direct)}
    algorithms = {a.algorithm for a in kept}
    return replace(
        plan,
        changes=tuple(c for c in plan.changes if c.address in kept),
        checks=tuple(c for c in plan.checks if c.address.algorithm in algorithms),
    )


def _dependencies(names: set[str], depends_on: Mapping[str, tuple[str, ...]]) -> set[str]:
    """What these depend on, directly or not; not themselves, unless another of them does."""
    found: set[str] = set()
    open_ones = list(names)
    while open_ones:
        for other in depends_on.get(open_ones.pop(), ()):
            if other not in found:
                found.add(other)
                open_ones.append(other)
    return found


def _stands_on(target: Address, other: Address) -> bool:
    if target.algorithm != other.algorithm:
        return False
    # A data file stands on nothing; everything else on whatever comes to be before it.
    return target.kind != "data" and KINDS.index(other.kind) < KINDS.index(target.kind)
