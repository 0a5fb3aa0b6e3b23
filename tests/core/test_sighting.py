"""Sightings: since when a finding is seen, from one report to the next. The clock is the test's."""

from __future__ import annotations

import pytest

from algosync.core.address import Address
from algosync.core.error import Corrupt
from algosync.core.planning.change import Drift, Finding
from algosync.core.resource import Json
from algosync.core.results.sighting import Seen, Sighting, dated, decode_seen, sighted, with_seen

DATA, SOURCE, TEST = Address("data", "A", "w.pb"), Address("source", "A"), Address("test", "A", "t")
MONDAY, TUESDAY, WEDNESDAY = (f"2026-01-0{day}T03:00:00+00:00" for day in (5, 6, 7))


def after(
    before: dict[Address, Sighting], at: str, *findings: Finding, unseen: tuple[Address, ...] = ()
) -> dict[Address, Sighting]:
    return sighted(before, findings, at, lambda address: address, unseen.__contains__)


def test_a_finding_keeps_the_time_of_the_first_report_that_saw_it() -> None:
    first = after({}, MONDAY, Finding(DATA, Drift.CHANGED))
    second = after(first, TUESDAY, Finding(DATA, Drift.MISSING), Finding(SOURCE, Drift.CHANGED))
    assert second == {DATA: Sighting("missing", MONDAY), SOURCE: Sighting("changed", TUESDAY)}
    finding = dated(Finding(DATA, Drift.MISSING), second, WEDNESDAY, lambda address: address)
    assert (finding.first_seen, finding.age) == (MONDAY, 2 * 86_400)


def test_what_was_mended_is_forgotten_and_is_new_when_it_comes_back() -> None:
    first = after({}, MONDAY, Finding(DATA, Drift.CHANGED))
    assert after(first, TUESDAY) == {}
    assert after({}, WEDNESDAY, Finding(DATA, Drift.CHANGED))[DATA].first_seen == WEDNESDAY


@pytest.mark.parametrize("drift", [Drift.UNKNOWN, Drift.IN_PROGRESS])
def test_what_could_not_be_looked_at_keeps_its_time_and_gets_none(drift: Drift) -> None:
    first = after({}, MONDAY, Finding(DATA, Drift.CHANGED))
    finding = Finding(DATA, drift)
    assert after(first, TUESDAY, finding) == first
    assert after({}, TUESDAY, finding) == {}
    assert dated(finding, first, TUESDAY, lambda address: address) == finding
    assert after(first, TUESDAY, unseen=(DATA,)) == first


def test_a_failing_test_has_its_own_time() -> None:
    failing = Finding(TEST, Drift.FAILING, since=MONDAY)
    assert after({}, TUESDAY, failing) == {}
    assert dated(failing, {TEST: Sighting("behaviour", MONDAY)}, TUESDAY, lambda address: address) == failing


def test_a_time_that_is_none_is_not_shown() -> None:
    finding = Finding(DATA, Drift.CHANGED)
    assert dated(finding, {DATA: Sighting("changed", "\x1b[31m")}, MONDAY, lambda address: address) == finding


def test_a_clock_that_goes_back_gives_no_negative_age() -> None:
    finding = dated(Finding(DATA, Drift.CHANGED), {DATA: Sighting("changed", TUESDAY)}, MONDAY, lambda address: address)
    assert finding.age == 0


def test_the_document_keeps_what_later_versions_wrote() -> None:
    later: dict[str, Json] = {"drift": {"findings": {str(DATA): {"owner": "me"}}, "streak": 3}, "tests": {}}
    seen = Seen({DATA: Sighting("changed", MONDAY)}, {DATA: TUESDAY})
    document = with_seen(later, seen)
    assert decode_seen(document) == seen
    section = document["drift"]
    assert isinstance(section, dict)
    assert section["streak"] == 3
    row: dict[str, Json] = {"owner": "me", "drift": "changed", "first_seen": MONDAY}
    assert section["findings"] == {str(DATA): row}
    assert with_seen(document, seen) is document


def test_a_document_of_an_earlier_version_has_seen_nothing() -> None:
    document: dict[str, Json] = {"tests": {}}
    assert decode_seen(document) == Seen()
    assert with_seen(document, Seen()) is document


@pytest.mark.parametrize(
    "section", [[], {"findings": 1}, {"findings": {"x": {}}}, {"findings": {"data.A": 1}}, {"verified": {"data.A": {}}}]
)
def test_a_damaged_section_is_refused(section: Json) -> None:
    with pytest.raises(Corrupt):
        decode_seen({"drift": section})
