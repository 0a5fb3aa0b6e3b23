"""Documents that algosync writes, checked against the schemas of the package."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

__all__ = ["SCHEMAS", "check_document", "check_states", "problems", "schema_of"]

FOLDER = files("algosync") / "schemas"
SCHEMAS = sorted(file.name.removesuffix(".json") for file in FOLDER.iterdir())


@cache
def schema_of(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return schema


def problems(name: str, document: object) -> list[str]:
    """What is wrong with a document: a path and a message each."""
    return [f"{error.json_path}: {error.message}" for error in _validator(name).iter_errors(document)]


def check_document(name: str, document: object) -> None:
    """The document fits its schema. If a change adds a member to a document, add it to `algosync/schemas` as well."""
    assert problems(name, document) == []


def check_states(folder: Path) -> None:
    """Every state in a folder, and every document of test results, fits its schema."""
    for path in folder.glob("*~*.json"):
        check_document("state", json.loads(path.read_bytes()))
    for path in folder.glob("*~*.json.results"):
        check_document("test_results", json.loads(path.read_bytes()))


@cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(schema_of(name), format_checker=FormatChecker())
