"""A backend that a user adds with one module and one line works with the whole command."""

import subprocess
import sys
from pathlib import Path

from harness import Workspace, cluster_process

from algosync.state import BACKENDS

# The module stores the state in a folder, under another scheme. The line is an entry of `BACKENDS`.
PROGRAM = """
import sys
from pathlib import Path

from algosync import state
from algosync.__main__ import main
from algosync.state.local import LocalBackend


def parse_shelf(address):
    path = Path(address.removeprefix("shelf://"))
    return lambda name, command: LocalBackend(path / "shelf" / name, command)


state.BACKENDS["shelf"] = parse_shelf
sys.argv[0] = "algosync"
main()
"""


def test_a_state_kept_by_an_added_backend(tmp_path: Path) -> None:
    with cluster_process(tmp_path / "cluster") as cluster:
        space = Workspace(tmp_path / "workspace", cluster.environ())
        space.folder.mkdir()
        space.algorithm("One")
        space.write([{"name": "One", "language": "python3"}])

        def run(*arguments: str) -> str:
            command = [sys.executable, "-c", PROGRAM, *arguments, "--state", f"shelf://{tmp_path}"]
            done = subprocess.run(
                command, cwd=space.folder, env=space.environment(), capture_output=True, text=True, timeout=120, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout

        assert "Apply complete! Resources: 3 added" in run("apply", "--auto-approve")
        (kept,) = (tmp_path / "shelf").glob("*.json")
        assert "version.One" in kept.read_text()
        assert not (space.folder / "state").exists()
        assert "No changes." in run("plan")
        assert "No drift." in run("drift")


def test_a_scheme_that_no_backend_has_is_a_usage_error(tmp_path: Path) -> None:
    done = Workspace(tmp_path).run("plan", "--state", "shelf://somewhere", "--destination", "local")
    assert done.returncode == 64
    known = ", ".join(f"{scheme}://" for scheme in sorted(BACKENDS))
    assert done.stderr == f"Error: --state shelf://somewhere: the scheme is unknown\n  use a folder, or one of: {known}\n"
