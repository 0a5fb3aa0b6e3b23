"""Each planted bug is caught by the quick test that is named for it, for the reason that is named, and by it alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from bugs import BUGS, Bug

HERE = Path(__file__).parent
TESTS = HERE.parent


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run pytest on quick tests, in a process of its own."""
    options = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:randomly", "-W", "ignore")
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *arguments],
        cwd=TESTS.parent,
        env={**os.environ, "PYTHONPATH": str(HERE), "COLUMNS": "200", **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_is_caught(bug: Bug) -> None:
    done = run("-p", "planting", f"{TESTS}/{bug.test}", PLANTED_BUG=bug.name)
    assert done.returncode == 1, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "LookupError" not in done.stdout
    assert re.search(r"^FAILED ", done.stdout, re.MULTILINE), done.stdout
    assert re.search(bug.reason, done.stdout, re.DOTALL), done.stdout


def test_the_same_tests_pass_without_a_bug() -> None:
    done = run(*sorted({f"{TESTS}/{bug.test}" for bug in BUGS}))
    assert done.returncode == 0, done.stdout
