"""Called algorithms: warnings about calls in source that will not find the algorithm they call."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from algosync.core.planning.target import dependencies
from algosync.core.text import printable
from algosync.core.tree import Tree
from algosync.core.workflow import AlgorithmSpec, Workflow
from algosync.sources.code import archive_uri, has_nowhere, local_code, local_files

__all__ = ["CallSite", "call_warnings", "calls_in", "local_calls"]

CallSite: TypeAlias = tuple[str, int, str]
"""The path and the line of a call, and the name of the called algorithm."""

_OWNER = b"<user>/"
# `<user>/NAME`, but no `data://<user>/COLLECTION/FILE` and no other path that holds it.
_CALL = rb"(?<![\w/.-])(?:algo://)?<user>/([A-Za-z][A-Za-z0-9_]*)"


def call_warnings(
    workflow: Workflow, callers: Collection[str] | None = None, known: Mapping[str, Sequence[CallSite]] | None = None
) -> Iterator[str]:
    """A warning for each call of an algorithm that is published later, or that is not in the workflow.

    `callers`: the algorithms whose calls count; None: all. `known`: the calls in sources that were read before; of the others only
    local code is read. Code that cannot be read is reported elsewhere.
    """
    depends_on = workflow.depends_on
    order = {name: place for place, name in enumerate(depends_on)}
    for spec in workflow.algorithms:
        if callers is not None and spec.name not in callers:
            continue
        calls = (known or {}).get(spec.name)
        for path, line, name in local_calls(spec, workflow) if calls is None else calls:
            if problem := _problem(name, spec, order, depends_on):
                yield f"Warning: {spec.name}: {printable(path)}:{line} calls <user>/{name}, {problem}"


def local_calls(spec: AlgorithmSpec, workflow: Workflow) -> Iterator[CallSite]:
    """The calls in an algorithm's local code. None if its code is in an archive on a cluster, or cannot be read."""
    folder = Path(workflow.folder)
    if archive_uri(spec) is None and has_nowhere(_OWNER, f"{local_code(spec.name, spec.code, folder)}/src"):
        return iter(())
    return calls_in(local_files(spec, folder))


def calls_in(code: Tree) -> Iterator[CallSite]:
    """The calls of algorithms of the same owner, in a source whose placeholders are not filled in."""
    for path, blob in sorted(code.items()):
        for match in re.finditer(_CALL, blob.data if path.startswith("src/") else b""):
            yield path, blob.data.count(b"\n", 0, match.start()) + 1, match[1].decode()


def _problem(name: str, caller: AlgorithmSpec, order: Mapping[str, int], depends_on: Mapping[str, tuple[str, ...]]) -> str | None:
    if name not in order:
        return "which is not an algorithm of this workflow"
    if order[name] <= order[caller.name] or name in dependencies([caller.name], depends_on):
        return None
    return f"which is published later: move it up, or add depends_on: [{name}]"
