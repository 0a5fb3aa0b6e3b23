"""Reading: `validate` of a large workflow, beside libyaml's events of the same file."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmark.result import Bench, Result, interleaved
from benchmark.running import run
from benchmark.workspace import Workspace, command

__all__ = ["documents"]

_EVENTS = "import yaml\nwith open('workflow.yaml', 'rb') as file:\n    for _ in yaml.parse(file, Loader=yaml.CLoader): pass\n"
_ENTRY = """\
  - name: A{number}
    environment_name: Python 3.9
    details:
      label: The algorithm number {number}
      summary: "What the algorithm with the number {number} does, in a sentence of a usual length for such texts"
    settings: {{network_access: full, pipeline_enabled: true}}
    data_files:
      - data://.my/models{number}/weights.bin
      - data://.my/models{number}/vocabulary.txt
    test_payload: {{text: "a payload for the algorithm {number}", options: {{limit: 10, language: en, exact: true}}}}
    tests:
      - {{name: short, payload: "one", expect: {{equals: "two"}}}}
      - {{name: long, payload: {{text: "three"}}, expect: {{equals: {{label: "four", score: 0.5}}}}}}
"""
_REMOTE_CODE = "    code: data://.my/code/A{number}.tar.gz\n"
_LARGE = 10_000


def documents(bench: Bench) -> Iterator[Result]:
    """`validate` by the number of algorithms in the file.

    Their code is local, so `validate` looks at a folder of each, too. The target is for that. Beside it is the largest file with
    code on the source cluster, of which only the file itself is read.
    """
    numbers = bench.sizes or ([500] if bench.small else [1000, _LARGE])
    for number in numbers:
        yield from _measured(bench, number, "")
    if _LARGE in numbers:
        yield from _measured(bench, _LARGE, _REMOTE_CODE)


def _measured(bench: Bench, number: int, code: str) -> Iterator[Result]:
    """`code`: a line that names the code of an algorithm; empty: it is local."""
    folder = bench.folder / "documents"
    size = _write(folder, number, code)
    sides = {
        "validate": partial(run, [*command(), "validate", "workflow.yaml"], folder),
        "events": partial(run, [sys.executable, "-c", _EVENTS], folder, log="peer-log"),
    }
    costs = interleaved(bench.rounds, sides)
    name = f"validate of {number:,} algorithms, {size / 1e6:.1f} MB" + (", code on a cluster" if code else "")
    ours, theirs, large = costs["validate"], costs["events"], number == _LARGE and not code
    note = "target: 300 MiB of memory" if large else ""
    peer, target = "libyaml's events of the same file", 5.0 if large else None
    yield Result("documents", name, peer, ours.wall, theirs.wall, "s", target, None, ours.memory, note)
    yield Result("documents", f"{name}: processor", peer, ours.cpu, theirs.cpu, "s")


def _write(folder: Path, number: int, code: str) -> int:
    """Write a workflow in YAML, and the sources that it names. Returns its size in bytes."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    workspace = Workspace(folder)
    for place in () if code else range(number):
        workspace.algorithm(f"A{place}")
    text = "source_info: {cluster_address: 'https://api.example.com'}\nalgorithms:\n"
    text += "".join((_ENTRY + code).format(number=place) for place in range(number))
    return (folder / "workflow.yaml").write_text(text)
