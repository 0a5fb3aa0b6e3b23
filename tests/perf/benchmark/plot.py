"""The plot: a bar for each comparison, as long as its ratio, in SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from benchmark.result import Result

__all__ = ["plot"]

LEFT, RIGHT, STEP, BAR, TOP = 470, 70, 22, 13, 64  # pixels
WIDTH = 1000
LEAST, GREATEST = 0.05, 100.0  # ratios at the ends of the axis
MET = 1.1  # a ratio within this factor of its target counts as met
HEADING = "algosync beside its peers: ours ÷ theirs. Shorter is better; the mark is the target"
STYLE = "text{font:12px system-ui,sans-serif;fill:#222}.small{font-size:11px;fill:#666}.head{font-size:15px;font-weight:600}"


def plot(results: Sequence[Result], about: str) -> str:
    """The plot: of each name the first peer, and others that have a target. Processor time is in the table only."""
    first = {each.name: each for each in reversed(results)}
    timed = [each for each in results if not each.name.endswith(": processor") and not each.name.endswith(", processor")]
    shown = [each for each in timed if each.target is not None or first[each.name] is each]
    bottom = TOP + STEP * len(shown)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 34}" role="img">',
        f"<title>algosync beside its peers</title><style>{STYLE}</style>",
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="12" y="22" class="head">{HEADING}</text>',
        f'<text x="12" y="40" class="small">{escape(about)}</text>',
        *(_grid(ratio, bottom) for ratio in (0.1, 0.3, 1, 3, 10, 30, 100)),
        *(_bar(each, TOP + STEP * place) for place, each in enumerate(shown)),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _x(ratio: float) -> float:
    """Where a ratio is on the axis, which is logarithmic."""
    part = math.log(min(max(ratio, LEAST), GREATEST) / LEAST) / math.log(GREATEST / LEAST)
    return LEFT + part * (WIDTH - LEFT - RIGHT)


def _grid(ratio: float, bottom: float) -> str:
    x, colour = _x(ratio), "#444" if ratio == 1 else "#ddd"
    line = f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 10}" y2="{bottom}" stroke="{colour}"/>'
    return f'{line}<text x="{x:.1f}" y="{bottom + 16}" class="small" text-anchor="middle">{ratio:g}</text>'


def _bar(result: Result, y: float) -> str:
    end = _x(result.ratio)
    met = result.target is None or result.ratio <= result.target * MET
    colour = "#9bb3c8" if result.target is None else "#3a7d44" if met else "#c8553d"
    label = escape(f"{result.name} / {result.peer}")
    cut = label if len(label) <= 78 else f"{label[:77]}…"
    parts = [
        f'<text x="{LEFT - 8}" y="{y + 11}" text-anchor="end" class="small"><title>{label}</title>{cut}</text>',
        f'<rect x="{LEFT}" y="{y}" width="{end - LEFT:.1f}" height="{BAR}" fill="{colour}"/>',
        f'<text x="{WIDTH - 12}" y="{y + 11}" text-anchor="end">{result.ratio:.2f}</text>',
    ]
    if result.target is not None:
        x = _x(result.target)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y - 3}" y2="{y + BAR + 3}" stroke="#000" stroke-width="2"/>')
    return "".join(parts)
