"""Render templates in a child process that gets only the text and the values. Keeps the origin of each line."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from bisect import bisect_right
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from algosync.core.error import Fault
from algosync.core.lean import dataclass
from algosync.workflow.fault import UnreadableError
from algosync.workflow.node import MAX_SIZE
from algosync.workflow.section import nearest
from algosync.workflow.value import encoded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from algosync.workflow.fault import Faults

__all__ = ["Mark", "Rendered", "TemplateLimits", "render_template"]

_SANDBOX = Path(__file__).with_name("sandbox.py")
_FAILED = 3
_HINTS = {
    "template-line-break": "print it with a filter: {{ name | tojson }}",
    "template-too-expensive": "a workflow's template needs a second at most",
}


@dataclass(frozen=True, slots=True)
class TemplateLimits:
    """The limits of a template: seconds of CPU, seconds of wall-clock time, bytes of memory, bytes of output."""

    cpu: int = 2
    clock: float = 20
    memory: int = 1024**3
    output: int = MAX_SIZE


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """The template line of the rendered text from here on; 0 if unknown. `own` text advances line by line, other text does not."""

    line: int
    column: int
    template_line: int
    own: bool


@dataclass(frozen=True, slots=True)
class Rendered:
    """A rendered text. `marks` are sorted by position; empty for a file that is not a template."""

    text: str
    marks: Sequence[Mark] = ()

    def template_line(self, line: int, column: int) -> int | None:
        """Return the template line that a position comes from, or None if unknown."""
        index = bisect_right(self.marks, (line, column), key=lambda mark: (mark.line, mark.column)) - 1
        if index < 0 or not self.marks[index].template_line:
            return None
        mark = self.marks[index]
        return mark.template_line + (line - mark.line if mark.own else 0)


def render_template(
    text: str,
    values: Mapping[str, object],
    faults: Faults,
    limits: TemplateLimits | None = None,
    *,
    named: Iterable[str] = (),
) -> Rendered:
    """Return the rendered text. The template must use all values in `named`.

    If rendering fails, reports faults with locations in the template and raises UnreadableError.
    """
    limits, nonce = limits or TemplateLimits(), os.urandom(8).hex()
    request = {
        "template": text,
        "variables": {name: encoded(value) for name, value in values.items()},
        "named": sorted(named),
        "nonce": nonce,
        "parent": os.getpid(),
        "cpu": limits.cpu,
        "memory": limits.memory,
        "output": limits.output,
    }
    try:
        child = subprocess.run(  # noqa: S603  # our own script; its arguments contain nothing of the file
            [sys.executable, "-I", str(_SANDBOX)],
            input=json.dumps(request).encode(),
            capture_output=True,
            cwd="/",
            env={},
            timeout=limits.clock,
            check=False,
        )
    except subprocess.TimeoutExpired:
        _fail(faults, [_expensive(f"it takes longer than {limits.clock:g} s")], values)
    if child.returncode:
        _fail(faults, _failures(child.returncode, child.stderr, limits), values)
    return _unmark(child.stdout.decode(), nonce)


def _failures(status: int, stderr: bytes, limits: TemplateLimits) -> list[dict[str, object]]:
    if status == _FAILED:
        failures: list[dict[str, object]] = json.loads(stderr.rpartition(b"\n")[2])  # Python's warnings may come before it
        return failures
    if status in {-signal.SIGXCPU, -signal.SIGKILL}:
        return [_expensive(f"it needs more than {limits.cpu} s of CPU")]
    return [_expensive(f"the renderer failed with status {status}")]


def _expensive(message: str) -> dict[str, object]:
    return {"code": "template-too-expensive", "line": 1, "column": 1, "message": message}


def _fail(faults: Faults, failures: Sequence[Mapping[str, object]], values: Mapping[str, object]) -> NoReturn:
    for failure in failures:
        name, code, line = failure.get("name"), str(failure["code"]), int(str(failure["line"]))
        hint = nearest(name, values) or "declare it under `variables`" if isinstance(name, str) else _HINTS.get(code)
        column = int(str(failure["column"]))
        faults.found.append(Fault(line, column, "", code, str(failure["message"]), hint, line))
    raise UnreadableError


def _unmark(text: str, nonce: str) -> Rendered:
    """Remove the marks from the text and return them with it."""
    first, *rest = re.split(f"\x1e{nonce}([de])([0-9]+)\x1f", text)
    parts, marks, line, column = [first], [], 1, 1
    for kind, number, part in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
        marks.append(Mark(line, column, int(number), kind == "d"))
        parts.append(part)
        if breaks := part.count("\n"):
            line, column = line + breaks, len(part) - part.rfind("\n")
        else:
            column += len(part)
    return Rendered("".join(parts), marks)
