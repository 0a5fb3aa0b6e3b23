"""Every test of the suite fails, in an assertion about a reply, against servers that are not a cluster."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from blank_server import ANSWERS
from installed import Missing, node_modules, old_python


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_all_fail_against(name: str) -> None:
    """All clients have to be installed, because skipped tests would prove nothing."""
    try:
        old_python()
        node_modules()
    except Missing as error:
        pytest.skip(str(error))
    folder = Path(__file__).parent
    command = [
        sys.executable,
        "-m",
        "pytest",
        str(folder),
        "--against",
        name,
        "-m",
        "",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
    ]
    environ = {key: text for key, text in os.environ.items() if not key.startswith("PYTEST_")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=environ, cwd=folder.parent.parent, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
    assert re.search(r"^[1-9]\d* passed, \d+ deselected in [^,]*$", done.stdout, re.MULTILINE), done.stdout[-1000:]
