"""Source layout: how an algorithm's Python module is run, decided from its syntax tree.

The platform's Python 3 runner looks only at the marker file `.adk` (PLATFORM.md §7). With the marker it imports the module, which
has to start the request loop itself. Without the marker it calls the module's `apply`.
"""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from collections.abc import Iterator
from typing import Literal, TypeAlias

__all__ = ["SourceLayout", "source_layout"]

SourceLayout: TypeAlias = Literal["adk", "apply"]

_SIZE_LIMIT = 256 << 10  # bytes; a syntax tree takes several hundred times the size of its text
_STATEMENT_LIMIT = 5000  # tokens in one statement; Python 3.10 overflows the C stack on a longer `1+1+1+…`

_Definition = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def source_layout(source: bytes) -> SourceLayout | None:
    """How a module is run. None: this cannot be decided with certainty.

    `adk`: importing the module creates an `ADK(…)`. `apply`: the module defines `apply` and does not use the ADK. Code under
    `if __name__ == "__main__"` is ignored because an import does not run it. None also if this interpreter cannot parse the
    module, for example Python 2.
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
        warnings.simplefilter("ignore")  # warnings about the user's code, such as a stray backslash, are not ours to print
        try:
            return ast.parse(source) if _is_flat(source) else None
        except (SyntaxError, tokenize.TokenError, ValueError, RecursionError, MemoryError):  # the last two: nested too deep
            return None


def _is_flat(source: bytes) -> bool:
    """Whether no logical line exceeds the token limit."""
    length = 0
    for token in tokenize.tokenize(io.BytesIO(source).readline):
        length = 0 if token.type == tokenize.NEWLINE else length + 1
        if length > _STATEMENT_LIMIT:
            return False
    return True


def _run_on_import(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The simple statements and definitions that an import may run, including those inside `if`, `try`, `with` and loops."""
    todo = list(body)
    while todo:
        statement = todo.pop()
        if isinstance(statement, ast.If) and _tests_for_main(statement.test):
            todo += statement.orelse
            continue
        blocks = [getattr(statement, name, []) for name in ("body", "orelse", "finalbody")]
        blocks += [handler.body for handler in getattr(statement, "handlers", [])]
        if isinstance(statement, _Definition) or not any(blocks):
            yield statement
        else:
            todo += [inner for block in blocks for inner in block]


def _tests_for_main(test: ast.expr) -> bool:
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], ast.Eq):
        return False
    return any(isinstance(side, ast.Name) and side.id == "__name__" for side in (test.left, *test.comparators))


def _aliases(statements: list[ast.stmt]) -> set[str]:
    """The names that `from … import ADK as NAME` binds."""
    imports = (statement.names for statement in statements if isinstance(statement, ast.ImportFrom))
    return {alias.asname for names in imports for alias in names if alias.name == "ADK" and alias.asname}


def _name(node: ast.AST) -> str | None:
    """`ADK` for both `ADK` and `module.ADK`."""
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
