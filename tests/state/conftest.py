"""Fixtures of the contract of backends, and no time limit for the examples of hypothesis: a busy machine is slow."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from states_server import BUCKET, PASSWORD, TerraformServer, postgresql_server, s3_server, terraform_server

from algosync.state import BACKENDS

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

_numbers = itertools.count()
_REMOTE = [
    # `https` is the same backend as `http`.
    pytest.param(scheme, marks=[pytest.mark.needs("initdb", "postgres")] if scheme == "postgresql" else [])
    for scheme in sorted(BACKENDS.keys() - {"file", "https"})
]


@pytest.fixture(params=["file", *_REMOTE])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """For each backend an address where nothing is kept yet. One whose addresses are not paths needs a fixture `NAME_address`."""
    name = f"{request.param}_address"
    if name in globals():
        return str(request.getfixturevalue(name))
    return f"{request.param}://{tmp_path}/new/place"


@pytest.fixture(params=_REMOTE)
def remote_address(request: pytest.FixtureRequest) -> str:
    """The same for the backends whose states are not on this machine."""
    return str(request.getfixturevalue(f"{request.param}_address"))


@pytest.fixture
def remote(address: str) -> bool:
    """Whether the states at `address` are not on this machine."""
    return not address.startswith("file:")


@pytest.fixture(scope="session")
def s3_variables() -> Iterator[dict[str, str]]:
    with s3_server() as variables:
        yield variables


@pytest.fixture
def s3_address(s3_variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in s3_variables.items():
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}/some place/{next(_numbers)}"


@pytest.fixture(scope="session")
def states_server() -> Iterator[TerraformServer]:
    with terraform_server(password=PASSWORD) as server:
        yield server


@pytest.fixture
def http_address(states_server: TerraformServer, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("ALGOSYNC_STATE_USERNAME", "jane")
    monkeypatch.setenv("ALGOSYNC_STATE_PASSWORD", PASSWORD)
    return f"{states_server.url}/states/{next(_numbers)}"


@pytest.fixture(scope="session")
def database_server() -> Iterator[str]:
    with postgresql_server() as url:
        yield url


@pytest.fixture
def postgresql_address(database_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    import psycopg

    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    name = f"d{next(_numbers)}"
    with psycopg.connect(f"{database_server}postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return database_server + name
