"""The child process that renders a template: `python -I sandbox.py` with one JSON request on stdin.

It imports nothing of algosync, and gets only its request: no environment variables and no files. The kernel and the loop below
limit memory, time and output, which Jinja2's sandbox does not. The text goes to stdout with marks that give its origin in the
template. Faults go to stderr as JSON, with exit code 3.

Templates can use Jinja2's language in its immutable sandbox, `range`, `dict`, `namespace`, `cycler`, `joiner`, and all filters
except those for HTML and random choice. Texts are printed as they are, anything else as JSON. A given text with line breaks must be
passed through a filter.
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
_NUMBER_MARK = os.urandom(16).hex()  # no text of a template or a variable contains it
_MARKED_NUMBER = re.compile(f'"{_NUMBER_MARK}([^"]*)"')
_ADDRESS = re.compile(r" at 0x[0-9a-f]{6,}>")
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_GLOBALS = {"range", "dict", "namespace", "cycler", "joiner"}
_NO_FILTERS = {"random", "pprint", "e", "escape", "forceescape", "safe", "striptags", "urlize", "xmlattr"}
_OTHER_FILES = (nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)


class FailureError(Exception):
    """The faults of a template, each with `code`, `line`, `column`, `message`, and possibly the undefined `name`."""

    def __init__(self, *faults: dict[str, Any]) -> None:
        super().__init__()
        self.faults = faults


class LineBreakError(Exception):
    """A given text with line breaks was printed without a filter."""


class GivenText(str):
    """A text given from outside. Every operation on it returns a plain `str`."""

    __slots__ = ()


class GivenNumber(float):
    """A number given from outside, which is printed as it was written. Every operation on it returns a plain number."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> GivenNumber:
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __str__(self) -> str:
        return self.text


def printed(value: object) -> object:
    """Return what `{{ value }}` prints. Accepts plain data only: the address of an object would differ between runs."""
    if not isinstance(value, str):
        return to_json(value)
    if isinstance(value, GivenText) and value and value.splitlines() != [value]:
        raise LineBreakError
    if _ADDRESS.search(value):  # `~`, `%` and some filters convert any object to a text
        raise TypeError("only data can be printed, not other objects")
    return value


def to_json(value: object, indent: int | None = None) -> str:
    """Return plain JSON. Jinja2's own filter writes JSON for HTML, and turns text that is joined to it into HTML as well."""
    if isinstance(value, Undefined):
        return str(value)  # raises an error that names the undefined variable
    text = json.dumps(marked(value), indent=indent, allow_nan=False)
    return _MARKED_NUMBER.sub(r"\1", text)


def marked(value: object) -> object:
    """Return the value with marked texts for its given numbers: `json` writes a number without regard to its class."""
    if isinstance(value, GivenNumber):
        return _NUMBER_MARK + value.text
    if isinstance(value, dict):
        return {str(key) if isinstance(key, GivenNumber) else key: marked(item) for key, item in value.items()}
    return [marked(item) for item in value] if isinstance(value, (list, tuple)) else value


def environment() -> ImmutableSandboxedEnvironment:
    env = ImmutableSandboxedEnvironment(undefined=StrictUndefined, finalize=printed, keep_trailing_newline=True)
    env.globals = {name: value for name, value in env.globals.items() if name in _GLOBALS}
    env.filters = {name: value for name, value in env.filters.items() if name not in _NO_FILTERS} | {"tojson": to_json}
    return env


def tainted(value: object) -> object:
    """Return the value with all its texts marked as given."""
    if isinstance(value, str):
        return GivenText(value)
    if isinstance(value, list):
        return [tainted(item) for item in value]
    if isinstance(value, dict):
        return {key: tainted(item) for key, item in value.items()}
    return value


def decoded(value: object) -> object:
    """Return a value of the request, in which `{"number": TEXT}` is a number and `{"map": {…}}` a map."""
    if isinstance(value, list):
        return [decoded(item) for item in value]
    if isinstance(value, dict):
        return GivenNumber(value["number"]) if "number" in value else {key: decoded(item) for key, item in value["map"].items()}
    return value


def check(env: ImmutableSandboxedEnvironment, tree: nodes.Template, request: dict[str, Any]) -> None:
    """Raise FailureError if the template uses other files, undefined names (unless it tests whether they are defined), or does not
    use one of the names that were given for it alone.
    """
    faults = [fault("template-forbidden", node.lineno, "a template cannot use other files") for node in tree.find_all(_OTHER_FILES)]
    used = meta.find_undeclared_variables(tree)
    unused = sorted(set(request["named"]) - used)
    faults += [
        fault("variable-unknown", 1, f"the variable {name!r} was given, but the template does not use it") for name in unused
    ]
    unknown = used - set(request["variables"]) - set(env.globals) - guarded(tree)
    lines = re.split(r"\r\n|\r|\n", request["template"])
    for node in tree.find_all(nodes.Name):
        if node.name in unknown:
            unknown.remove(node.name)
            found = re.search(rf"\b{re.escape(node.name)}\b", lines[node.lineno - 1])
            undefined = fault("template-undefined", node.lineno, f"{node.name!r} is undefined", found.start() + 1 if found else 1)
            faults.append({**undefined, "name": node.name})
    if faults:
        raise FailureError(*faults)


def guarded(tree: nodes.Template) -> set[str]:
    """Return the names that the template allows to be undefined."""
    tests = (test.node for test in tree.find_all(nodes.Test) if test.name in {"defined", "undefined"})
    filters = (use.node for use in tree.find_all(nodes.Filter) if use.name in {"default", "d"})
    return {node.name for node in (*tests, *filters) if isinstance(node, nodes.Name)}


def mark(body: list[nodes.Node], nonce: str) -> list[nodes.Node]:
    """Put marks before everything that the body prints: `d` for the template's own text, `e` for expressions.

    Output that may be captured (macros, blocks, filter sections) gets no marks, because they would become part of the captured
    text. Line 0 means that the origin is unknown.
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
    """Yield the parts of the text. Raises FailureError for any failure."""
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
    except Exception as error:  # a template's code can raise any exception
        line = template.get_corresponding_lineno(python_line(error.__traceback__)) if template else 1
        raise FailureError(failure(error, line)) from error


def python_line(trace: TracebackType | None) -> int:
    """Return the innermost line of the template's own Python code."""
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
    """Set kernel limits: bytes of address space, seconds of CPU, no core file, no writes to files."""
    limits = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: 0, resource.RLIMIT_AS: memory, resource.RLIMIT_CPU: cpu}
    for kind, wanted in limits.items():
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def write(request: dict[str, Any]) -> None:
    """Render to stdout. Raises FailureError if that fails or the output is too long."""
    room = request["output"]
    for part in render(request):
        data = part.encode()
        room -= len(data)
        if room < 0:
            raise FailureError(fault("template-too-expensive", 1, f"it prints more than {request['output']} bytes"))
        sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def end_with_parent() -> None:
    """On Linux, let the kernel kill this process when its parent ends. Elsewhere only the limits end it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> int:
    end_with_parent()
    request = json.load(sys.stdin.buffer)
    if os.getppid() != request["parent"]:  # the parent ended before the call above
        return FAILED
    request["variables"] = {name: decoded(value) for name, value in request["variables"].items()}
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
