"""Places of states on servers, as the environment names them. Each server runs until its `with` ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import quote

from states_server import BUCKET, PASSWORD, postgresql_server, s3_server, terraform_server

__all__ = ["KEY", "Place", "Server", "https", "postgresql", "s3"]

KEY = {"ALGOSYNC_STATE_USERNAME": "jane", "ALGOSYNC_STATE_PASSWORD": PASSWORD}


@dataclass(frozen=True)
class Place:
    """A place of states as the environment names it. `wrong`: the same with another password."""

    environ: dict[str, str]
    wrong: dict[str, str]
    end: Callable[[], object]


Server: TypeAlias = Callable[[], AbstractContextManager[Place]]


@contextmanager
def https() -> Iterator[Place]:
    with ExitStack() as stack:
        server = stack.enter_context(terraform_server(password=PASSWORD))
        environ = {**KEY, "ALGOSYNC_STATE": f"{server.url}/states"}
        yield Place(environ, {**environ, "ALGOSYNC_STATE_PASSWORD": f"{PASSWORD} no"}, stack.close)


@contextmanager
def s3() -> Iterator[Place]:
    with ExitStack() as stack:
        environ = {**stack.enter_context(s3_server()), "ALGOSYNC_STATE": f"s3://{BUCKET}/team"}
        yield Place(environ, {**environ, "ALGOSYNC_STATE": "s3://missing/team"}, stack.close)  # moto asks for no password


@contextmanager
def postgresql() -> Iterator[Place]:
    with ExitStack() as stack:
        address = stack.enter_context(postgresql_server()).replace("jane@", f"jane:{quote(PASSWORD, safe='')}@") + "postgres"
        wrong = {"ALGOSYNC_STATE": f"{address}?password={quote(PASSWORD, safe='')}no"}
        yield Place({"ALGOSYNC_STATE": address}, wrong, stack.close)
