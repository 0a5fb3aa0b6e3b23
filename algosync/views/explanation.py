"""Explanations as text and as members of a document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from algosync.core.planning.explanation import Explanation
from algosync.core.redaction import MASK, Redactor, Word
from algosync.core.resource import SENSITIVE, Json, Record, Resource
from algosync.core.text import paint, printable, size
from algosync.views.value import redacted_address

__all__ = ["explanation_documents", "explanation_lines"]

_VALUES = "its values"  # the digest of a resource that is not read: it is computed from the attributes


def explanation_lines(explanations: Iterable[Explanation], redactor: Redactor) -> Iterator[str]:
    """For each resource its action with the reason, and a line for each side and for the record."""
    for explanation in explanations:
        change, reason = explanation.change, explanation.reason
        address = printable(redacted_address(change.address, redactor.redact))
        yield ""
        yield f"{paint('Why', 'bold')} {address}: {change.action.value} ({reason.value}: {reason.sentence})"
        for row in _rows(explanation, redactor):
            yield f"    {row}"


def explanation_documents(explanations: Iterable[Explanation], redactor: Redactor) -> list[Json]:
    return [_document(explanation, redactor) for explanation in explanations]


def _rows(explanation: Explanation, redactor: Redactor) -> Iterator[str]:
    hidden, (source, destination) = _is_hidden(explanation, redactor), explanation.stamps_from
    change, record = explanation.change, explanation.record
    for name, side, place in (("source", change.after, source), ("destination", change.before, destination)):
        yield f"{name + ':':<12} {'nothing' if side is None else ', '.join(_side_words(side, place, redactor, hidden=hidden))}"
    yield f"{'record:':<12} {'none' if record is None else ', '.join(_record_words(record, redactor, hidden=hidden))}"


def _side_words(side: Resource, place: str, redactor: Redactor, *, hidden: bool) -> Iterator[str]:
    yield "no stamp" if side.stamp is None else f"stamp {_text(side.stamp, redactor, hidden=hidden)} ({place})"
    if side.digest is None:
        yield "digest not read"
    else:
        yield f"digest {_text(side.digest, redactor, hidden=hidden)} ({side.digest_from or _VALUES})"
    if side.size is not None:
        yield size(side.size)


def _record_words(record: Record, redactor: Redactor, *, hidden: bool) -> Iterator[str]:
    for name, stamp in (("source", record.source_stamp), ("destination", record.destination_stamp)):
        yield f"no stamp of the {name}" if stamp is None else f"stamp of the {name} {_text(stamp, redactor, hidden=hidden)}"
    yield f"digest {_text(record.digest, redactor, hidden=hidden)}"
    if record.size is not None:
        yield size(record.size)


def _text(text: str, redactor: Redactor, *, hidden: bool) -> str:
    return MASK if hidden or text == SENSITIVE else printable(redactor.redact(text))


def _is_hidden(explanation: Explanation, redactor: Redactor) -> bool:
    """Whether stamps and digests are computed from a secret: they can be guessed if the secret is short."""
    sides = (explanation.change.before, explanation.change.after, explanation.record)
    return any(side is not None and (redactor.holds(side.attributes) or MASK in str(side.attributes)) for side in sides)


def _document(explanation: Explanation, redactor: Redactor) -> Json:
    hidden, (source, destination) = _is_hidden(explanation, redactor), explanation.stamps_from
    change, record = explanation.change, explanation.record
    return {
        "address": Word(redacted_address(change.address, redactor.redact)),
        "action": Word(change.action.value),
        "reason": Word(explanation.reason.value),
        "sentence": Word(explanation.reason.sentence),
        "source": _side_document(change.after, source, hidden=hidden),
        "destination": _side_document(change.before, destination, hidden=hidden),
        "record": _record_document(record, hidden=hidden),
    }


def _side_document(side: Resource | None, place: str, *, hidden: bool) -> Json:
    if side is None:
        return None
    return {
        "stamp": None if hidden else side.stamp,
        "stamp_from": Word(place) if side.stamp else None,
        "digest": None if hidden else side.digest,
        "digest_from": Word(side.digest_from or _VALUES) if side.digest else None,
        "size": side.size,
    }


def _record_document(record: Record | None, *, hidden: bool) -> Json:
    if record is None:
        return None
    return {
        "source_stamp": None if hidden else record.source_stamp,
        "destination_stamp": None if hidden else record.destination_stamp,
        "digest": None if hidden or record.digest == SENSITIVE else record.digest,
        "size": record.size,
    }
