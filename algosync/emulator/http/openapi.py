"""The specification of what a cluster serves, made from its own route table (fact: `PLATFORM.md` 3.1, `/v1/openapispec`).

True by construction: every path and method that is routed, and none besides. Bodies are described by no schema.
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
    # The format cannot say that slashes are part of it.
    "path": {"type": "string", "description": "With its slashes"},
}
"""What a parameter of a path may be, by the name of its convertor."""

ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "oneOf": [
                {
                    "type": "object",
                    "required": ["message"],
                    "properties": {
                        "id": {"type": "string", "format": "uuid"},
                        "code": {"type": "integer"},
                        "message": {"type": "string"},
                    },
                },
                {"type": "string"},
            ]
        }
    },
}
"""Both shapes of errors."""

SECURITY = {
    "key": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "An API key, with or without `Simple ` or `Bearer ` before it",
    },
    "password": {"type": "http", "scheme": "basic", "description": "The user's name, and an API key as the password"},
}

Item = dict[str, object]


class OpenApi:
    """The specification, as a route among those that it describes."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = [*routes, self.route()]

    def route(self) -> Route:
        """Where it is read."""
        return Route(PATH, self._read)

    async def _read(self, _: Request) -> Response:
        return json_reply(specification(self._routes))


def specification(routes: Sequence[Route]) -> Item:
    """OpenAPI 3.0. Paths that differ in nothing but the names of their parameters are one path to it, with both names."""
    alike: dict[str, list[Route]] = {}
    for route in routes:
        alike.setdefault(PARAMETER.sub("{}", route.path), []).append(route)
    items = [(_template(group), group) for group in alike.values()]
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "Algorithmia API of a local cluster",
            "version": "1",
            "description": "What this cluster serves. It runs the code that it is given.",
        },
        "paths": {template: _item(template, group) for template, group in items},
        "components": {"schemas": {"Error": ERROR}, "securitySchemes": SECURITY},
    }


def _template(group: Sequence[Route]) -> str:
    """The path with names for its parameters; where routes differ in them, each parameter has all its names."""
    found = [[match[1] for match in PARAMETER.finditer(route.path)] for route in group]
    names = iter(["_or_".join(dict.fromkeys(each)) for each in zip(*found, strict=True)])
    return PARAMETER.sub(lambda _: f"{{{next(names)}}}", group[0].path)


def _item(template: str, group: Sequence[Route]) -> Item:
    """The operations of a path: of routes for the same method the first one answers."""
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
    failure: Item = {"description": "Why not"}
    if method == "HEAD":
        failure["headers"] = {"X-Error-Message": {"schema": {"type": "string"}}}
    else:
        failure["content"] = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {"2XX": {"description": "Done, or what was asked for"}, "default": failure}


def _security(path: str) -> list[Item]:
    """As the gate has it; a path stands for those of its form."""
    if OPEN.fullmatch(PARAMETER.sub("x", path)):
        return []
    scheme = "password" if any(path.startswith(prefix) for prefix in REALMS) else "key"
    return cast("list[Item]", [{scheme: []}])
