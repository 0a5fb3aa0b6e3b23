"""The child process that renders a template: `python -I sandbox.py`, one request as JSON on stdin.

It runs alone (nothing of algosync is imported) and gets nothing but its request: no environment, no files, limits on memory, time
and output that the kernel or the loop below enforces, because Jinja2's sandbox bounds neither. The text goes to stdout with marks
that tell where in the template it comes from; what went wrong goes to stderr as JSON, with exit code 3.

What templates get: Jinja2's language in its immutable sandbox, `range`, `dict`, `namespace`, `cycler`, `joiner`, and every filter
but those for HTML and chance. Texts are printed as they are, everything else as JSON; a given text with line breaks has to go
through a filter.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import resource
import signal
import sys
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, TemplateSyntaxError, Undefined, UndefinedError, meta, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

FAILED = 3
_ADDRESS = re.compile(r" at 0x[0-9a-f]{6,}>")
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_GLOBALS = {"range", "dict", "namespace", "cycler", "joiner"}
_NO_FILTERS = {"random", "pprint", "e", "escape", "forceescape", "safe", "striptags", "urlize", "xmlattr"}
_OTHER_FILES = (nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)


class FailureError(Exception):
    """What to tell of a template: faults with `code`, `line`, `column`, `message`, perhaps the undefined `name`."""

    def __init__(self, *faults: dict[str, Any]) -> None:
        super().__init__()
        self.faults = faults


class LineBreakError(Exception):
    """A given text with line breaks was printed as it is."""


class GivenText(str):
    """A text that came from outside; whatever is done to it gives a plain text."""

    __slots__ = ()


def printed(value: object) -> object:
    """What `{{ value }}` prints. Nothing but plain data: the address of an object would differ from run to run."""
    if not isinstance(value, str):
        return to_json(value)
    if isinstance(value, GivenText) and value and value.splitlines() != [value]:
        raise LineBreakError
    if _ADDRESS.search(value):  # `~`, `%` and some filters make a text of anything
        raise TypeError("this is no data, and cannot be printed")
    return value


def to_json(value: object, indent: int | None = None) -> str:
    """JSON as it is: Jinja2's own filter writes for HTML, and makes what is joined to it HTML too."""
    if isinstance(value, Undefined):
        return str(value)  # raises, and says what is undefined
    return json.dumps(value, indent=indent, allow_nan=False)


def environment() -> ImmutableSandboxedEnvironment:
    env = ImmutableSandboxedEnvironment(undefined=StrictUndefined, finalize=printed, keep_trailing_newline=True)
    env.globals = {name: value for name, value in env.globals.items() if name in _GLOBALS}
    env.filters = {name: value for name, value in env.filters.items() if name not in _NO_FILTERS} | {"tojson": to_json}
    return env


def tainted(value: object) -> object:
    """The value with every text in it known as given."""
    if isinstance(value, str):
        return GivenText(value)
    if isinstance(value, list):
        return [tainted(item) for item in value]
    if isinstance(value, dict):
        return {key: tainted(item) for key, item in value.items()}
    return value


def check(env: ImmutableSandboxedEnvironment, tree: nodes.Template, request: dict[str, Any]) -> None:
    """FailureError: the template asks for other files, or for names that nobody gives (unless it asks whether they are defined),
    or for none of the names that were given for it alone.
    """
    faults = [fault("template-forbidden", node.lineno, "a template sees no other files") for node in tree.find_all(_OTHER_FILES)]
    asked = meta.find_undeclared_variables(tree)
    unused = sorted(set(request["named"]) - asked)
    faults += [
        fault("variable-unknown", 1, f"the variable {name!r} was given, but the template does not use it") for name in unused
    ]
    unknown = asked - set(request["variables"]) - set(env.globals) - guarded(tree)
    lines = re.split(r"\r\n|\r|\n", request["template"])
    for node in tree.find_all(nodes.Name):
        if node.name in unknown:
            unknown.remove(node.name)
            found = re.search(rf"\b{re.escape(node.name)}\b", lines[node.lineno - 1])
            told = fault("template-undefined", node.lineno, f"{node.name!r} is undefined", found.start() + 1 if found else 1)
            faults.append({**told, "name": node.name})
    if faults:
        raise FailureError(*faults)


def guarded(tree: nodes.Template) -> set[str]:
    """The names that the template itself allows to be undefined."""
    tests = (test.node for test in tree.find_all(nodes.Test) if test.name in {"defined", "undefined"})
    filters = (use.node for use in tree.find_all(nodes.Filter) if use.name in {"default", "d"})
    return {node.name for node in (*tests, *filters) if isinstance(node, nodes.Name)}


def mark(body: list[nodes.Node], nonce: str) -> list[nodes.Node]:
    """The body with marks in front of everything that it prints: `d` for the template's own text, `e` for expressions.

    What may be captured (macros, blocks, filter sections) is left unmarked, or the marks would be part of what is captured;
    line 0 says that nothing is known.
    """
    marked: list[nodes.Node] = []
    for node in body:
        if isinstance(node, nodes.Output):
            node.nodes = [part for child in node.nodes for part in (mark_of(child, nonce), child)]
        elif isinstance(node, nodes.If):
            for branch in (node, *node.elif_):
                branch.body, branch.else_ = mark(branch.body, nonce), mark(branch.else_, nonce)
        elif isinstance(node, nodes.For) and not node.recursive:
            node.body, node.else_ = mark(node.body, nonce), mark(node.else_, nonce)
        elif isinstance(node, nodes.With):
            node.body = mark(node.body, nonce)
        elif not isinstance(node, (nodes.Macro, nodes.Assign, nodes.AssignBlock)):
            marked.append(nodes.Output([nodes.TemplateData(f"\x1e{nonce}e0\x1f")], lineno=node.lineno))
        marked.append(node)
    return marked


def mark_of(node: nodes.Expr, nonce: str) -> nodes.TemplateData:
    kind = "d" if isinstance(node, nodes.TemplateData) else "e"
    return nodes.TemplateData(f"\x1e{nonce}{kind}{node.lineno}\x1f", lineno=node.lineno)


def render(request: dict[str, Any]) -> Iterator[str]:
    """The parts of the text. FailureError: whatever went wrong."""
    env, given = environment(), request["variables"]
    template = None
    try:
        tree = env.parse(request["template"])
        check(env, tree, request)
        tree.body = mark(tree.body, request["nonce"])
        template = env.from_string(tree)
        context = template.new_context({name: tainted(value) for name, value in given.items()})
        yield from template.root_render_func(context)
    except FailureError:
        raise
    except Exception as error:  # a template's code can raise anything
        line = template.get_corresponding_lineno(python_line(error.__traceback__)) if template else 1
        raise FailureError(failure(error, line)) from error


def python_line(trace: TracebackType | None) -> int:
    """The innermost line of the template's own Python code."""
    line = 1
    while trace:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def failure(error: Exception, line: int) -> dict[str, Any]:
    match error:
        case TemplateSyntaxError():
            return fault("template-syntax", error.lineno, error.message or "not a template")
        case SecurityError():
            return fault("template-forbidden", line, str(error))
        case UndefinedError():
            return fault("template-undefined", line, str(error))
        case LineBreakError():
            return fault("template-line-break", line, "a variable with line breaks is printed as it is")
        case MemoryError() | RecursionError():
            return fault("template-too-expensive", line, "it needs too much memory, or is nested too deeply")
        case _:
            return fault("template-failed", line, f"{type(error).__name__}: {error}")


def fault(code: str, line: int, message: str, column: int = 1) -> dict[str, Any]:
    return {"code": code, "line": line, "column": column, "message": message[:300]}


def limit(memory: int, cpu: int) -> None:
    """Limits that the kernel keeps: bytes of address space, seconds of CPU; no core file, nothing written to any file."""
    limits = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: 0, resource.RLIMIT_AS: memory, resource.RLIMIT_CPU: cpu}
    for kind, wanted in limits.items():
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def write(request: dict[str, Any]) -> None:
    """Render to stdout. FailureError: it could not be, or is longer than allowed."""
    room = request["output"]
    for part in render(request):
        data = part.encode()
        room -= len(data)
        if room < 0:
            raise FailureError(fault("template-too-expensive", 1, f"it prints more than {request['output']} bytes"))
        sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def end_with_parent() -> None:
    """Ask Linux to kill this process as soon as its parent is gone, however that ended. Elsewhere its limits end it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> int:
    end_with_parent()
    request = json.load(sys.stdin.buffer)
    if os.getppid() != request["parent"]:  # it was gone before it could be asked for
        return FAILED
    limit(request["memory"], request["cpu"])
    try:
        write(request)
    except FailureError as error:
        faults = error.faults
    except UnicodeEncodeError:
        faults = (fault("template-failed", 1, "it prints half of a surrogate pair"),)
    except MemoryError:
        faults = (fault("template-too-expensive", 1, "it needs too much memory"),)
    else:
        return 0
    json.dump(faults, sys.stderr)
    return FAILED


if __name__ == "__main__":
    sys.exit(main())
