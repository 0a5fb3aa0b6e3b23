"""A drift report as text."""

from __future__ import annotations

from collections.abc import Sequence

from algosync.core.change import Drift, Finding
from algosync.core.text import printable
from algosync.views.terminal import Terminal
from algosync.views.value import differences

__all__ = ["show_drift"]

_HEADINGS = {
    Drift.CHANGED: ("~", "yellow", "has changed outside of algosync"),
    Drift.MISSING: ("-", "red", "is missing"),
    Drift.UNMANAGED: ("?", "cyan", "is not managed by this workflow"),
    Drift.UNKNOWN: ("!", "red", "could not be looked at"),
}


def show_drift(findings: Sequence[Finding], terminal: Terminal) -> None:
    """Unmanaged things are listed, but they are no drift."""
    for finding in findings:
        symbol, colour, sentence = _HEADINGS[finding.drift]
        terminal.result(f"  {terminal.paint(symbol, colour)} {printable(str(finding.address))} {sentence}")
        if finding.drift is Drift.CHANGED:
            changed = [d for d in differences(finding.before, finding.after) if d.before != d.after]
            for d in changed:
                terminal.result(f"      ~ {d.name} = {d.before} -> {d.after}")
        if finding.reason:
            terminal.result(f"      {printable(finding.reason)}")
    count = {kind: sum(1 for f in findings if f.drift is kind) for kind in Drift}
    if findings:
        terminal.result()
    if not any(count[kind] for kind in Drift if kind is not Drift.UNMANAGED):
        terminal.result(terminal.paint("No drift. The destination is as it was left.", "green", "bold"))
    else:
        parts = [f"{count[kind]} {kind.value}" for kind in Drift if count[kind]]
        terminal.result(f"Drift: {', '.join(parts)}.")
