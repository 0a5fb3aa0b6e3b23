"""The history as a picture and as a table inside a page: how the last commands ended, what they found, how long they took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from algosync.core.text import duration, plural
from algosync.views.formats.outline import Ending, Outline, OutlineRun

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["result", "timeline"]

_WIDTH, _BAR, _LABEL, _GAP = 360, 28, 14, 6  # of the picture; a lane has a label above its bars
_WIDEST = 14  # bar

_SHAPES = {Ending.PASSED: "●", Ending.FAILED: "◆", Ending.ERROR: "✕"}  # colour alone tells nothing to many people
_TEST_FAILED = 3  # exit code


def timeline(outline: Outline) -> Markup:
    """One column for each run of the outline's history, the newest on the right. Empty: there is none."""
    from markupsafe import Markup

    runs = outline.history
    if not runs:
        return Markup("")
    lanes = list(_lanes(runs, outline.title.lower()))
    height, parts = 0, []
    for label, lane in lanes:
        parts.append(Markup('<text x="0" y="{}">{}</text>').format(height + _LABEL - 3, label))
        parts += [_column(runs, number, lane, height + _LABEL) for number in range(len(runs))]
        height += _LABEL + _BAR + _GAP
    head = Markup('<title id="history-title">{}</title><desc id="history-text">{}</desc>').format("History", _told(runs))
    picture = Markup(
        '<svg viewBox="0 0 {} {}" role="img" aria-labelledby="history-title history-text" class="history">{}{}</svg>'
    ).format(_WIDTH, height, head, Markup("").join(parts))
    return Markup('<figure>{}<div class="axis"><span>{}</span><span>{}</span></div></figure>').format(
        picture, runs[0].at, runs[-1].at if len(runs) > 1 else ""
    )


def result(run: OutlineRun) -> str:
    """How a run ended, as its shape and in words."""
    return f"{_SHAPES[run.ending]} {_word(run)} ({run.exit_code})"


def _word(run: OutlineRun) -> str:
    if run.ending is Ending.FAILED:
        return "test failed" if run.exit_code == _TEST_FAILED else "differs"
    return "fine" if run.ending is Ending.PASSED else "error"


_Lane = Callable[[OutlineRun, float, float, float], "Markup"]
"""Draws one run. Arguments: the run, the middle of its column, the upper edge of the lane, and the width of a bar."""


def _lanes(runs: Sequence[OutlineRun], command: str) -> Iterator[tuple[str, _Lane]]:
    """Each lane with its label. One that knows nothing of any run is left out."""
    yield "Result", _shape
    for label, tone, value in (
        ("Findings", "warn", lambda run: run.findings),
        ("Failed tests", "bad", lambda run: run.failed_tests),
    ):
        if known := [each for each in map(value, runs) if each is not None]:
            yield f"{label} (highest: {max(known):,})", _bars(value, max(known), tone)
    own = [run for run in runs if run.command == command]
    timed = {id(run) for run in own or runs}
    longest = max(run.seconds for run in own or runs)
    of = f" of {command}" if own else ""
    yield f"Time{of} (longest: {duration(longest)})", _bars(lambda run: run.seconds if id(run) in timed else None, longest, "time")


def _column(runs: Sequence[OutlineRun], number: int, lane: _Lane, top: float) -> Markup:
    width = _WIDTH / len(runs)
    return lane(runs[number], round(width * (number + 0.5), 1), top, round(min(width * 0.7, _WIDEST), 1))


def _bars(value: Callable[[OutlineRun], float | None], most: float, tone: str) -> _Lane:
    """A bar for each run whose value is known. That of 0 is a thin line."""
    from markupsafe import Markup

    def draw(run: OutlineRun, middle: float, top: float, width: float) -> Markup:
        known = value(run)
        if known is None:
            return Markup("")
        height = max(_BAR * known / most, 3) if known and most else 1
        return Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{}" height="{:.1f}"><title>{}</title></rect>').format(
            tone, middle - width / 2, top + _BAR - height, width, height, _sentence(run)
        )

    return draw


def _shape(run: OutlineRun, middle: float, top: float, width: float) -> Markup:
    """A disc, a diamond or a cross."""
    from markupsafe import Markup

    y, r = top + _BAR / 2, min(width / 2 + 0.5, 6)
    left, right, up, down = (round(each, 1) for each in (middle - r, middle + r, y - r, y + r))
    drawn = {
        Ending.PASSED: Markup('<circle class="good" cx="{}" cy="{}" r="{}">').format(middle, y, round(r * 0.8, 1)),
        Ending.FAILED: Markup('<path class="warn" d="M{0} {1}L{2} {3}L{0} {4}L{5} {3}Z">').format(middle, up, right, y, down, left),
        Ending.ERROR: Markup('<path class="cross" d="M{0} {1}L{2} {3}M{2} {1}L{0} {3}">').format(left, up, right, down),
    }[run.ending]
    end = Markup("</circle>") if run.ending is Ending.PASSED else Markup("</path>")
    return Markup("{}<title>{}</title>{}").format(drawn, _sentence(run), end)


def _sentence(run: OutlineRun) -> str:
    counts = [] if run.findings is None else [plural(run.findings, "finding")]
    counts += [] if run.failed_tests is None else [plural(run.failed_tests, "failed test")]
    return ", ".join([f"{run.at} {run.command}: {_word(run)} (exit {run.exit_code})", *counts, duration(run.seconds)])


def _told(runs: Sequence[OutlineRun]) -> str:
    """The picture in words."""
    told = ", ".join(f"{number} {word}" for word, number in Counter(map(_word, runs)).items())
    return f"{plural(len(runs), 'run')} from {runs[0].at} to {runs[-1].at}: {told}. The table below has the numbers of each."
