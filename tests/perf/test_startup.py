"""Start-up of the command compared with bare imports of libraries in the same run, as a ratio of processor time."""

import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from harness import Workspace

pytestmark = pytest.mark.alone

ROOT = Path(__file__).resolve().parent.parent.parent
ROUNDS = 15


def processor_time(command: Sequence[str], bytecode: Path) -> float:
    """Processor time of one whole process in seconds, as the system counts it. It keeps its compiled modules in `bytecode`."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environ["PYTHONPYCACHEPREFIX"] = str(bytecode)  # else only libraries may have compiled modules
    process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0
    process.returncode = 0
    return usage.ru_utime + usage.ru_stime


@pytest.mark.parametrize(
    ("arguments", "library", "limit"),
    [
        (["--version"], "typer", 0.45),  # 0.25: both are answered before typer is imported
        (["--help"], "typer", 0.45),
        (["validate"], "Algorithmia", 0.7),  # 0.55, of a workflow whose tests expect nothing
    ],
    ids=["version", "help", "validate"],
)
def test_ratio_to_a_bare_import(
    arguments: list[str], library: str, limit: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = Workspace(tmp_path)
    place.algorithm("One")
    (tmp_path / "source").mkdir()
    place.write([{"name": "One", "language": "python3", "test_payload": 1}])
    file = [str(tmp_path / "workflow.json")] if arguments == ["validate"] else []
    ours = [sys.executable, "-m", "algosync", *arguments, *file]
    peer = [sys.executable, "-c", f"import {library}"]
    bytecode = tmp_path / "bytecode"
    processor_time(ours, bytecode), processor_time(peer, bytecode)  # the first run of each compiles modules
    ratio = statistics.median(processor_time(ours, bytecode) / processor_time(peer, bytecode) for _ in range(ROUNDS))
    with capsys.disabled():
        print(f"\nalgosync {' '.join(arguments)}: {ratio:.2f} x a bare `import {library}`")
    assert ratio <= limit
