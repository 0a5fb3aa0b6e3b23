"""Environments of the cluster's algorithms, shared with the tests of the cluster itself."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "emulator"))  # `emulated`: a cluster process and ways to talk to it


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared by the workers of pytest-xdist, too: what one has installed the others need not."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "environments"
