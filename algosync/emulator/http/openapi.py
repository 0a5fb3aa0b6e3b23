"""The OpenAPI specification of the cluster, generated from its route table (`/v1/openapispec`, PLATFORM.md §3.1).

It lists exactly the paths and methods that are routed. Bodies have no schema.
"""

import re
from collections.abc import Mapping, Sequence
from typing import cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from algosync.emulator.http.gate import OPEN, REALMS
from algosync.emulator.http.replies import json_reply

PATH = "/v1/openapispec"
PARAMETER = re.compile(r"\{([^}:]+)(?::([a-z]+))?\}")
SCHEMAS: Mapping[str, Mapping[str, str]] = {
    "str": {"type": "string"},
    "uuid": {"type": "string", "format": "uuid"},
    # OpenAPI has no format for a value with slashes.
    "path": {"type": "string", "description": "May contain slashes"},
}
"""Schemas of path parameters, by the name of Starlette's convertor."""

DETAILS = {"id": {"type": "string", "format": "uuid"}, "code": {"type": "integer"}, "message": {"type": "string"}}
ERRORS = [{"type": "object", "required": ["message"], "properties": DETAILS}, {"type": "string"}]
ERROR = {"type": "object", "required": ["error"], "properties": {"error": {"oneOf": ERRORS}}}
"""The two shapes of errors."""

KEY = "An API key, with or without `Simple ` or `Bearer ` before it"
SECURITY = {
    "key": {"type": "apiKey", "in": "header", "name": "Authorization", "description": KEY},
    "password": {"type": "http", "scheme": "basic", "description": "The user's name, and an API key as the password"},
}

Item = dict[str, object]


def specification_route(routes: Sequence[Route]) -> Route:
    """A route that serves the specification of the given routes and of itself."""

    async def read(_: Request) -> Response:
        return json_reply(specification([*routes, own]))

    own = Route(PATH, read)
    return own


def specification(routes: Sequence[Route]) -> Item:
    """An OpenAPI 3.0 document. It treats paths that differ only in names of parameters as one, with both names."""
    alike: dict[str, list[Route]] = {}
    for route in routes:
        alike.setdefault(PARAMETER.sub("{}", route.path), []).append(route)
    items = [(_template(group), group) for group in alike.values()]
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "Algorithmia API of a local cluster",
            "version": "1",
            "description": "The API of this cluster. It runs the code that it is given.",
        },
        "paths": {template: _item(template, group) for template, group in items},
        "components": {"schemas": {"Error": ERROR}, "securitySchemes": SECURITY},
    }


def _template(group: Sequence[Route]) -> str:
    """The path template of equivalent routes. A parameter with different names gets all of them: `{id_or_owner}`."""
    found = [[match[1] for match in PARAMETER.finditer(route.path)] for route in group]
    names = iter(["_or_".join(dict.fromkeys(each)) for each in zip(*found, strict=True)])
    return PARAMETER.sub(lambda _: f"{{{next(names)}}}", group[0].path)


def _item(template: str, group: Sequence[Route]) -> Item:
    """The operations of a path. Of several routes for one method, the first one counts."""
    operations: Item = {}
    for route in group:
        for method in sorted(route.methods or ()):
            operations.setdefault(method.lower(), _operation(template, method, route))
    return operations


def _operation(template: str, method: str, route: Route) -> Item:
    words = re.findall(r"[A-Za-z0-9]+", template)
    operation: Item = {
        "operationId": "_".join([method.lower(), *words]),
        "tags": [words[1] if words[0] == "v1" else words[0]],
        "responses": _responses(method),
        "security": _security(route.path),
    }
    if parameters := _parameters(template, route):
        operation["parameters"] = parameters
    if method in ("POST", "PUT", "PATCH"):
        operation["requestBody"] = {"content": {"*/*": {}}}
    return operation


def _parameters(template: str, route: Route) -> list[Item]:
    kinds = [match[2] or "str" for match in PARAMETER.finditer(route.path)]
    names = [match[1] for match in PARAMETER.finditer(template)]
    return [
        {"name": name, "in": "path", "required": True, "schema": SCHEMAS[kind]} for name, kind in zip(names, kinds, strict=True)
    ]


def _responses(method: str) -> Item:
    failure: Item = {"description": "The reason of the failure"}
    if method == "HEAD":
        failure["headers"] = {"X-Error-Message": {"schema": {"type": "string"}}}
    else:
        failure["content"] = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {"2XX": {"description": "Success"}, "default": failure}


def _security(path: str) -> list[Item]:
    """The credentials that the gate requires for a path."""
    if OPEN.fullmatch(PARAMETER.sub("x", path)):
        return []
    scheme = "password" if any(path.startswith(prefix) for prefix in REALMS) else "key"
    return cast("list[Item]", [{scheme: []}])
