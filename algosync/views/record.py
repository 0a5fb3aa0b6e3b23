"""One record of the state, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from algosync.core.resource import SENSITIVE, Json, Record
from algosync.views.value import FORMAT_VERSION, Redact, redacted_address, redacted_name, shown

__all__ = ["record_document", "record_lines", "record_row"]


def record_lines(record: Record, redact: Redact) -> Iterator[str]:
    """The record, one line for each value. What the kind keeps for its own use is not shown."""
    yield f"# {redacted_address(record.address, redact)}"
    values: dict[str, Json] = {
        **dict(sorted(record.attributes.items())),
        "digest": _digest(record),
        "size": record.size,
        "source_stamp": record.source_stamp,
        "destination_stamp": record.destination_stamp,
    }
    width = max(map(len, values))
    for name, value in values.items():
        if value is not None or name in record.attributes:
            yield f"    {redacted_name(name, redact):{width}} = {redact(shown(value))}"


def record_document(record: Record, redact: Redact) -> Json:
    """The same as a JSON document."""
    return {"format_version": FORMAT_VERSION, **record_row(record, redact)}


def record_row(record: Record, redact: Redact) -> Mapping[str, Json]:
    """The same as a member of a JSON document."""
    return {
        "address": redacted_address(record.address, redact),
        "attributes": record.attributes,
        "digest": _digest(record),
        "size": record.size,
        "source_stamp": record.source_stamp,
        "destination_stamp": record.destination_stamp,
    }


def _digest(record: Record) -> str | None:
    return None if record.digest == SENSITIVE else record.digest
