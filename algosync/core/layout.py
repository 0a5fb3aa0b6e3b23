"""How an algorithm's Python module wants to be run: told by its syntax tree, never by searching its text.

The platform's Python 3 pipe looks only at the marker file `.adk` (PLATFORM.md §7): with it the module is merely
imported and has to start the loop itself, without it the pipe serves the module's `apply`.
"""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from collections.abc import Iterator
from typing import Literal, TypeAlias

__all__ = ["Layout", "layout"]

Layout: TypeAlias = Literal["adk", "apply"]

_SIZE_LIMIT = 256 << 10  # bytes; a longer module is data, and a syntax tree takes some hundred times its text
_STATEMENT_LIMIT = 5000  # tokens; as deep can its tree be, and Python 3.10 overflows the C stack for `1+1+1+…`

_Definition = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def layout(source: bytes) -> Layout | None:
    """How a module is run, or None where that cannot be told for certain.

    `adk`: importing it makes an `ADK(…)`. `apply`: it defines that name and has nothing to do with the ADK. What stands
    under `if __name__ == "__main__"` does not run on import and does not count. None also for what this interpreter
    cannot parse, such as Python 2.
    """
    module = _parse(source)
    if module is None:
        return None
    statements = list(_run_on_import(module.body))
    kit = {"ADK"} | _aliases(statements)
    if any(_calls(statement, kit) for statement in statements if not isinstance(statement, _Definition)):
        return "adk"
    if any(_mentions(statement, kit) for statement in statements):
        return None
    return "apply" if any(_binds(statement, "apply") for statement in statements) else None


def _parse(source: bytes) -> ast.Module | None:
    if len(source) > _SIZE_LIMIT:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a stray backslash in somebody's source is not ours to report
        try:
            return ast.parse(source) if _is_flat(source) else None
        except (SyntaxError, tokenize.TokenError, ValueError, RecursionError, MemoryError):  # the last two: too deep
            return None


def _is_flat(source: bytes) -> bool:
    """No logical line has more tokens than the limit."""
    length = 0
    for token in tokenize.tokenize(io.BytesIO(source).readline):
        length = 0 if token.type == tokenize.NEWLINE else length + 1
        if length > _STATEMENT_LIMIT:
            return False
    return True


def _run_on_import(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The simple statements and definitions that importing may run, those inside `if`, `try`, `with` and loops too."""
    todo = list(body)
    while todo:
        statement = todo.pop()
        if isinstance(statement, ast.If) and _asks_for_main(statement.test):
            todo += statement.orelse
            continue
        blocks = [getattr(statement, name, []) for name in ("body", "orelse", "finalbody")]
        blocks += [handler.body for handler in getattr(statement, "handlers", [])]
        if isinstance(statement, _Definition) or not any(blocks):
            yield statement
        else:
            todo += [inner for block in blocks for inner in block]


def _asks_for_main(test: ast.expr) -> bool:
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], ast.Eq):
        return False
    return any(isinstance(side, ast.Name) and side.id == "__name__" for side in (test.left, *test.comparators))


def _aliases(statements: list[ast.stmt]) -> set[str]:
    """Other names that `from … import ADK as …` gives it."""
    imports = (statement.names for statement in statements if isinstance(statement, ast.ImportFrom))
    return {alias.asname for names in imports for alias in names if alias.name == "ADK" and alias.asname}


def _name(node: ast.AST) -> str | None:
    """`ADK` of `ADK` and of `anything.ADK`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return None


def _calls(statement: ast.stmt, names: set[str]) -> bool:
    return any(isinstance(node, ast.Call) and _name(node.func) in names for node in ast.walk(statement))


def _mentions(statement: ast.stmt, names: set[str]) -> bool:
    return any(_name(node) in names for node in ast.walk(statement))


def _binds(statement: ast.stmt, name: str) -> bool:
    match statement:
        case ast.FunctionDef(name=bound) | ast.AsyncFunctionDef(name=bound) | ast.ClassDef(name=bound):
            return bound == name
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return any((alias.asname or alias.name) == name for alias in names)
        case ast.Assign(targets=targets):
            return any(isinstance(target, ast.Name) and target.id == name for target in targets)
        case _:
            return False
