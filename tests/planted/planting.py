"""A plugin for pytest: plants the bug that PLANTED_BUG names, when its modules are imported. The files are not changed."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, FrameType, ModuleType

from bugs import BUGS, Bug

TIME_LIMIT = 3  # seconds of a test that would never end


class StillRunningError(Exception):
    """The test did not end within the time limit."""


class Edited(SourceFileLoader):
    """Compiles the edited source. Compiled files are neither read nor written."""

    def __init__(self, name: str, path: str, bug: Bug) -> None:
        super().__init__(name, path)
        self._bug = bug

    def get_code(self, fullname: str) -> CodeType:
        text = Path(self.path).read_text(encoding="utf-8")
        for edit in self._bug.edits:
            if edit.module == fullname:
                if text.count(edit.old) != 1:
                    raise LookupError(f"the bug cannot be planted: {fullname} has {text.count(edit.old)} times {edit.old!r}")
                text = text.replace(edit.old, edit.new)
        return compile(text, self.path, "exec", dont_inherit=True)


class Planting(MetaPathFinder):
    def __init__(self, bug: Bug) -> None:
        self._bug = bug

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname not in {edit.module for edit in self._bug.edits}:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.origin is not None:
            spec.loader = Edited(fullname, spec.origin, self._bug)
        return spec


def _end(number: int, frame: FrameType | None) -> None:
    raise StillRunningError


def pytest_runtest_setup() -> None:
    signal.alarm(TIME_LIMIT if _bug.hangs else 0)


_bug = next(bug for bug in BUGS if bug.name == os.environ["PLANTED_BUG"])
assert not {edit.module for edit in _bug.edits} & sys.modules.keys(), "it is imported already"
sys.meta_path.insert(0, Planting(_bug))
signal.signal(signal.SIGALRM, _end)
