"""Recording: a call of what is published becomes a case in a file."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.core.address import Address
from algosync.core.error import AlgosyncError, UsageError
from algosync.core.json_document import read_json
from algosync.core.lean import dataclass
from algosync.core.planning.plan import Check
from algosync.core.testing.case import TestCase
from algosync.core.text import printable

if TYPE_CHECKING:
    from algosync.core.testing.answer import Answer
    from algosync.core.workflow import AlgorithmSpec, Workflow

__all__ = ["Recording", "recording_of"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


@dataclass(frozen=True, slots=True)
class Recording:
    """What is called, and the file that gets the case. `path`: as a workflow names it, relative to its folder."""

    algorithm: str
    path: str
    payload: str

    @property
    def check(self) -> Check:
        """The call as a test that expects nothing."""
        return Check(Address("test", self.algorithm, "recorded"), TestCase("recorded", self.payload), of_algorithm=False)

    def row(self, answer: Answer) -> str:
        """The line of the case. AlgosyncError: there is no answer that a case could expect."""
        if answer.failure is not None:
            hint = "write the case by hand, with `expect: {error: PATTERN}`, if it has to fail"
            raise AlgosyncError(f"the call failed, so there is no answer to record: {answer.failure.message}", hint=hint)
        if answer.content_type == "binary":
            import hashlib

            expect = f'{{"content_type": "binary", "sha256": "{hashlib.sha256(answer.body).hexdigest()}"}}'
        else:
            expect = f'{{"equals": {_one_line(answer)}}}'
        return f'{{"payload": {self.payload}, "expect": {expect}}}\n'

    def lines_for(self, workflow: Workflow) -> Iterator[str]:
        """What to add to the workflow, if it does not name the file yet."""
        spec = workflow.algorithm(self.algorithm)
        tests = (*spec.tests, *(workflow.tests if workflow.entrypoint == self.algorithm else ()))
        if any(case.cases is not None and Path(case.cases.path) == Path(self.path) for case in tests):
            return
        yield "Add it to the workflow, so that the file's cases are tested:"
        yield ""
        yield f"  - name: {self.algorithm}"
        yield "    tests:"
        yield f"      - cases: {self.path}"


def _one_line(answer: Answer) -> str:
    """The answer as JSON text on one line. Line breaks can only stand between its values."""
    text = answer.body.decode("utf-8", "surrogatepass")
    return json.dumps(text) if answer.content_type == "text" else " ".join(text.splitlines())


def recording_of(name: str, payload: str, workflow: Workflow) -> Recording:
    """`name`: of the file, perhaps with an algorithm before it: `hello` or `Greeter.hello`. Without one it is the entrypoint, or
    the only algorithm. `payload`: JSON text. UsageError: one of them cannot be used.
    """
    algorithm, _, file = name.rpartition(".")
    known = [each.name for each in workflow.algorithms]
    if not _NAME.fullmatch(file) or "/" in algorithm or "\\" in algorithm or (file == "jsonl" and algorithm not in known):
        raise _no_name(name)
    spec = _algorithm(algorithm, workflow)
    try:
        read_json(payload)
    except ValueError as error:
        hint = "a text needs its own quotes: '\"Ada\"'"
        raise UsageError(
            f"--record {printable(name, 100)}: the payload is not JSON: {printable(str(error), 200)}", hint=hint
        ) from None
    return Recording(spec.name, f"tests/{file}.jsonl", " ".join(payload.split("\n")))


def _no_name(name: str) -> UsageError:
    """The error that this is no name, for instance because it is a path."""
    stem = re.split(r"[/\\]", name)[-1].removesuffix(".jsonl")
    other = f"; did you mean --record {stem}?" if _NAME.fullmatch(stem) and stem != name else ""
    hint = (
        f"use a name of letters, digits, `_` and `-`, without folder and ending: a case of hello goes to tests/hello.jsonl{other}"
    )
    return UsageError(f"--record {printable(name, 100)}: this cannot be the name of a file in the folder tests", hint=hint)


def _algorithm(name: str, workflow: Workflow) -> AlgorithmSpec:
    names = [spec.name for spec in workflow.algorithms]
    wanted = name or workflow.entrypoint or (names[0] if len(names) == 1 else "")
    if wanted not in names:
        known = ", ".join(names)
        if wanted:
            raise UsageError(f"--record: the workflow has no algorithm {printable(wanted, 100)}", hint=f"it has {known}")
        raise UsageError("--record: the workflow has several algorithms", hint=f"name one of them: ALGORITHM.NAME, of {known}")
    return workflow.algorithm(wanted)


def append(path: Path, line: str, replace_file: Callable[[Path, bytes], None]) -> None:
    """Adds a line to a file atomically, and creates the file if it is missing. Several commands can do so at the same time.

    AlgosyncError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _only_one(path.parent):
            before = path.read_bytes() if path.exists() else b""
            gap = b"" if not before or before.endswith(b"\n") else b"\n"
            replace_file(path, before + gap + line.encode())
    except OSError as error:
        raise AlgosyncError(f"{printable(str(path))} cannot be written: {error.strerror or error}") from None


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Waits until no other command adds to a file in the folder. The folder itself is locked, because the file is replaced."""
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
