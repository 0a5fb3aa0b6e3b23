"""The schema of the workflow file says what the loader says: the same keys, types and words, in every place."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from documents import check_document, problems, schema_of

from algosync import workflow
from algosync.core.error import WorkflowError

WORKFLOWS = Path(__file__).parents[2] / "workflows"
ALTERNATIVES = ("payload_file", "cases")  # in the place of `payload`
ANY_VALUES = ("payload", "test_payload", "default", "equals", "contains", "match", "schema", "size", "positive")
FILES = {
    "tests/ada.json": '"Ada"',
    "tests/cases.jsonl": '{"payload": "Ada"}',
    "tests/labelled.csv": "payload,label,region\n1,setosa,north\n",
    "tests/answer.schema.json": '{"type": "string"}',
}
SYNONYMS = {"environment_name": "language", "environment": "language", "code": "code_path"}
STRUCTURAL = {
    *("type", "unknown-key", "missing-key", "empty", "not-one-of", "two-spellings", "two-inputs"),
    *("timeout", "out-of-range", "closed-license"),
}
ANCHORS = "^x-"
Place = tuple[str | int, ...]


def resolved(schema: Any) -> Any:
    """A schema with its definitions in the place of the references to them."""
    if isinstance(schema, list):
        return [resolved(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    name = schema.get("$ref", "").removeprefix("#/$defs/")
    return {key: resolved(each) for key, each in ((schema_of("workflow")["$defs"][name] if name else {}) | schema).items()}


def full(schema: dict[str, Any]) -> Any:
    """A document with every key of a schema, by its examples. Of synonyms and alternatives it has the first."""
    if "properties" in schema or "patternProperties" in schema:
        properties = {**schema.get("properties", {}), **named(schema)}
        left_out = (*SYNONYMS, *(ALTERNATIVES if "payload" in properties else ()))
        return {key: full(each) for key, each in properties.items() if key not in left_out}
    if "properties" in schema.get("items", {}):
        return [full(schema["items"])]
    return schema["examples"][0]


def named(schema: dict[str, Any]) -> dict[str, Any]:
    """A key that people name: of a variable."""
    patterns = [each for pattern, each in schema.get("patternProperties", {}).items() if pattern != ANCHORS]
    return {"cluster": patterns[0]} if patterns else {}


def objects(schema: dict[str, Any], place: Place = ()) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Every place of the full document that is a map with known keys, and its schema."""
    if "properties" in schema:
        yield place, schema
    for key, each in {**schema.get("properties", {}), **named(schema)}.items():
        yield from objects(each, (*place, key))
    if "properties" in schema.get("items", {}):
        yield from objects(schema["items"], (*place, 0))


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    if place:
        yield place
    if place and place[-1] in ANY_VALUES:
        return  # any JSON value
    for key, each in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(each, (*place, key))


def at(document: Any, place: Place) -> Any:
    for key in place:
        document = document[key]
    return document


def replaced(place: Place, value: object) -> Any:
    """The full document with another value at one place."""
    document = copy.deepcopy(FULL)
    at(document, place[:-1])[place[-1]] = value
    return document


def without(place: Place) -> Any:
    document = copy.deepcopy(FULL)
    del at(document, place[:-1])[place[-1]]
    return document


def faults(document: object, folder: Path) -> list[tuple[str, str, str]]:
    """Path, code and hint of every fault that the loader reports in the workflow file."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    path = folder / "workflow.json"
    path.write_text(json.dumps(document))
    try:
        workflow.load(path, {})
    except WorkflowError as error:
        return [(fault.path, fault.code, fault.hint or "") for fault in error.faults if not fault.file]
    return []


SCHEMA = resolved(schema_of("workflow"))
FULL = full(SCHEMA)
FULL["test_info"]["tests"][0]["name"] = "unique"  # among the tests of the entrypoint
OBJECTS = list(objects(SCHEMA))
OTHERS: tuple[object, ...] = (None, True, 3, "zz", " ", [], {}, ["zz"], {"zz": 1})


def test_a_document_with_every_key_is_valid_for_both(tmp_path: Path) -> None:
    check_document("workflow", FULL)
    assert faults(FULL, tmp_path) == []


@pytest.mark.parametrize(("place", "schema"), OBJECTS, ids=[".".join(map(str, place)) or "document" for place, _ in OBJECTS])
def test_the_keys_of_the_schema_are_those_of_the_loader(place: Place, schema: dict[str, Any], tmp_path: Path) -> None:
    """A key that was added on one side only fails here: add it to `algosync/schemas/workflow.json`, or to the loader."""
    document = replaced((*place, "qqqqqq"), 1)
    ((_, code, hint),) = faults(document, tmp_path)
    assert code == "unknown-key"
    assert set(hint.removeprefix("known keys: ").split(", ")) == set(schema["properties"])
    assert len(problems("workflow", document)) == 1
    if place[:1] != ("variables",):
        anchor = replaced((*place, "x-defaults"), {"any": ["thing"]})
        assert (problems("workflow", anchor), faults(anchor, tmp_path)) == ([], [])


@pytest.mark.parametrize(("synonym", "key"), SYNONYMS.items())
def test_synonyms_replace_each_other(synonym: str, key: str, tmp_path: Path) -> None:
    place = ("algorithms", 0, key)
    document = without(place)
    document["algorithms"][0][synonym] = at(FULL, place)
    assert (problems("workflow", document), faults(document, tmp_path)) == ([], [])
    both = replaced(("algorithms", 0, synonym), at(FULL, place))
    assert [code for _, code, _ in faults(both, tmp_path)] == ["two-spellings"]
    assert problems("workflow", both) != []


def test_what_one_refuses_in_form_the_other_refuses(tmp_path: Path) -> None:
    """Every value of the full document is left out, and replaced by values of every type."""
    changed = [("left out", place, without(place)) for place in places(FULL) if isinstance(place[-1], str)]
    changed += [(json.dumps(other), place, replaced(place, other)) for place in places(FULL) for other in OTHERS]
    assert len(changed) > 400
    for what, place, document in changed:
        found = {code for _, code, _ in faults(document, tmp_path)}
        refused = problems("workflow", document)
        assert found or not refused, (what, place, refused)
        assert refused or not found & STRUCTURAL, (what, place, found)


def test_every_key_is_described_and_its_examples_fit() -> None:
    for place, schema in OBJECTS:
        for key, each in schema["properties"].items():
            assert each.get("description", "").endswith("."), (place, key)
            for example in each.get("examples", ()):
                document = replaced((*place, key), example)
                synonym = "payload" if key in ALTERNATIVES and "payload" in schema["properties"] else SYNONYMS.get(key)
                if synonym:
                    del at(document, place)[synonym]
                check_document("workflow", document)


EXAMPLES = ("hello_world.yaml", "image_parallel_pipelining.json", "model_release.yaml.j2", "swapped_labels.yaml.j2")


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_are_valid(name: str) -> None:
    path = WORKFLOWS / name
    check_document("workflow", yaml.safe_load(workflow.render(path, {})))
    for line in path.read_text().splitlines():
        if match := re.match(r"# yaml-language-server: \$schema=(.*)", line):
            assert json.loads((WORKFLOWS / match[1]).read_text())["title"] == "Workflow"


class WithoutDates(yaml.SafeLoader):
    """YAML 1.2 has no dates: `2027-01-31` is a text."""


WithoutDates.add_constructor("tag:yaml.org,2002:timestamp", yaml.SafeLoader.construct_yaml_str)


def test_the_documented_workflows_are_valid(tmp_path: Path) -> None:
    blocks = re.findall(r"^( *)```yaml\n(.*?)^\1```", (WORKFLOWS / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    names = ("plain.yaml", "template.yaml.j2", "tests.yaml", "gates.yaml")
    for (indent, text), name in zip(blocks, names, strict=True):
        path = tmp_path / name
        path.write_text(re.sub(rf"^{indent}", "", text, flags=re.MULTILINE))
        check_document("workflow", yaml.load(workflow.render(path, {"token": "token"}), Loader=WithoutDates))
