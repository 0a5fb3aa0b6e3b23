"""`/v1/openapispec` is valid and describes every route."""

import re
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from emulated import Emulator
from starlette.routing import Route

from algosync.emulator.http.openapi import specification
from algosync.emulator.records.database import Database
from algosync.emulator.server.cluster import ClusterServer, ServerSettings

METHODS = {"get", "put", "post", "delete", "patch", "head"}


@pytest.fixture(scope="module")
def document(site: Emulator) -> Any:
    return site.get("/v1/openapispec")


@pytest.fixture
def routes(tmp_path: Path) -> list[Route]:
    with closing(Database(tmp_path / "database")) as database:
        return ClusterServer(ServerSettings(tmp_path, tmp_path, 1, "token"), database).routes()


def shape(path: str) -> str:
    return re.sub(r"{[^}]*}", "{}", path)


def test_the_specification_lists_exactly_the_routes(document: Any, routes: list[Route]) -> None:
    served = {(shape(route.path), method.lower()) for route in routes for method in route.methods or ()}
    assert {(shape(path), method) for path, item in document["paths"].items() for method in item} == served
    assert len({shape(path) for path in document["paths"]}) == len(document["paths"]), "two paths differ only in parameter names"


def test_operations_are_complete(document: Any) -> None:
    operations = [(path, method, each) for path, item in document["paths"].items() for method, each in item.items()]
    assert {method for _, method, _ in operations} <= METHODS
    assert len({each["operationId"] for _, _, each in operations}) == len(operations)
    for path, method, each in operations:
        named = [(parameter["name"], parameter["in"], parameter["required"]) for parameter in each.get("parameters", [])]
        assert named == [(name, "path", True) for name in re.findall(r"{([^}]*)}", path)], (method, path)
        assert set(each["responses"]) == {"2XX", "default"}


def test_operations_without_a_key(site: Emulator, document: Any) -> None:
    free = {path for path, item in document["paths"].items() for each in item.values() if each["security"] == []}
    template = "/v1/algorithm-environments/edge/environment-specifications/{specification}/template"
    assert free == {"/health", "/v1/insights", template}
    statuses = {path: site.request("GET", path.replace("{specification}", "x"), key="").status for path in free}
    assert statuses == {"/health": 200, "/v1/insights": 405, template: 404}


def test_routes_that_differ_only_in_names_of_parameters() -> None:
    """They are one path in the specification, with the methods and parameter names of both."""

    async def nothing(_: object) -> None: ...

    two = [Route("/v1/a/{id:uuid}/{x}", nothing), Route("/v1/a/{owner}/{x}", nothing, methods=["POST"])]
    paths = specification(two)["paths"]
    assert isinstance(paths, dict)
    [(path, item)] = paths.items()
    assert (path, sorted(item)) == ("/v1/a/{id_or_owner}/{x}", ["get", "head", "post"])
    assert item["get"]["parameters"][0]["schema"] == {"type": "string", "format": "uuid"}
