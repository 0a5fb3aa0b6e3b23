"""Records with sensitive values: neither the values nor their digests are stored, and the rest is still compared."""

from __future__ import annotations

from dataclasses import replace

from fakes.ledger import FakeLedger

from algosync.cli.ledger import RedactingLedger
from algosync.core.address import Address
from algosync.core.planning.change import Action
from algosync.core.planning.diff import diff, drift
from algosync.core.redaction import Redactor
from algosync.core.resource import SENSITIVE, Json, Record, Resource, digest_of

ADDRESS = Address("algorithm", "Hello")
PLAIN: dict[str, Json] = {"summary": "hello", "label": "Hello"}
SECRET: dict[str, Json] = {"summary": "the PIN is 1234", "label": "Hello"}


def resource(attributes: dict[str, Json]) -> Resource:
    digest = digest_of(attributes)
    return Resource(ADDRESS, attributes, digest, digest)


def stored(record: Record) -> Record:
    redactor, ledger = Redactor(), FakeLedger()
    redactor.hide("1234")
    RedactingLedger(ledger, redactor.redacted, redactor.holds, frozenset()).commit(record)
    return ledger.records[record.address]


def record_of(attributes: dict[str, Json]) -> Record:
    digest = digest_of(attributes)
    return Record(ADDRESS, digest, digest, digest, None, attributes)


def test_a_digest_of_a_sensitive_value_is_not_stored() -> None:
    found = stored(record_of(SECRET))
    assert found == Record(ADDRESS, SENSITIVE, None, None, None, {"summary": "the PIN is ***", "label": "Hello"})
    assert stored(record_of(PLAIN)) == record_of(PLAIN)


def test_a_digest_of_other_content_is_stored() -> None:
    """Such as a tree id, and the commit that is the stamp of a source."""
    record = replace(record_of(SECRET), digest="0" * 40, destination_stamp="abc")
    assert (stored(record).digest, stored(record).destination_stamp) == ("0" * 40, "abc")


def test_the_destination_is_compared_without_the_sensitive_value() -> None:
    recorded = {ADDRESS: stored(record_of(SECRET))}
    assert drift({ADDRESS: resource(SECRET)}, recorded, {}) == ()
    assert len(drift({ADDRESS: resource({**SECRET, "label": "Other"})}, recorded, {})) == 1
    (same,) = diff({ADDRESS: resource(SECRET)}, {ADDRESS: resource(SECRET)}, recorded)
    assert not same.action.visible
    (changed,) = diff({ADDRESS: resource(PLAIN)}, {ADDRESS: resource(SECRET)}, recorded)
    assert (changed.action, changed.drifted) == (Action.UPDATE, False)
    (moved,) = diff({ADDRESS: resource(PLAIN)}, {ADDRESS: resource({**SECRET, "label": "Other"})}, recorded)
    assert moved.drifted
