"""The history beside a state, as a table and as a document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from algosync.core.redaction import Word
from algosync.core.resource import Json
from algosync.core.results.past_run import PastRun
from algosync.core.text import duration, paint, printable
from algosync.core.timestamp import read_iso_time
from algosync.views.value import FORMAT_VERSION

__all__ = ["history_document", "history_lines"]

_HEAD = ("WHEN (UTC)", "COMMAND", "EXIT", "TOOK", "BY", "WHAT")
_EXIT = 2  # the column of the exit code
_SHOWN = 3  # versions
_RESOURCES = ("added", "changed", "destroyed", "imported")


def history_lines(runs: Sequence[PastRun]) -> Iterator[str]:
    """A table in the order of `runs`; nothing if there are none."""
    if not runs:
        return
    table = [_HEAD, *map(_cells, runs)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for number, row in enumerate(table):
        cells = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)]
        if number and runs[number - 1].failed:
            cells[_EXIT] = paint(cells[_EXIT], "red", "bold")
        yield "  ".join(cells).rstrip()


def _cells(run: PastRun) -> tuple[str, ...]:
    at = read_iso_time(run.at)
    when = at.strftime("%Y-%m-%d %H:%M:%S") if at else printable(run.at, 40)
    by = printable(run.by, 60) + (f" ({printable(run.ci, 60)})" if run.ci else "")
    return when, printable(run.command, 20), str(run.exit_code), duration(run.seconds), by, ", ".join(_what(run))


def _what(run: PastRun) -> Iterator[str]:
    counts = run.counts
    yield from (f"{counts[name]} {name}" for name in _RESOURCES if counts.get(name))
    shown = run.versions[:_SHOWN]
    yield from (f"{printable(each.algorithm, 60)} {printable(each.version, 40)}" for each in shown)
    if (more := counts.get("published", len(run.versions)) - len(shown)) > 0:
        yield f"{more} more versions" if shown else f"{more} versions"
    if passed := counts.get("tests_passed"):
        yield f"{passed} passed"
    if failed := counts.get("tests_failed"):
        yield f"{failed} failed"
    if "findings" in counts:
        yield f"{counts['findings']} differ" if counts["findings"] else "nothing differs"


def history_document(runs: Sequence[PastRun], meta: Mapping[str, Json]) -> Json:
    """One JSON document with the runs in their order."""
    return {"format_version": FORMAT_VERSION, "meta": _words(meta), "runs": [_row(run) for run in runs]}


def _words(meta: Mapping[str, Json]) -> dict[str, Json]:
    return {name: Word(value) if name in ("timestamp", "algosync_version") else value for name, value in meta.items()}


def _row(run: PastRun) -> Json:
    """The entry. Words of algosync, numbers and commits are no secrets."""
    row = run.to_json()
    versions: list[Json] = [
        {"algorithm": each.algorithm, "version": Word(each.version), "commit": Word(each.commit)} for each in run.versions
    ]
    words = {"command": Word(run.command), "at": Word(run.at)}
    return {**row, **words, "ci": run.ci or None, "failed": run.failed, "versions": versions}
