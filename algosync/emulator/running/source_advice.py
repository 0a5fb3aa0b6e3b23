"""Warnings in the log of a build about source that builds, but will probably not run as intended."""

import asyncio
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

from algosync.emulator.processes import children, untrusted_file

MAX_BYTES = 1024 * 1024
"""Maximum size of a source file to check."""

MODULE = re.compile(r"[A-Za-z_]\w*", re.ASCII)

PARSE_SECONDS = 10
PARSE = """
import ast, sys
try:
    ast.parse(sys.stdin.buffer.read())
except SyntaxError as error:
    print(ascii(error.msg)[1:-1] + ", line " + str(error.lineno))
"""


async def advice(source: Path, settings: Mapping[str, object], python: Path) -> list[str]:
    """Lines for the log. The build succeeds anyway, as on a real cluster, where only the first call fails.

    `python` is the interpreter of the environment. It parses the source without running it. Links are not followed, because
    building packages may have changed the source.
    """
    lines = []
    if settings.get("network_access") == "isolated":
        lines.append("network_access is isolated: this local cluster does not enforce it")
    name = await asyncio.to_thread(_module_name, source)
    if name is None:
        return lines
    module = f"src/{name}.py"
    try:
        content = await asyncio.to_thread(untrusted_file.read_below, source, module, MAX_BYTES)
    except FileNotFoundError:
        return [*lines, f"Warning: there is no {module}: calls will fail"]
    except OSError:
        # The file is too large or not a plain file, but it may work.
        return lines
    if os.path.lexists(source / ".adk") and b"ADK" not in content:
        lines.append(f"Warning: .adk says that the source uses the ADK, but {module} does not: end it with an ADK, or delete .adk")
    if error := await _syntax_error(content, python):
        lines.append(f"Warning: {module} cannot be imported: {error}")
    return lines


def _module_name(source: Path) -> str | None:
    """The name of the module that calls will import; None if `algorithmia.conf` does not say it."""
    try:
        name = json.loads(untrusted_file.read(source / "algorithmia.conf", MAX_BYTES))["algoname"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return name if isinstance(name, str) and MODULE.fullmatch(name) else None


async def _syntax_error(content: bytes, python: Path) -> str:
    """The syntax error in `content`, or an empty string. Deeply nested source may crash the parser, so it has its own process."""
    command: list[str | Path] = [python, "-I", "-W", "ignore", "-c", PARSE]
    try:
        with open(os.devnull, "wb") as nothing:
            process = await children.start(command, children.inherited(), Path("/"), nothing, limit=MAX_BYTES)
    except OSError:
        # For example no more processes. A check that cannot run must not fail the build.
        return ""
    try:
        output, _ = await asyncio.wait_for(process.communicate(content), PARSE_SECONDS)
    except asyncio.TimeoutError:
        return ""
    finally:
        await children.kill(process)
    return output.decode("ascii", "replace").strip()
