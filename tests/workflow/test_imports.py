"""The command line starts fast: the text edge brings its libraries only when it reads something."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def modules_after(program: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{program}; import sys; print(*sys.modules)"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split()) & {"yaml", "jinja2", "json", "subprocess", "requests"}


def test_importing_the_package_brings_neither_yaml_nor_jinja2() -> None:
    assert modules_after("import algosync.workflow") <= {"json", "subprocess"}


def test_nor_does_loading_json() -> None:
    program = "from pathlib import Path; from algosync import workflow; "
    load = "workflow.load(Path('workflows/image_parallel_pipelining.json'), {})"
    assert modules_after(program + load) <= {"json", "subprocess"}


def test_jinja2_stays_in_the_child_process() -> None:
    assert modules_after("from algosync.workflow.template import render_template as r; r('x', {}, None)") <= {
        "json",
        "subprocess",
    }
