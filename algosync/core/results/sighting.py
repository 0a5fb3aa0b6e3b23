"""Sighting: since when drift reports have seen that a resource differs, as it is remembered beside the state. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field, replace
from types import MappingProxyType

from algosync.core.address import Address
from algosync.core.codec import address_from_json, require_text
from algosync.core.error import Corrupt
from algosync.core.lean import dataclass
from algosync.core.planning.change import Drift, Finding
from algosync.core.resource import Json
from algosync.core.timestamp import read_iso_time

__all__ = ["SECTION", "Seen", "Sighting", "dated", "decode_seen", "sighted", "with_seen"]

SECTION = "drift"  # of the results document
_NOT_SEEN = (Drift.UNKNOWN, Drift.IN_PROGRESS)


@dataclass(frozen=True, slots=True)
class Sighting:
    """`drift`: the sort of the last finding. `first_seen`: the time of the first report that saw the difference, ISO 8601 in UTC.

    A difference that changes, for instance to another commit, is still the same one. One that disappears and comes back is new.
    """

    drift: str
    first_seen: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What drift reports have seen, by address without secrets. `verified`: when the bytes of a file were last read."""

    sightings: Mapping[Address, Sighting] = field(default_factory=lambda: MappingProxyType({}))
    verified: Mapping[Address, str] = field(default_factory=lambda: MappingProxyType({}))


def sighted(
    before: Mapping[Address, Sighting],
    findings: Iterable[Finding],
    at: str,
    stored: Callable[[Address], Address],
    unseen: Callable[[Address], bool],
) -> dict[Address, Sighting]:
    """The sightings after a report that was made `at` this time.

    `stored`: the address under which a sighting is stored. `unseen`: whether the report could not look at a stored address; its
    sighting stays. So does that of a resource that is unknown or in progress. Tests that fail have their own time, so they are left
    out.
    """
    now: dict[Address, Sighting] = {address: old for address, old in before.items() if unseen(address)}
    for finding in findings:
        address = stored(finding.address)
        old = before.get(address)
        if finding.drift in _NOT_SEEN:
            now |= {address: old} if old else {}
        elif finding.drift is not Drift.FAILING:
            now[address] = Sighting(finding.drift.value, old.first_seen if old else at)
    return now


def dated(finding: Finding, sightings: Mapping[Address, Sighting], at: str, stored: Callable[[Address], Address]) -> Finding:
    """The finding with its first time and its age at a time. Without them if it could not be looked at."""
    found = sightings.get(stored(finding.address))
    if found is None or finding.drift in _NOT_SEEN or finding.drift is Drift.FAILING:
        return finding
    first, now = read_iso_time(found.first_seen), read_iso_time(at)
    if first is None:  # somebody edited the document
        return finding
    age = None if now is None else max(0, int((now - first).total_seconds()))
    return replace(finding, first_seen=found.first_seen, age=age)


def with_seen(document: Mapping[str, Json], seen: Seen) -> Mapping[str, Json]:
    """The document with these sightings. Members that a later version wrote stay, also those of a sighting."""
    section = _section(document)
    rows = {str(a): {"drift": s.drift, "first_seen": s.first_seen} for a, s in seen.sightings.items()}
    members = {name: _merged(section.get(name), new) for name, new in (("findings", rows), ("verified", _verified_rows(seen)))}
    same = section == {**section, **members} or (not section and not rows and not seen.verified)
    return document if same else {**document, SECTION: {**section, **members}}


def _verified_rows(seen: Seen) -> Mapping[str, Mapping[str, Json]]:
    return {str(address): {"at": at} for address, at in seen.verified.items()}


def _merged(old: Json, new: Mapping[str, Mapping[str, Json]]) -> Json:
    known = old if isinstance(old, Mapping) else {}
    return {name: {**(row if isinstance(row := known.get(name), Mapping) else {}), **values} for name, values in new.items()}


def decode_seen(document: Mapping[str, Json]) -> Seen:
    """Empty: an earlier version wrote the document. Corrupt: it is damaged."""
    section = _section(document)
    found = {address: _sighting(address, row) for address, row in _rows(section, "findings")}
    verified = {address: require_text(row.get("at"), f"at of {address}") for address, row in _rows(section, "verified")}
    return Seen(found, verified)


def _section(document: Mapping[str, Json]) -> Mapping[str, Json]:
    section = document.get(SECTION, {})
    if not isinstance(section, Mapping):
        raise Corrupt(f"is damaged: {SECTION} is no object")
    return section


def _rows(section: Mapping[str, Json], name: str) -> Iterable[tuple[Address, Mapping[str, Json]]]:
    rows = section.get(name, {})
    if not isinstance(rows, Mapping):
        raise Corrupt(f"is damaged: {name} of {SECTION} is no object")
    for text, row in rows.items():
        if not isinstance(row, Mapping):
            raise Corrupt(f"is damaged: {text} is no object")
        yield address_from_json(text), row


def _sighting(address: Address, row: Mapping[str, Json]) -> Sighting:
    texts = (require_text(row.get(name), f"{name} of {address}") for name in ("drift", "first_seen"))
    return Sighting(*texts)
