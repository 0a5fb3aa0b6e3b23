"""Seen drift: remembers beside the state since when findings are seen, and when files were read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from algosync.core.address import Address
from algosync.core.planning.change import Finding
from algosync.core.results.sighting import Seen, dated, sighted
from algosync.core.text import printable

if TYPE_CHECKING:
    from collections.abc import Collection

    from algosync.cli.session import CommandSession
    from algosync.cli.terminal import Terminal
    from algosync.core.planning.coverage import Examined, Reading

__all__ = ["reading_of", "remembered", "seen_before", "stored_address"]


def reading_of(session: CommandSession, reading: Reading, terminal: Terminal) -> Reading:
    """Which bytes to read, with the times when each recorded file was last read."""
    known = session.results.seen().verified
    verified = {a: at for a in session.ledger.records if (at := known.get(stored_address(a, terminal.redact)))}
    return replace(reading, verified=verified)


def seen_before(
    examined: Examined, session: CommandSession, unproven: Collection[Address], terminal: Terminal, *, exit_code: int
) -> tuple[Finding, ...]:
    """The findings with the time when each was first seen, which is remembered, together with the entry of the history.

    Failing to do so is a warning. `unproven`: addresses of which a missing finding proves nothing, because nobody looked.
    """
    kept = {stored_address(address, terminal.redact) for address in unproven}
    at = session.scene.site.now()
    record = partial(session.results.record_seen, others=session.log.ended(exit_code, terminal.redact))
    findings, warning = remembered(examined, record, at, terminal.redact, kept.__contains__)
    if warning:
        terminal.tell(f"Warning: {printable(warning)}")
    return findings


def remembered(
    examined: Examined,
    record: Callable[[Callable[[Seen], Seen]], tuple[Seen, str]],
    at: str,
    redact: Callable[[str], str],
    unproven: Callable[[Address], bool],
) -> tuple[tuple[Finding, ...], str]:
    """The findings with the time when each was first seen. The second value is a warning, or empty.

    `at`: the time of the report, ISO 8601 in UTC. `unproven`: whether a missing finding of a
    stored address proves nothing, besides those that the coverage misses. `record`: as of
    `TestResults.record_seen`.
    """

    def stored(address: Address) -> Address:
        return stored_address(address, redact)

    coverage = examined.coverage
    compared = {*map(stored, coverage.compared)}
    gaps = replace(coverage, left_out=tuple(replace(left, address=stored(left.address)) for left in coverage.left_out))

    def merge(before: Seen) -> Seen:
        found = sighted(before.sightings, examined.findings, at, stored, lambda a: unproven(a) or gaps.misses(a))
        verified = {address: time for address, time in before.verified.items() if address in compared or gaps.misses(address)}
        return Seen(found, {**verified, **dict.fromkeys(map(stored, coverage.read), at)})

    seen, warning = record(merge)
    return tuple(dated(finding, seen.sightings, at, stored) for finding in examined.findings), warning


def stored_address(address: Address, redact: Callable[[str], str]) -> Address:
    """The address under which something is stored: without secrets."""
    return Address(address.kind, redact(address.algorithm), None if address.name is None else redact(address.name))
