"""Values of template variables: convert nodes to Python values, and texts of flags to the type of the variable's default."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from algosync.workflow.fault import Faults, UnreadableError, quote
from algosync.workflow.node import ListNode, Scalar, child
from algosync.workflow.parsing.json_reader import read_json

if TYPE_CHECKING:
    from algosync.core.resource import Json
    from algosync.workflow.node import Node

__all__ = ["NAME", "WrittenNumber", "decoded", "encoded", "fit", "python_value"]

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_MAX_DIGITS = 4000  # Python refuses to convert longer ones


class WrittenNumber(float):
    """A number with its text, which may be the number of a version: `3.10` stays `3.10` where a template prints it."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> WrittenNumber:
        number = super().__new__(cls, text)
        number.text = text
        return number


def python_value(node: Node, path: str, faults: Faults) -> object:
    """Return the value of a node. Reports a number that Python would round, because the algorithm would receive another value."""
    if isinstance(node, ListNode):
        return [python_value(item, f"{path}[{index}]", faults) for index, item in enumerate(node.items)]
    if not isinstance(node, Scalar):
        return {key: python_value(value, child(path, key), faults) for key, value in node.entries.items()}
    if node.kind == "text":
        return node.text
    if node.kind in {"integer", "number"}:
        return _number(node, path, faults)
    return {"true": True, "false": False}.get(node.text)


def _number(node: Scalar, path: str, faults: Faults) -> int | float:
    from decimal import Decimal

    if len(node.text) <= _MAX_DIGITS:
        if node.kind == "integer":
            return int(node.text)
        value = WrittenNumber(node.text)
        if Decimal(float.__repr__(value)) == Decimal(node.text):
            return value
    message = f"the number {quote(node.text)} would be rounded"
    faults.add(node, path, "variable-type", message, "write it as a text, in quotes")
    return 0


def encoded(value: object) -> Json:
    """A value of a variable as JSON: a number with a text is `{"number": TEXT}`, a map is `{"map": {…}}`."""
    if isinstance(value, WrittenNumber):
        return {"number": value.text}
    if isinstance(value, dict):
        return {"map": {key: encoded(item) for key, item in value.items()}}
    if isinstance(value, (list, tuple)):
        return [encoded(item) for item in value]
    return cast("Json", value)


def decoded(value: Json) -> object:
    """The inverse of `encoded`."""
    if isinstance(value, Mapping):
        if "number" in value:
            return WrittenNumber(str(value["number"]))
        members = cast("Mapping[str, Json]", value.get("map", {}))
        return {key: decoded(item) for key, item in members.items()}
    return [decoded(item) for item in value] if isinstance(value, list) else value


def fit(value: object, default: object) -> object:
    """Return the value in the type of the default. If that is not a text, a text value is parsed as JSON, as flags give only texts.

    Raises ValueError, without the value in its message, if the types do not match.
    """
    if default is None or _agree(value, default):
        return value
    if isinstance(value, str):
        faults = Faults()
        try:
            read = python_value(read_json(value, faults), "", faults)
        except UnreadableError:
            read = None
        if not faults.found and _agree(read, default):
            return read
    raise ValueError(f"its default is {_KINDS[_type(default)]}")


def _agree(value: object, default: object) -> bool:
    return _type(value) is _type(default) or (_type(value), _type(default)) == (int, float)


def _type(value: object) -> type:
    return float if isinstance(value, WrittenNumber) else type(value)


_KINDS = {str: "a text", bool: "true or false", int: "a whole number", float: "a number", list: "a list", dict: "a map"}
