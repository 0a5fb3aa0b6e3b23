"""What is wrong with the end of a test on a blank server, where the only right one is a failed assertion about a reply."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import pytest
from replies import Reply

__all__ = ["complaint"]


def complaint(failure: pytest.ExceptionInfo[BaseException] | None, module: Path) -> str:
    """Empty where the test failed as it should."""
    if failure is None:
        return "passes against a server that is no cluster"
    if not failure.errisinstance(AssertionError):
        return f"ends in no assertion, but in {failure.exconly()}"
    last = failure.traceback[-1]
    if Path(str(last.path)) != module:
        return f"ends in an assertion that is not its own, in {last.path}"
    names = _names(str(last.statement))
    if not any(_has_reply(last.frame.f_locals.get(name)) for name in names):
        return f"ends in an assertion about no reply: {last.statement}"
    return ""


def _names(statement: str) -> set[str]:
    """The names in an `assert` statement; none in another one."""
    parsed = ast.parse(textwrap.dedent(statement)).body
    asserted = [each for each in parsed if isinstance(each, ast.Assert)]
    return {node.id for each in asserted for node in ast.walk(each.test) if isinstance(node, ast.Name)}


def _has_reply(value: object) -> bool:
    if isinstance(value, dict):
        return any(isinstance(each, Reply) for each in value.values())
    if isinstance(value, list | tuple):
        return any(isinstance(each, Reply) for each in value)
    return isinstance(value, Reply)
