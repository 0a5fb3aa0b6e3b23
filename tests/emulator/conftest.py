"""One cluster for each module, and one folder of Python environments for all of them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from emulated import Emulator, emulator


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workers of pytest-xdist share this folder too, so each environment is installed once."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "environments"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, environments: Path) -> Iterator[Emulator]:
    with emulator(tmp_path_factory.mktemp("site") / "root", environments) as running:
        yield running
