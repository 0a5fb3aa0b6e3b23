"""Runs in the environment of the client library: evaluates one expression a line, and answers each with one line of JSON."""

from __future__ import annotations

import inspect
import json
import os
import sys

import Algorithmia
import Algorithmia.acl
import Algorithmia.algorithm


def shown(value: object) -> object:
    """Values that JSON cannot represent: bytes as Latin-1, files and folders as their paths, objects as their attributes."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if inspect.isgenerator(value):
        return list(value)
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if hasattr(value, "path"):
        return value.path
    if hasattr(value, "full_metadata"):
        return value.full_metadata
    return vars(value) if hasattr(value, "__dict__") else str(value)


def answered(expression: str, names: dict[str, object]) -> str:
    """The value of an expression as JSON, or the exception that it raised."""
    try:
        return json.dumps({"value": eval(expression, dict(names))}, default=shown)
    except BaseException as error:  # noqa: BLE001 - every exception of a client is a result
        return json.dumps({"error": type(error).__name__, "message": str(error)})


def main() -> None:
    address, key = sys.argv[1:]
    # The library may print, and its output must not mix with the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    names = {
        "client": Algorithmia.client(key, address),
        "Algorithmia": Algorithmia,
        "ReadAcl": Algorithmia.acl.ReadAcl,
        "OutputType": Algorithmia.algorithm.OutputType,
    }
    for line in sys.stdin:
        answers.write(answered(json.loads(line), names) + "\n")
        answers.flush()


main()
