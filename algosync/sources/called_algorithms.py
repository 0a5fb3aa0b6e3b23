"""Called algorithms: warnings about calls in local source that will not find the algorithm they call."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from algosync.core.error import AlgosyncError
from algosync.core.target import dependencies
from algosync.core.text import printable
from algosync.core.tree import Tree
from algosync.core.workflow import AlgorithmSpec, Workflow
from algosync.net import Retry
from algosync.sources.code import archive_uri, read_code
from algosync.sources.store import SourceStore

__all__ = ["call_warnings", "calls_in"]

# `<user>/NAME`, but no `data://<user>/COLLECTION/FILE` and no other path that holds it.
_CALL = re.compile(rb"(?<![\w/.-])(?:algo://)?<user>/([A-Za-z][A-Za-z0-9_]*)")


def call_warnings(workflow: Workflow, callers: Collection[str] | None = None) -> Iterator[str]:
    """A warning for each call of an algorithm that is published later, or that is not in the workflow.

    `callers`: the algorithms whose calls count; None: all. Only local code is read. Code that cannot be read is reported elsewhere.
    """
    store = SourceStore(None, "", Retry())
    depends_on = workflow.depends_on
    order = {name: place for place, name in enumerate(depends_on)}
    for spec in workflow.algorithms:
        if archive_uri(spec) or (callers is not None and spec.name not in callers):
            continue
        try:
            code = read_code(spec, Path(workflow.folder), store)
        except AlgosyncError:
            continue
        for path, line, name in calls_in(code.files):
            if problem := _problem(name, spec, order, depends_on):
                yield f"Warning: {spec.name}: {printable(path)}:{line} calls <user>/{name}, {problem}"


def calls_in(code: Tree) -> Iterator[tuple[str, int, str]]:
    """The path, line and name of each algorithm of the same owner that the source calls."""
    for path, blob in sorted(code.items()):
        for match in _CALL.finditer(blob.data if path.startswith("src/") else b""):
            yield path, blob.data.count(b"\n", 0, match.start()) + 1, match[1].decode()


def _problem(name: str, caller: AlgorithmSpec, order: Mapping[str, int], depends_on: Mapping[str, tuple[str, ...]]) -> str | None:
    if name not in order:
        return "which is not an algorithm of this workflow"
    if order[name] <= order[caller.name] or name in dependencies([caller.name], depends_on):
        return None
    return f"which is published later: move it up, or add depends_on: [{name}]"
