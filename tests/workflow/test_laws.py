"""Laws: a document gives the same workflow in every spelling, and numbers keep all their digits."""

from __future__ import annotations

import json
import tempfile
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from algosync import workflow
from algosync.core.workflow import Workflow
from algosync.workflow.dependency import cycles
from algosync.workflow.fault import Faults
from algosync.workflow.parsing.json_reader import read_json
from algosync.workflow.parsing.yaml_reader import most_values, read_yaml
from algosync.workflow.payload import payload_text


class Number(str):
    """The text of a JSON number, unchanged by both writers."""


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBERS = st.from_regex(
    r"-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,24})?([eE][-+]?[0-9]{1,3})?",
    fullmatch=True,
    alphabet=st.characters(codec="ascii"),
).map(Number)
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        TEXTS,
        NUMBERS,
        st.sampled_from(["no", "<algo>", "x<algo>", "1:20", "~", "<<", "014", "null"]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS | st.just("<<"), inner, max_size=4)),
    max_leaves=12,
)
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True, alphabet=st.characters(codec="ascii"))


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique_by=str.casefold))
    files = st.lists(NAMES, max_size=3, unique_by=str.casefold).map(lambda files: [f"data://.my/models/{file}" for file in files])
    algorithms = [
        {
            "name": name,
            "language": draw(st.sampled_from(["python3", "Python 3.7 + TensorFlow GPU 2.3", "no"])),
            "data_files": draw(files),
            "test_payload": draw(VALUES),
            "details": {"summary": draw(TEXTS)},
            "settings": {"pipeline_enabled": draw(st.booleans())},
            "depends_on": draw(st.lists(st.sampled_from(names[:index]), max_size=2)) if index else [],
        }
        for index, name in enumerate(names)
    ]
    tests = [{"name": "t", "payload": draw(VALUES), "timeout": Number(draw(st.integers(1, 3000)))}]
    return {"algorithms": algorithms, "test_info": {"entrypoint": draw(st.sampled_from(names)), "tests": tests}}


def as_json(value: Any) -> str:
    match value:
        case Number():
            return str.__str__(value)
        case dict():
            return "{" + ",\n".join(f"{json.dumps(key)}: {as_json(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(as_json, value)) + "]"
        case _:
            return json.dumps(value)


def quoted(text: str) -> str:
    """Return a double-quoted YAML scalar. JSON's escapes cannot be used: they split characters beyond the basic plane into
    surrogates.
    """
    plain = (c if c.isalnum() or c in " .,:<>~#&*-" else f"\\U{ord(c):08x}" for c in text)
    return '"' + "".join(plain) + '"'


def as_yaml(value: Any, indent: str = "") -> str:
    """Block style. Leaves are written as JSON, which is valid YAML."""
    match value:
        case dict() if value:
            return "".join(f"\n{indent}{quoted(key)}: {as_yaml(item, indent + '  ')}" for key, item in value.items())
        case list() if value:
            return "".join(f"\n{indent}- {as_yaml(item, indent + '  ')}" for item in value)
        case str() if not isinstance(value, Number):
            return quoted(value)
        case _:
            return as_json(value)


def load(name: str, text: str) -> Workflow:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text(text, encoding="utf-8", newline="")
        return replace(workflow.load(path, {}), folder="")


def sent(value: Any, algorithm: str) -> Any:
    """The payload as Python values with placeholders replaced; numbers as their text."""
    match value:
        case Number():
            return ("number", str.__str__(value))
        case str():
            return value.replace("<algo>", algorithm)
        case dict():
            return {key: sent(item, algorithm) for key, item in value.items()}
        case list():
            return [sent(item, algorithm) for item in value]
        case _:
            return value


def parsed(text: str | None) -> Any:
    assert text is not None
    assert text.isascii()
    return json.loads(text, parse_int=lambda number: ("number", number), parse_float=lambda number: ("number", number))


@given(documents())
@settings(max_examples=150, deadline=None)
def test_json_and_yaml_of_a_document_load_equal(document: dict[str, Any]) -> None:
    one = load("w.json", as_json(document))
    assert load("w.yaml", as_yaml(document)) == one
    for spec, entry in zip(one.algorithms, document["algorithms"], strict=True):
        assert parsed(spec.test_payload) == sent(entry["test_payload"], entry["name"])
    info = document["test_info"]
    assert parsed(one.tests[0].payload) == sent(info["tests"][0]["payload"], info["entrypoint"])


@given(documents())
@settings(max_examples=5, deadline=None)
def test_a_template_of_a_document_loads_equal(document: dict[str, Any]) -> None:
    raw = "{% raw %}" + as_json(document) + "{% endraw %}"
    assert load("w.json.j2", raw) == load("w.json", as_json(document))


@given(VALUES)
@settings(max_examples=150, deadline=None)
def test_a_payload_that_is_read_and_written_is_unchanged(value: Any) -> None:
    faults = Faults()
    text = payload_text(read_json(as_json(value), faults), "A")
    assert text is not None
    assert payload_text(read_json(text, faults), "A") == text
    assert not faults.found


PLAIN = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text("ab", min_size=1, max_size=3)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(PLAIN, st.sampled_from([True, False, None]), st.booleans())
@settings(max_examples=150, deadline=None)
def test_the_output_of_pyyaml_is_read_correctly(value: Any, flow: bool | None, pure: bool) -> None:
    text = yaml.safe_dump([value, value], default_flow_style=flow, sort_keys=False)  # the second value becomes an alias
    faults = Faults()
    written = payload_text(read_yaml(text, faults, pure=pure), "")
    assert written == json.dumps([value, value], separators=(",", ":"))
    assert not faults.found


@given(st.text(alphabet="a:?{},-[]!&*|'\"# \n", max_size=60))
@settings(max_examples=500)
def test_the_upper_limit_of_values_is_none_too_low(text: str) -> None:
    values = 0
    with suppress(yaml.YAMLError):
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            values += isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent))
    assert values <= most_values(text)


@given(st.lists(st.lists(st.integers(0, 9), max_size=3), min_size=1, max_size=10))
def test_cycles_are_found_exactly_if_no_order_exists(edges: list[list[int]]) -> None:
    needs = {str(node): [str(other) for other in others if other < len(edges)] for node, others in enumerate(edges)}
    found = list(cycles(needs))
    for cycle in found:
        assert cycle[0] == cycle[-1]
        assert all(following in needs[name] for name, following in pairwise(cycle))
    ordered: set[str] = set()
    while ready := {name for name, others in needs.items() if name not in ordered and set(others) <= ordered}:
        ordered |= ready
    assert bool(found) == (len(ordered) < len(needs))


class Counted(dict[str, list[str]]):
    """Dependencies that may be read a limited number of times."""

    asked = 0

    def get(self, key: str, default: Any = None) -> Any:
        self.asked += 1
        assert self.asked <= len(self)
        return super().get(key, default)


def test_finding_cycles_is_linear() -> None:
    ladder = Counted({f"{side}{level}": [f"a{level + 1}", f"b{level + 1}"] for level in range(50) for side in "ab"})
    assert list(cycles(ladder)) == []
