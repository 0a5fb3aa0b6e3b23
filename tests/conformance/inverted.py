"""Checks that a test failed on a blank server in the only right way: by a failed assertion about a reply."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType

import pytest
from replies import Reply

__all__ = ["complaint"]


def complaint(failure: pytest.ExceptionInfo[BaseException] | None, module: Path) -> str:
    """What is wrong with the failure; empty if it is right."""
    if failure is None:
        return "passes against a server that is no cluster"
    if not failure.errisinstance(AssertionError):
        return f"ends in no assertion, but in {failure.exconly()}"
    last = failure.traceback[-1]
    if Path(str(last.path)) != module:
        return f"ends in an assertion that is not its own, in {last.path}"
    if not _about_a_reply(str(last.statement), last.frame.raw):
        return f"ends in an assertion about no reply: {last.statement}"
    return ""


def _about_a_reply(statement: str, frame: FrameType) -> bool:
    """Whether the failed part of an `assert` statement depends on a reply, or on a value that the test took from one."""
    names = {**frame.f_globals, **frame.f_locals}
    parsed = ast.parse(textwrap.dedent(statement)).body
    failing = [part for each in parsed if isinstance(each, ast.Assert) for part in _failing(each.test, names)]
    taken = _taken(frame)
    mentioned = {name for part in failing for name in _names(part)}
    return any(_has_reply(names.get(name)) or name in taken for name in mentioned)


def _failing(test: ast.expr, names: Mapping[str, object]) -> Iterator[ast.expr]:
    """The elements that differ if two tuples are compared, otherwise the whole expression."""
    if isinstance(test, ast.Compare) and isinstance(test.left, ast.Tuple) and isinstance(test.ops[0], ast.Eq):
        found, expected = _value(test.left, names), _value(test.comparators[0], names)
        if isinstance(found, tuple) and isinstance(expected, tuple) and len(found) == len(expected) == len(test.left.elts):
            yield from (part for part, one, other in zip(test.left.elts, found, expected, strict=True) if one != other)
            return
    yield test


def _taken(frame: FrameType) -> set[str]:
    """The names that the test assigned to values from replies, in order."""
    taken: set[str] = set()
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(frame.f_code)))):
        if isinstance(node, ast.Assign) and any(
            name in taken or _has_reply(frame.f_locals.get(name)) for name in _names(node.value)
        ):
            taken |= {name for target in node.targets for name in _names(target)}
    return taken


def _value(part: ast.expr, names: Mapping[str, object]) -> object:
    return eval(compile(ast.Expression(part), "<assertion>", "eval"), dict(names))


def _names(part: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(part) if isinstance(node, ast.Name)}


def _has_reply(value: object) -> bool:
    if isinstance(value, dict):
        return any(isinstance(each, Reply) for each in value.values())
    if isinstance(value, list | tuple):
        return any(isinstance(each, Reply) for each in value)
    return isinstance(value, Reply)
