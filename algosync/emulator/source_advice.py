"""What the log of a build says of source that can be built and will not do what its owner seems to want."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from algosync.emulator import plain_file

MAX_BYTES = 1024 * 1024
"""Of a source file that is looked at."""

MODULE = re.compile(r"[A-Za-z_]\w*", re.ASCII)

PARSE_SECONDS = 10
PARSE = """
import ast, sys
try:
    ast.parse(sys.stdin.buffer.read())
except SyntaxError as error:
    print(ascii(error.msg)[1:-1] + ", line " + str(error.lineno))
"""


def advice(source: Path, settings: Mapping[str, object], python: Path) -> Iterator[str]:
    """Lines for the log. The build succeeds all the same, as on a cluster, where the first call tells.

    `python` is what the source will run with: what it takes only its own parser knows, which runs none of it.
    """
    if settings.get("network_access") == "isolated":
        yield "network_access is isolated: this local cluster does not enforce it"
    name = _imported(source)
    if name is None:
        return
    module = f"src/{name}.py"
    try:
        content = plain_file.read(source / module, MAX_BYTES)
    except FileNotFoundError:
        yield f"Warning: there is no {module}: calls will fail"
    except OSError:
        # Too large, or no plain file: it may well be imported.
        return
    else:
        yield from _warnings(module, content, marked=os.path.lexists(source / ".adk"), python=python)


def _imported(source: Path) -> str | None:
    """The module that calls will import; None where that cannot be told."""
    try:
        name = json.loads(plain_file.read(source / "algorithmia.conf", MAX_BYTES))["algoname"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return name if isinstance(name, str) and MODULE.fullmatch(name) else None


def _warnings(module: str, content: bytes, *, marked: bool, python: Path) -> Iterator[str]:
    if marked and b"ADK" not in content:
        yield f"Warning: .adk marks source that serves itself with the ADK, but {module} has none: end it with one, or delete .adk"
    if fault := _fault(content, python):
        yield f"Warning: {module} cannot be imported: {fault}"


def _fault(content: bytes, python: Path) -> str:
    """In a process of its own: source that is deep enough ends a parser's."""
    try:
        done = subprocess.run(  # noqa: S603 - a Python of this machine, which the build has chosen
            [python, "-I", "-W", "ignore", "-c", PARSE], input=content, capture_output=True, timeout=PARSE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("ascii", "replace").strip()
