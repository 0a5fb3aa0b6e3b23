"""The distribution of a test's calls over time, as a picture inside a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from algosync.core.text import latency, plural

if TYPE_CHECKING:
    from markupsafe import Markup

    from algosync.views.formats.outline import Entry

__all__ = ["histogram"]

_WIDTH, _HEIGHT = 480, 90
_BUCKETS = 24  # those of `Timing.distribution`: of equal width, up to the slowest call


def histogram(entry: Entry) -> Markup:
    """A bar for each bucket, and a line at the median. Numbers are all that it shows. Empty: nothing was measured."""
    from markupsafe import Markup

    timing = entry.timing
    if timing is None or not timing.distribution:
        return Markup("")
    most, scale = max(count for _, count in timing.distribution), max(timing.max, 1e-9)
    bars = Markup("").join(_bar(bound / scale, count, most) for bound, count in timing.distribution)
    at = _place(timing.p50 / scale)
    told = f"{plural(timing.calls, 'call')}: half of them in {latency(timing.p50)}, 95 % in {latency(timing.p95)}"
    median = Markup('<line class="median" x1="{0}" y1="0" x2="{0}" y2="{1}"/>').format(at, _HEIGHT)
    base = Markup('<line x1="0" y1="{0}" x2="{1}" y2="{0}"/>').format(_HEIGHT, _WIDTH)
    return Markup(
        '<figure><svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}{}</svg>'
        '<div class="axis"><span>0</span><span>{}</span></div><figcaption>{}</figcaption></figure>'
    ).format(_WIDTH, _HEIGHT + 1, told, bars, median, base, latency(timing.max), told)


def _bar(bound: float, count: int, most: int) -> Markup:
    """`bound`: the upper bound of the bucket, as a part of the slowest call. The smallest bar can still be seen."""
    from markupsafe import Markup

    width, height = _WIDTH / _BUCKETS, max(_HEIGHT * count / most, 2)
    left = _place(min(bound, 1.0)) - width
    return Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>').format(
        max(left, 0) + 1, _HEIGHT - height, width - 2, height, plural(count, "call")
    )


def _place(part: float) -> float:
    return round(_WIDTH * part, 1)
