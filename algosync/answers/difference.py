"""Difference: one place at which two values differ; and places as JSONPaths."""

from __future__ import annotations

import json
import re
from enum import Enum
from typing import Final, Literal, TypeAlias

from algosync.answers.exact_json import Value
from algosync.core.lean import dataclass

__all__ = ["ABSENT", "Absent", "Place", "ValueDifference", "path_of"]

Place: TypeAlias = "tuple[str | int, ...]"
"""Names of members and indices of elements, from the top."""

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


class _Nothing(Enum):
    ABSENT = "absent"


ABSENT: Final = _Nothing.ABSENT
"""There is no value at this place. That is not null."""

Absent: TypeAlias = Literal[_Nothing.ABSENT]


@dataclass(frozen=True, slots=True)
class ValueDifference:
    """`place` is one in the answer."""

    place: Place
    expected: Value | Absent
    got: Value | Absent
    note: str = ""


def path_of(place: Place) -> str:
    """The place as a JSONPath, such as `$.boxes[3].label`."""
    return "$" + "".join(_step(part) for part in place)


def _step(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if _PLAIN_NAME.fullmatch(part) else f"[{json.dumps(part)}]"
