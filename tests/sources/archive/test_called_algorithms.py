"""Warnings about calls that will not find their algorithm, in local code and in archives that were read."""

from __future__ import annotations

import gzip
from pathlib import Path

from fakes.stores import FakeStore
from packing import tar

from algosync.core.workflow import AlgorithmSpec, Workflow
from algosync.net import Retry
from algosync.sources.called_algorithms import call_warnings
from algosync.sources.source import Sources
from algosync.sources.store import SourceStore

CODE = b"def apply(input):\n    return client.algo('<user>/Nobody/latestPrivate').pipe(input)\n"
WARNING = "Warning: One: src/One.py:2 calls <user>/Nobody, which is not an algorithm of this workflow"
URI = "data://.my/code/One.tar.gz"


def test_an_archive_that_was_read_is_searched_for_calls_without_another_read(tmp_path: Path) -> None:
    fake = FakeStore()
    fake.write("quality", "code", "One.tar.gz", gzip.compress(tar(("src/One.py", CODE))))
    spec = AlgorithmSpec("One", "python3", code=URI)
    flow = Workflow("w", str(tmp_path), (spec,))
    sources = Sources((spec,), tmp_path, "jane", SourceStore(fake, "https://source", Retry()))
    assert list(call_warnings(flow, known=sources.calls)) == []
    sources.tree(spec)
    assert list(call_warnings(flow, known=sources.calls)) == [WARNING]
    assert list(call_warnings(flow, ["Other"], sources.calls)) == []
    assert fake.opened == ["One.tar.gz"]


def test_local_code_that_was_not_read_is_searched(tmp_path: Path) -> None:
    (tmp_path / "algorithms" / "One" / "src").mkdir(parents=True)
    (tmp_path / "algorithms" / "One" / "src" / "One.py").write_bytes(CODE)
    flow = Workflow("w", str(tmp_path), (AlgorithmSpec("One", "python3"),))
    assert list(call_warnings(flow)) == [WARNING]
