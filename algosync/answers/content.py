"""What an answer's value has to be: `equals`, `contains`, `baseline`, `match` and `schema`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

from algosync.answers.baseline import Accepted, NotBaseline, digest, read_baseline
from algosync.answers.comparison import differences
from algosync.answers.condition import failed_conditions
from algosync.answers.difference import ABSENT, ValueDifference, path_of
from algosync.answers.exact_json import Value, json_text, read_exact
from algosync.answers.excerpt import excerpt, unseen
from algosync.answers.selection import selected, without
from algosync.answers.subject import Subject
from algosync.answers.subset import Subset
from algosync.core.testing.answer import Mismatch
from algosync.core.testing.case import Expectation

__all__ = ["baseline", "contains", "equals", "match", "schema"]


def equals(expect: Expectation, subject: Subject) -> Iterator[Mismatch]:
    yield from _compared("equals", read_exact(expect.equals or ""), expect, subject)


def contains(expect: Expectation, subject: Subject) -> Iterator[Mismatch]:
    wanted, got = (without(value, expect.ignore) for value in (read_exact(expect.contains or ""), subject.value))
    yield from _told("contains", Subset(expect.tolerance, ignore_order=expect.ignore_order).missing(wanted, got))


def baseline(expect: Expectation, subject: Subject) -> Iterator[Mismatch]:
    if expect.baseline is None or expect.baseline.content is None:
        yield Mismatch("baseline", note="there is no accepted answer yet; `algosync test --accept` writes it")
        return
    try:
        accepted = read_baseline(expect.baseline.content)
    except NotBaseline as fault:
        yield Mismatch("baseline", note=f"the file {fault}; `algosync test --accept` writes it again")
        return
    if accepted.content_type != subject.answer.content_type:
        yield Mismatch("baseline", "", accepted.content_type, subject.answer.content_type, "the content type")
    elif accepted.content_type == "binary":
        yield from _same_bytes(accepted, subject)
    else:
        yield from _compared("baseline", accepted.value, expect, subject)


def match(expect: Expectation, subject: Subject) -> Iterator[Mismatch]:
    """Every place that a path selects has to fit, and there has to be one."""
    for path, text in expect.match:
        wanted = read_exact(text)
        places = selected(path, subject.value)
        if not places:
            yield Mismatch("match", path, json_text(wanted), "", "there is nothing at this path")
        for place, value in places:
            for condition, note in failed_conditions(wanted, value):
                yield Mismatch("match", path_of(place), condition, excerpt(value), note or _unseen_condition(wanted, value))


def schema(expect: Expectation, subject: Subject) -> Iterator[Mismatch]:
    from algosync.answers.schemas.json_schema import allows_null, errors_of

    if subject.value is None and not allows_null(expect.schema or ""):
        yield Mismatch("schema", "$", "", "null", "the answer is null, and the schema does not name null as a type")
        return
    for fault in errors_of(expect.schema or "", subject.value):
        keyword, limit = str(fault.validator), excerpt(cast(Value, fault.validator_value))
        note = fault.message if keyword in {"required", "additionalProperties", "dependentRequired"} else ""
        yield Mismatch(
            "schema", path_of(tuple(fault.absolute_path)), f"{keyword}: {limit}", excerpt(cast(Value, fault.instance)), note
        )


def _compared(name: str, wanted: Value, expect: Expectation, subject: Subject) -> Iterator[Mismatch]:
    wanted, got = (without(value, expect.ignore) for value in (wanted, subject.value))
    yield from _told(name, differences(wanted, got, expect.tolerance, ignore_order=expect.ignore_order))


def _told(name: str, found: Iterable[ValueDifference]) -> Iterator[Mismatch]:
    for each in found:
        note = each.note or unseen(each.expected, each.got)
        if not note and ABSENT in (each.expected, each.got):
            note = "the answer has nothing here" if each.got is ABSENT else "nothing is expected here"
        yield Mismatch(name, path_of(each.place), excerpt(each.expected), excerpt(each.got), note)


def _same_bytes(accepted: Accepted, subject: Subject) -> Iterator[Mismatch]:
    body = subject.answer.body
    if accepted.sha256 != digest(body):
        yield Mismatch("baseline", "", f"{accepted.sha256}", digest(body), f"{accepted.size} bytes accepted, got {len(body)}")


def _unseen_condition(wanted: Value, value: Value) -> str:
    return unseen(wanted.get("==", "") if isinstance(wanted, dict) else wanted, value)
