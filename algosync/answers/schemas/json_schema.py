"""JSON Schema 2020-12 over exact values. No reference ever leaves the schema: there is no network."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, localcontext
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from algosync.answers.condition import kind_of
from algosync.answers.equality import is_number
from algosync.answers.exact_json import NotJson, Value, read_exact
from algosync.answers.schemas.keywords import keyword_faults

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

__all__ = ["allows_null", "errors_of", "schema_faults"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def errors_of(schema: str, value: Value) -> Iterator[ValidationError]:
    """The places at which the value does not fit.

    RecursionError: the schema refers to itself without end. ValueError: it has a fault.
    """
    yield from _validator(schema).iter_errors(value)  # type: ignore[arg-type]  # jsonschema's stubs know no Decimal


def allows_null(schema: str) -> bool:
    """Whether the schema names null. A schema without a type accepts null too, which is hardly ever meant."""
    return _names_null(read_exact(schema))


def _names_null(schema: Value) -> bool:
    if not isinstance(schema, dict):
        return False
    types, values = schema.get("type"), schema.get("enum")
    if types == "null" or (isinstance(types, list) and "null" in types) or ("const" in schema and schema["const"] is None):
        return True
    if isinstance(values, list) and None in values:
        return True
    branches = [schema.get(key) for key in ("anyOf", "oneOf", "allOf")]
    return "$ref" in schema or any(_names_null(one) for branch in branches if isinstance(branch, list) for one in branch)


@lru_cache(maxsize=64)
def schema_faults(schema: str) -> tuple[str, ...]:
    """Why the text is no JSON Schema that can be used. Nothing is fetched for it. Many tests may have the same schema."""
    return tuple(_faults(schema))


def _faults(schema: str) -> Iterator[str]:
    try:
        contents = read_exact(schema)
    except NotJson as error:
        yield f"is {error}"
        return
    if not isinstance(contents, (dict, bool)):
        yield f"is a JSON Schema only if it is an object or a boolean, not {kind_of(contents)}"
        return
    yield from _shape_faults(contents)


def _shape_faults(contents: dict[str, Value] | bool) -> Iterator[str]:
    if isinstance(contents, dict) and contents.get("$schema", _DIALECT) not in {_DIALECT, f"{_DIALECT}#"}:
        yield f"has another dialect than {_DIALECT}"
        return
    try:
        found = [f"is no JSON Schema: {error.json_path}: {error.message[:200]}" for error in _of_schemas().iter_errors(contents)]
        yield from found[:10] or _deep_faults(contents)
    except RecursionError:
        yield "is nested too deep"


def _deep_faults(contents: dict[str, Value] | bool) -> Iterator[str]:
    """Misspelled keywords, and references to nowhere, in the schema and all schemas inside of it."""
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    root = DRAFT202012.create_resource(contents)
    pending = [(root, _registry().resolver_with_root(root))]
    while pending:
        resource, resolver = pending.pop()
        pending += [(inner, resolver.in_subresource(inner)) for inner in resource.subresources()]
        if not isinstance(resource.contents, dict):
            continue
        yield from keyword_faults(resource.contents)
        for key in ("$ref", "$dynamicRef"):
            try:
                resolver.lookup(str(resource.contents.get(key, "#")))
            except (Unresolvable, ValueError):
                yield f"has the reference {str(resource.contents[key])[:100]!r}, which is not inside the schema; nothing is fetched"


@lru_cache(maxsize=64)
def _validator(schema: str) -> Validator:
    if messages := schema_faults(schema):
        raise ValueError(messages[0])
    validator: Validator = _dialect()(read_exact(schema), registry=_registry())
    return validator


@cache
def _of_schemas() -> Any:
    """The validator of schemas themselves."""
    from jsonschema import FormatChecker

    return _dialect()(_dialect().META_SCHEMA, registry=_registry(), format_checker=FormatChecker(["regex"]))


@cache
def _registry() -> Any:
    """The dialects' own schemas, and nothing that fetches."""
    from jsonschema_specifications import REGISTRY

    return REGISTRY


@cache
def _dialect() -> Any:
    from jsonschema import Draft202012Validator, validators

    kinds = Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": _is_integer, "number": lambda _checker, value: is_number(value)}
    )
    return validators.extend(  # type: ignore[no-untyped-call]  # its stub has no types
        Draft202012Validator, {"multipleOf": _multiple_of}, type_checker=kinds
    )


def _is_integer(_checker: object, value: Any) -> bool:
    return is_number(value) and kind_of(value) == "integer"


def _multiple_of(_validator: object, divisor: Any, value: Any, _schema: object) -> Iterator[ValidationError]:
    """Exact for numbers of up to 5,000 digits; jsonschema's own one fails for large ones."""
    from jsonschema import ValidationError

    if not is_number(value):
        return
    with localcontext() as context:
        context.prec = 5000
        try:
            fits = not Decimal(value) % Decimal(divisor)
        except ArithmeticError:
            fits = False
    if not fits:
        yield ValidationError(f"{str(value)[:60]} is not a multiple of {str(divisor)[:60]}")
