"""Typed JSON: frozen dataclasses of the core as JSON values and back, by their type annotations. Pure.

An object has one member for each field, except fields whose metadata have `"json": False`: those have their default when they are
read. An address is its text, an enum its value, a tuple or set a list, a mapping an object.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from inspect import get_annotations
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin

from algosync.core.address import Address
from algosync.core.codec import address_from_json, fields_of
from algosync.core.error import Corrupt
from algosync.core.resource import Json

__all__ = ["from_json", "json_form", "to_json"]

T = TypeVar("T")
_UNCHANGED = frozenset((NoneType, bool, int, float, str))


def to_json(value: object) -> Json:
    """TypeError: the value, or one inside it, has no JSON form."""
    if type(value) in _UNCHANGED:  # nearly all values; the cases below take ten times as long to see it
        return cast("Json", value)
    match value:
        case str() | int() | float() if not isinstance(value, Enum):  # of a derived type
            return value
        case list() | tuple():
            return [to_json(item) for item in value]
        case _:
            return _all_to_json(json_form(value))


def _all_to_json(value: Any) -> Json:
    """`value`: as `json_form` makes it."""
    if isinstance(value, dict):
        return {name: to_json(item) for name, item in value.items()}
    return [to_json(item) for item in value] if isinstance(value, list) else to_json(value)


def json_form(value: object) -> Any:
    """The next level of the JSON of a value that JSON does not have: parts of it may be such values. TypeError: it has no form."""
    form: type = type(value)
    if is_dataclass(form):
        return str(value) if form is Address else {name: getattr(value, name) for name in _members(form)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, (dict, MappingProxyType, Mapping)):  # `Mapping` alone is slow to ask
        return {_name(key): item for key, item in value.items()}
    raise TypeError(f"a {form.__name__} has no JSON form")


@cache
def _members(form: type) -> tuple[str, ...]:
    """The fields of a dataclass that its constructor takes, and that JSON has."""
    return tuple(each.name for each in fields(form) if each.init and each.metadata.get("json", True))


def _name(key: object) -> str:
    if isinstance(key, (str, Address)):
        return str(key)
    raise TypeError(f"a {type(key).__name__} cannot be a name")


def from_json(form: type[T], value: Json, what: str) -> T:
    """The inverse of `to_json` for one type. `what`: the value in messages. Corrupt: it is not such a value."""
    result: T = _read(form, value, what)
    return result


def _read(form: Any, value: Json, what: str) -> Any:
    if form == Json:
        return value
    origin, arguments = get_origin(form), get_args(form)
    read = _GENERIC.get(origin)
    return _read_class(form, value, what) if read is None else read(arguments, value, what)


def _read_optional(forms: tuple[Any, ...], value: Json, what: str) -> Any:
    if value is None and NoneType in forms:
        return None
    (form,) = (each for each in forms if each is not NoneType)
    return _read(form, value, what)


def _read_tuple(forms: tuple[Any, ...], value: Json, what: str) -> tuple[Any, ...]:
    items = _list(value, what)
    if forms[-1] is Ellipsis:
        return tuple(_read(forms[0], item, what) for item in items)
    if len(items) != len(forms):
        raise Corrupt(f"is damaged: {what} has {len(items)} parts")
    return tuple(_read(form, item, what) for form, item in zip(forms, items, strict=True))


def _read_set(forms: tuple[Any, ...], value: Json, what: str) -> frozenset[Any]:
    return frozenset(_read(forms[0], item, what) for item in _list(value, what))


def _read_members(forms: tuple[Any, ...], value: Json, what: str) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise Corrupt(f"is damaged: {what} is not an object")
    members = {_read(forms[0], name, what): _read(forms[1], item, f"{what}.{name!s:.60}") for name, item in value.items()}
    return MappingProxyType(members)


def _read_class(form: type, value: Json, what: str) -> Any:
    if form is Address:
        return address_from_json(value)
    if issubclass(form, Enum):
        return form(_one_of([each.value for each in form], value, what))
    if is_dataclass(form):
        hints = _hints(form)
        given = fields_of(value, tuple(hints), what)
        return form(**{name: _read(hint, given[name], f"{what}.{name}") for name, hint in hints.items()})
    if not isinstance(value, form) or (isinstance(value, bool) and form is not bool):
        raise Corrupt(f"is damaged: {what} is not of the type {form.__name__}")
    return value


@cache
def _hints(form: type) -> dict[str, Any]:
    hints = get_annotations(form, eval_str=True)  # unlike `get_type_hints`, it leaves the recursive `Json` as it is
    return {name: hints[name] for name in _members(form)}


def _one_of(known: Collection[Json], value: Json, what: str) -> Json:
    if value not in known:
        raise Corrupt(f"is damaged: {what} is {value!r:.60}")
    return value


def _list(value: Json, what: str) -> list[Json]:
    if not isinstance(value, list):
        raise Corrupt(f"is damaged: {what} is not a list")
    return value


_GENERIC: Mapping[Any, Callable[[tuple[Any, ...], Json, str], Any]] = {
    Union: _read_optional,
    UnionType: _read_optional,
    Literal: _one_of,
    tuple: _read_tuple,
    frozenset: _read_set,
    Mapping: _read_members,
}
