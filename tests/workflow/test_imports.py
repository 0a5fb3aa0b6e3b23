"""The command line starts fast: the package imports YAML and Jinja2 only when it needs them."""

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


def test_importing_the_package_imports_neither_yaml_nor_jinja2() -> None:
    assert modules_after("import algosync.workflow") <= {"json", "subprocess"}


def test_loading_json_imports_neither() -> None:
    program = "from pathlib import Path; from algosync import workflow; "
    load = "workflow.load(Path('workflows/image_parallel_pipelining.json'), {})"
    assert modules_after(program + load) <= {"json", "subprocess"}


def test_jinja2_is_imported_in_the_child_process_only() -> None:
    assert modules_after("from algosync.workflow.template import render_template as r; r('x', {}, None)") <= {
        "json",
        "subprocess",
    }
