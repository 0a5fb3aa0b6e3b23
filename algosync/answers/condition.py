"""Condition: what `match` and `size` expect of one value: a value that it equals, or operators."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from algosync.answers.equality import is_number, same
from algosync.answers.exact_json import Value, json_text
from algosync.answers.pattern import pattern_fault
from algosync.core.lean import dataclass
from algosync.core.text import clauses

__all__ = ["OPERATORS", "TYPES", "condition_faults", "failed_conditions", "kind_of"]

TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
_COMPARED = ("==", "!=", "<", "<=", ">", ">=")


def failed_conditions(wanted: Value, value: Value) -> Iterator[tuple[str, str]]:
    """What of `wanted` does not hold: the condition as text, and a note. `wanted` has no faults (`condition_faults`)."""
    if not isinstance(wanted, dict):
        if not same(wanted, value):
            yield json_text(wanted), ""
        return
    if not wanted:
        yield "{}", "there is no condition"
    for operator, operand in wanted.items():
        if not OPERATORS[operator].applies(operand, value):
            yield f"{operator} {json_text(operand)}", f"`{operator}` does not apply to {_article(kind_of(value))}"
        elif not OPERATORS[operator].holds(operand, value):
            yield f"{operator} {json_text(operand)}", _length_note(operator, value)


def condition_faults(wanted: Value, *, of_number: bool = False) -> Iterator[str]:
    """Why no value can meet these conditions. `of_number`: the value is a number, such as a size."""
    if not isinstance(wanted, dict):
        if of_number and not is_number(wanted):
            yield f"is {_article(kind_of(wanted))}; it has to be a number or conditions"
        return
    if not wanted:
        yield 'has no condition; to expect an empty object, write {"==": {}}'
    known = _COMPARED if of_number else tuple(OPERATORS)
    for operator, operand in wanted.items():
        if operator not in known:
            yield _unknown(operator, known)
        elif message := _number_fault(operand) if of_number else OPERATORS[operator].fault(operand):
            yield f"`{operator}` {message}"


def kind_of(value: Value) -> str:
    """The JSON type of a value; `integer` also for 1.0."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if is_number(value):
        return "integer" if isinstance(value, int) or value == value.to_integral_value() else "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def _ordered_fault(operand: Value) -> str:
    if is_number(operand) or isinstance(operand, str):
        return ""
    return f"needs a number or a text, not {_article(kind_of(operand))}"


def _number_fault(operand: Value) -> str:
    return "" if is_number(operand) else f"needs a number, not {_article(kind_of(operand))}"


def _list_fault(operand: Value) -> str:
    if not isinstance(operand, list):
        return f"needs a list of values, not {_article(kind_of(operand))}"
    return "" if operand else "has an empty list, so no value can be in it"


def _pattern_fault(operand: Value) -> str:
    if not isinstance(operand, str):
        return f"needs a regular expression, not {_article(kind_of(operand))}"
    message = pattern_fault(operand)
    return f"has a regular expression that cannot be read: {message}" if message else ""


def _type_fault(operand: Value) -> str:
    names = operand if isinstance(operand, list) else [operand]
    if not names:
        return "has an empty list, so no value has such a type"
    for name in names:
        if not isinstance(name, str) or name not in TYPES:
            near = difflib.get_close_matches(str(name)[:40], TYPES, n=1)
            return f"has no type {json_text(name)[:40]}; {f'did you mean {near[0]}?' if near else 'one of ' + ', '.join(TYPES)}"
    return ""


def _length_fault(operand: Value) -> str:
    if faults := list(condition_faults(operand, of_number=True)):
        return f"{faults[0]}"
    numbers = operand.items() if isinstance(operand, dict) else [("==", operand)]
    for operator, number in numbers:
        if operator in {"==", "<", "<="} and is_number(number) and (number < 0 or (operator == "<" and number == 0)):
            return "is never below 0"
        if operator == "==" and kind_of(number) != "integer":
            return "is a whole number"
    return ""


def _unknown(operator: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(operator[:40], known, n=1, cutoff=0.4)
    hint = f"did you mean `{near[0]}`?" if near else f"known are {' '.join(known)}"
    of_object = 'to expect an object, write {"==": {…}}' if "type" in known else None
    return clauses(f"has no condition `{operator[:40]}`", hint, of_object)


def _length_note(operator: str, value: Value) -> str:
    return f"its length is {len(value)}" if operator == "length" and isinstance(value, (str, list, dict)) else ""


def _article(kind: str) -> str:
    return {"null": "null"}.get(kind, f"an {kind}" if kind[0] in "aio" else f"a {kind}")


def _comparable(operand: Value, value: Value) -> bool:
    return (is_number(operand) and is_number(value)) or (isinstance(operand, str) and isinstance(value, str))


def _any(_operand: Value, _value: Value) -> bool:
    return True


def _is_text(_operand: Value, value: Value) -> bool:
    return isinstance(value, str)


def _has_length(_operand: Value, value: Value) -> bool:
    return isinstance(value, (str, list, dict))


def _typed(operand: Value, value: Value) -> bool:
    names = operand if isinstance(operand, list) else [operand]
    kind = kind_of(value)
    return kind in names or (kind == "integer" and "number" in names)


def _no_fault(_operand: Value) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Operator:
    """`holds(operand, value)` is asked where `applies(operand, value)`. `fault(operand)`: why no value can meet it, or empty."""

    holds: Callable[[Any, Any], bool]
    applies: Callable[[Value, Value], bool] = _any
    fault: Callable[[Value], str] = _no_fault


OPERATORS: Mapping[str, Operator] = MappingProxyType(
    {
        "==": Operator(same),
        "!=": Operator(lambda operand, value: not same(operand, value)),
        "<": Operator(lambda operand, value: value < operand, _comparable, _ordered_fault),
        "<=": Operator(lambda operand, value: value <= operand, _comparable, _ordered_fault),
        ">": Operator(lambda operand, value: value > operand, _comparable, _ordered_fault),
        ">=": Operator(lambda operand, value: value >= operand, _comparable, _ordered_fault),
        "in": Operator(lambda operand, value: any(same(one, value) for one in operand), fault=_list_fault),
        "matches": Operator(lambda operand, value: re.search(operand, value) is not None, _is_text, _pattern_fault),
        "type": Operator(_typed, fault=_type_fault),
        "length": Operator(lambda operand, value: not any(failed_conditions(operand, len(value))), _has_length, _length_fault),
    }
)
