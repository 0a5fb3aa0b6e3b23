"""Ignoring: differences that the workflow's `ignore` leaves as they are, in a plan and in a drift report. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from algosync.core.address import Address
from algosync.core.planning.change import Action, Change, Drift, Finding
from algosync.core.resource import KindTraits, Record, Snapshot, digest_of
from algosync.core.text import plural
from algosync.core.workflow import AlgorithmSpec, Ignore, Workflow

__all__ = ["expired_notes", "ignored_notes", "leaving_files", "of_day", "with_ignored", "without_ignored_files"]

Ignored = Counter[tuple[str, Ignore]]
"""How many differences each rule of an algorithm ignores."""


def of_day(workflow: Workflow, day: str) -> Workflow:
    """The workflow whose rules are expired if `day`, as `2027-01-31`, is after their last one."""

    def dated(spec: AlgorithmSpec) -> AlgorithmSpec:
        rules = tuple(replace(rule, expired=bool(rule.until) and rule.until < day) for rule in spec.ignore)
        return replace(spec, ignore=rules) if rules else spec

    return replace(workflow, algorithms=tuple(map(dated, workflow.algorithms)))


def expired_notes(spec: AlgorithmSpec) -> tuple[str, ...]:
    """A sentence for each rule that does not hold any more."""
    return tuple(
        f"`ignore` of {rule.attribute} ended on {rule.until}, so it is compared again ({rule.reason})"
        for rule in spec.ignore
        if rule.expired
    )


def ignored_notes(ignored: Ignored) -> tuple[str, ...]:
    """A sentence for each rule that ignores something."""
    return tuple(
        f"{name}: `ignore` of {rule.attribute} leaves {plural(count, 'difference')} as it is ({rule.reason})"
        if count == 1
        else f"{name}: `ignore` of {rule.attribute} leaves {plural(count, 'difference')} as they are ({rule.reason})"
        for (name, rule), count in ignored.items()
    )


def with_ignored(
    recorded: Mapping[Address, Record], observed: Snapshot, specs: Mapping[str, AlgorithmSpec], kinds: Mapping[str, KindTraits]
) -> tuple[Mapping[Address, Record], Ignored]:
    """The records with the values at the destination for all attributes that a rule ignores, and how many differed.

    Only digests that are made of the attributes can be made again, so other records stay.
    """
    if not any(spec.ignore for spec in specs.values()):
        return recorded, Ignored()
    found, ignored = dict(recorded), Ignored()
    for address, record in recorded.items():
        have, spec = observed.get(address), specs.get(address.algorithm)
        if have is None or spec is None or not spec.ignore or record.digest != digest_of(dict(record.attributes)):
            continue
        attributes = dict(record.attributes)
        for attribute, name in kinds[address.kind].ignorable.items():
            rule = spec.ignores(name)
            if rule and attribute in have.attributes and attributes.get(attribute) != have.attributes[attribute]:
                attributes[attribute] = have.attributes[attribute]
                ignored[spec.name, rule] += 1
        found[address] = replace(record, attributes=attributes, digest=digest_of(attributes))
    return found, ignored


def leaving_files(
    changes: Iterable[Change], specs: Mapping[str, AlgorithmSpec], kinds: Mapping[str, KindTraits]
) -> tuple[Change, ...]:
    """The changes, without updates of data files that are at the destination and that a rule ignores. A note tells each."""

    if not any(spec.ignore for spec in specs.values()):
        return tuple(changes)

    def left(change: Change) -> Change:
        rule = _rule_of_file(change.address, specs, kinds)
        if rule is None or change.before is None or change.action not in (Action.UPDATE, Action.ADOPT):
            return change
        note = f"it is left as it is at the destination, because `ignore` names it ({rule.reason})"
        return Change(change.address, Action.NONE, replace(change.before, notes=(*change.before.notes, note)), None)

    return tuple(map(left, changes))


def without_ignored_files(
    findings: Iterable[Finding], specs: Mapping[str, AlgorithmSpec], kinds: Mapping[str, KindTraits]
) -> tuple[tuple[Finding, ...], Ignored]:
    """The findings without data files that a rule ignores, and how many these were. A missing file is a finding all the same."""
    kept, ignored = [], Ignored()
    for finding in findings:
        rule = _rule_of_file(finding.address, specs, kinds)
        if rule is None or finding.drift not in (Drift.CHANGED, Drift.REWRITTEN, Drift.UNMANAGED):
            kept.append(finding)
        else:
            ignored[finding.address.algorithm, rule] += 1
    return tuple(kept), ignored


def _rule_of_file(address: Address, specs: Mapping[str, AlgorithmSpec], kinds: Mapping[str, KindTraits]) -> Ignore | None:
    spec = specs.get(address.algorithm)
    if spec is None or not kinds[address.kind].is_file:
        return None
    return spec.ignores(f'{address.kind}["{address.name}"]')
