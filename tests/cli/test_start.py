"""Commands start fast, because they import only what they need."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
HEAVY = ("Algorithmia", "requests", "urllib3", "jinja2", "yaml", "dulwich", "starlette", "uvicorn", "deepdiff", "rich")


def imported(*arguments: str) -> set[str]:
    """The top-level modules that a command imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "algosync", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    names = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["plan", "--help"], ["emulator", "start", "--help"], []])
def test_help_and_version_import_no_heavy_library(arguments: list[str]) -> None:
    assert imported(*arguments) & set(HEAVY) == set()


def test_validating_json_imports_no_heavy_library() -> None:
    assert imported("validate", "workflows/image_parallel_pipelining.json") & set(HEAVY) == set()


def test_validating_yaml_imports_only_yaml() -> None:
    assert imported("validate", "workflows/hello_world.yaml") & set(HEAVY) == {"yaml"}
