"""What the log of a build says of source that can be built and will not do what its owner seems to want."""

import asyncio
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

from algosync.emulator.processes import children, untrusted_file

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


async def advice(source: Path, settings: Mapping[str, object], python: Path) -> list[str]:
    """Lines for the log. The build succeeds all the same, as on a cluster, where the first call tells.

    `python` is what the source will run with: what it takes only its own parser knows, which runs none of it. Packages may have
    changed the source as they were built: nothing of it is read through links.
    """
    told = []
    if settings.get("network_access") == "isolated":
        told.append("network_access is isolated: this local cluster does not enforce it")
    name = await asyncio.to_thread(_imported, source)
    if name is None:
        return told
    module = f"src/{name}.py"
    try:
        content = await asyncio.to_thread(untrusted_file.read_below, source, module, MAX_BYTES)
    except FileNotFoundError:
        return [*told, f"Warning: there is no {module}: calls will fail"]
    except OSError:
        # Too large, or no plain file: it may well be imported.
        return told
    if os.path.lexists(source / ".adk") and b"ADK" not in content:
        told.append(
            f"Warning: .adk marks source that serves itself with the ADK, but {module} has none: end it with one, or delete .adk"
        )
    if fault := await _fault(content, python):
        told.append(f"Warning: {module} cannot be imported: {fault}")
    return told


def _imported(source: Path) -> str | None:
    """The module that calls will import; None where that cannot be told."""
    try:
        name = json.loads(untrusted_file.read(source / "algorithmia.conf", MAX_BYTES))["algoname"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return name if isinstance(name, str) and MODULE.fullmatch(name) else None


async def _fault(content: bytes, python: Path) -> str:
    """In a process of its own, with the limits of one: source that is deep enough ends a parser's."""
    command: list[str | Path] = [python, "-I", "-W", "ignore", "-c", PARSE]
    try:
        with open(os.devnull, "wb") as nothing:
            process = await children.start(command, children.inherited(), Path("/"), nothing, limit=MAX_BYTES)
    except OSError:
        # There is no room for one more, say: what cannot be told fails no build.
        return ""
    try:
        output, _ = await asyncio.wait_for(process.communicate(content), PARSE_SECONDS)
    except asyncio.TimeoutError:
        return ""
    finally:
        await children.kill(process)
    return output.decode("ascii", "replace").strip()
