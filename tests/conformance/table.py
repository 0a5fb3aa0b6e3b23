"""Writes the rows and their tests as Markdown tables to `tests/README.md`: `python tests/conformance/table.py`."""

from __future__ import annotations

from pathlib import Path

from left_out import LEFT_OUT
from rows import ROWS, held_by

__all__ = ["README", "readme"]

README = Path(__file__).parent.parent / "README.md"
HEADING = "## Rows of `PLATFORM.md` and their tests\n"
MADE_BY = "Made by `python tests/conformance/table.py`."


def readme(text: str) -> str:
    """The text of the README with the current tables below their heading."""
    before, heading, _ = text.partition(HEADING)
    return f"{before}{heading}\n{MADE_BY}\n\n{_tables()}"


def _tables() -> str:
    held = [f"| {row} | {', '.join(f'`{test}`' for test in held_by(row))} |" for row in ROWS]
    left = [f"| {row} | {reason} |" for row, reason in LEFT_OUT.items()]
    rows = ["| row | tests in `conformance/` |", "|---|---|", *held]
    return "\n".join([*rows, "", "### Left out", "", "| row | why |", "|---|---|", *left, ""])


if __name__ == "__main__":
    README.write_text(readme(README.read_text()))
