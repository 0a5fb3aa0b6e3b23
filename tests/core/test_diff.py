"""The three-way diff: every row of its table, and the laws that hold for all inputs."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algosync.core.address import Address
from algosync.core.planning.change import Action, Change, Drift, Finding
from algosync.core.planning.diff import (
    assume_desired,
    assume_observed,
    comparable,
    diff,
    drift,
    record_of,
    redacted_attributes,
    undecided,
)
from algosync.core.resource import Json, Record, Resource

FILE = Address("data", "Hello", "w.pb")
WANT = Resource(FILE, stamp="s1", digest="d1", size=3)
HAVE = Resource(FILE, stamp="t1", digest="d1", size=3)
RECORD = Record(FILE, "d1", "s1", "t1", 3)
UNVERIFIED = replace(RECORD, destination_stamp=None)


def decide(want: Resource | None, have: Resource | None, record: Record | None) -> Change | None:
    """The change of one resource, as a plan makes it, without reading bytes."""
    recorded = {} if record is None else {FILE: record}
    desired = assume_desired({} if want is None else {FILE: want}, recorded)
    observed = assume_observed({} if have is None else {FILE: have}, recorded)
    changes = diff(desired, observed, recorded)
    return changes[0] if changes else None


@pytest.mark.parametrize(
    ("want", "have", "record", "action", "drifted"),
    [
        (WANT, None, None, Action.CREATE, False),
        (WANT, None, RECORD, Action.CREATE, True),
        (replace(WANT, digest=None), replace(HAVE, digest=None), RECORD, Action.NONE, False),
        (WANT, HAVE, None, Action.ADOPT, False),
        (WANT, replace(HAVE, stamp="t2"), RECORD, Action.REFRESH, False),
        (replace(WANT, stamp="s2"), HAVE, RECORD, Action.REFRESH, False),
        (replace(WANT, stamp="s2", digest="d2"), replace(HAVE, digest=None), RECORD, Action.UPDATE, False),
        (replace(WANT, stamp="s2", digest=None), replace(HAVE, digest=None), RECORD, Action.UPDATE, False),
        (replace(WANT, digest=None), replace(HAVE, stamp="t2", digest="d2"), RECORD, Action.UPDATE, True),
        (replace(WANT, digest=None), replace(HAVE, stamp="t2", digest=None, size=4), RECORD, Action.UPDATE, True),
        (WANT, replace(HAVE, digest="d2"), None, Action.UPDATE, False),
        # Recorded but never verified, and the size at the source changed since: no drift.
        (replace(WANT, stamp="s2", digest=None, size=4), replace(HAVE, digest=None), UNVERIFIED, Action.UPDATE, False),
        # Settings have digests on both sides: a setting that is new in the workflow is no drift.
        (replace(WANT, stamp="s2", digest="d2"), replace(HAVE, digest="d3"), RECORD, Action.UPDATE, False),
        (None, HAVE, RECORD, Action.FORGET, False),
        (None, None, RECORD, Action.FORGET, False),
    ],
)
def test_the_table(want: Resource | None, have: Resource | None, record: Record | None, action: Action, drifted: bool) -> None:
    change = decide(want, have, record)
    assert change is not None
    assert (change.action, change.drifted) == (action, drifted)


def test_what_is_neither_desired_nor_recorded_is_no_change() -> None:
    assert decide(None, HAVE, None) is None


def test_a_stamp_that_is_not_trusted_proves_nothing() -> None:
    untrusted = replace(RECORD, destination_stamp=None)
    observed = assume_observed({FILE: replace(HAVE, stamp=None, digest=None)}, {FILE: untrusted})
    assert observed[FILE].digest is None
    assert undecided({FILE: WANT}, observed) == (frozenset(), frozenset({FILE}))


@pytest.mark.parametrize(
    ("want", "have", "source", "destination"),
    [
        (WANT, HAVE, False, False),
        (replace(WANT, digest=None), HAVE, True, False),
        (WANT, replace(HAVE, digest=None), False, True),
        (replace(WANT, digest=None), replace(HAVE, digest=None), True, True),
        (replace(WANT, digest=None), replace(HAVE, digest=None, size=4), False, False),
    ],
)
def test_bytes_are_read_only_if_they_decide_something(want: Resource, have: Resource, source: bool, destination: bool) -> None:
    at_source, at_destination = undecided({FILE: want}, {FILE: have})
    assert (FILE in at_source, FILE in at_destination) == (source, destination)


STAMPS = st.none() | st.sampled_from(["1", "2"])
DIGESTS = st.sampled_from(["a", "b"])
SIDES = st.builds(Resource, st.just(FILE), st.just({}), STAMPS, DIGESTS, st.integers(1, 2))
RECORDS = st.builds(Record, st.just(FILE), DIGESTS, STAMPS, STAMPS, st.integers(1, 2))


@given(SIDES, SIDES, st.none() | RECORDS)
def test_known_digests_decide_alone(want: Resource, have: Resource, record: Record | None) -> None:
    change = decide(want, have, record)
    assert change is not None
    assert change.action.writes == (want.digest != have.digest)


@given(SIDES, SIDES)
def test_a_resource_as_recorded_is_no_change(want: Resource, have: Resource) -> None:
    done = replace(have, digest=want.digest, size=want.size)
    change = decide(want, done, record_of(want, done, None))
    assert change is not None
    assert change.action is Action.NONE


def test_the_record_of_unread_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match="was not read"):
        record_of(replace(WANT, digest=None), HAVE, None)


OTHER = Address("data", "Hello", "other.pb")
GONE = Address("data", "Hello", "gone.pb")
DENIED = Address("source", "Hello")


def test_drift_tells_changed_missing_unmanaged_and_unknown() -> None:
    observed = {FILE: replace(HAVE, digest="d2"), OTHER: Resource(OTHER, stamp="x", size=1)}
    recorded = {FILE: RECORD, GONE: replace(RECORD, address=GONE), DENIED: Record(DENIED, "d", None, "c")}
    findings = drift(observed, recorded, {DENIED: "403"})
    assert {(f.address, f.drift) for f in findings} == {
        (FILE, Drift.CHANGED),
        (GONE, Drift.MISSING),
        (OTHER, Drift.UNMANAGED),
        (DENIED, Drift.UNKNOWN),
    }


def test_what_was_published_again_with_the_same_content_is_a_note() -> None:
    version = Address("version", "One")
    record = Record(version, "d", "s", "1.0.0@a", None, {"version": "1.0.0", "environment": "***"})
    again = Resource(version, {"version": "1.0.1", "environment": "x"}, stamp="1.0.1@b", digest="d")
    (finding,) = drift({version: again}, {version: record}, {})
    assert (finding.drift, finding.drift.differs, finding.after) == (Drift.REWRITTEN, False, again)
    same = replace(again, attributes={**again.attributes, "version": "1.0.0"})
    assert drift({version: same}, {version: record}, {}) == ()


def test_attributes_with_redacted_values_are_named() -> None:
    one, two = Address("algorithm", "One"), Address("algorithm", "Two")
    records = {
        two: Record(two, "d", None, None, None, {"summary": "is ***", "label": "***", "license": "apl"}),
        one: Record(one, "d", None, None, None, {"summary": "x"}),
    }
    assert redacted_attributes(records) == {two: ("label", "summary")}


def test_without_drift_there_are_no_findings() -> None:
    assert drift({FILE: HAVE}, {FILE: RECORD}, {}) == ()


def test_what_was_redacted_in_the_record_is_not_compared() -> None:
    here = Address("algorithm", "One")

    def finding(before: dict[str, Json], after: dict[str, Json]) -> Finding:
        return Finding(here, Drift.CHANGED, Resource(here, before, digest="a"), Resource(here, after, digest="b"))

    only = finding({"label": "x", "summary": "is ***"}, {"label": "x", "summary": "is hunter2"})
    both = finding({"label": "x", "summary": "is ***"}, {"label": "y", "summary": "is hunter2"})
    plain = finding({"label": "x"}, {"label": "y"})
    assert comparable([only, both, plain]) == (plain, plain)
