"""The git binary, as tests compare with it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

needs_git = pytest.mark.needs("git")
BARE = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "HOME": os.devnull}


def git(folder: Path, *arguments: str, given: bytes = b"") -> bytes:
    return subprocess.run(["git", *arguments], cwd=folder, env=BARE, input=given, capture_output=True, check=True).stdout
