"""What a drift report looked at and what it did not, as text and as a document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from algosync.core.planning.coverage import Coverage, Gap, LeftOut
from algosync.core.redaction import Redactor, Word
from algosync.core.resource import Json
from algosync.core.text import plural, printable, size
from algosync.views.value import Redact, redacted_address

__all__ = ["coverage_document", "coverage_lines"]

_SHOWN = 20  # of each sort
_HEADINGS = {
    Gap.NOT_APPLIED: "Not looked at, because it was never applied:",
    Gap.NOT_READABLE: "Not looked at, because the destination refused it:",
    Gap.BUDGET: "Compared by size and time only, because --read-budget left no room:",
}


def coverage_lines(coverage: Coverage, redact: Redact) -> Iterator[str]:
    """How the data files were compared, and what was left out. Nothing, if nothing was read or left out. Without colours."""
    if coverage.read:
        read = f"{plural(len(coverage.read), 'file')} read ({size(sum(coverage.read.values()))})"
        yield f"Data: {read}, {plural(coverage.trusted, 'file')} compared by size and time."
    for gap, heading in _HEADINGS.items():
        if left := [each for each in coverage.left_out if each.why is gap]:
            yield heading
            yield from (f"  {_left_out(each, redact)}" for each in left[:_SHOWN])
            if len(left) > _SHOWN:
                yield f"  and {len(left) - _SHOWN:,} more"
    if coverage.read or coverage.left_out:
        yield ""


def _left_out(left: LeftOut, redact: Redact) -> str:
    named = printable(redacted_address(left.address, redact))
    named = named if left.size is None else f"{named} ({size(left.size)})"
    return f"{named}: {printable(redact(left.reason))}" if left.reason else named


def coverage_document(coverage: Coverage, redactor: Redactor) -> Mapping[str, Json]:
    return {
        "compared": len(coverage.compared),
        "files_read": len(coverage.read),
        "bytes_read": sum(coverage.read.values()),
        "files_trusted": coverage.trusted,
        "left_out": [
            {
                "address": Word(redacted_address(left.address, redactor.redact)),
                "why": Word(left.why.value),
                "reason": left.reason or None,
                "size": left.size,
            }
            for left in coverage.left_out
        ],
    }
