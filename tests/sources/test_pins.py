"""The pins in a source record, and when they are not usable."""

import json

import pytest

from algosync.core.address import Address
from algosync.core.resource import Json
from algosync.core.workflow import AlgorithmSpec, DataFile
from algosync.sources.manifest import FREEZE
from algosync.sources.pins import Pin, pins_from_json, pins_to_json

SPECS = (AlgorithmSpec("Iris", "python3", data_files=(DataFile("data://.my/models/iris.bin", "iris.bin"),)),)
IRIS, MD5 = Address("data", "Iris", "iris.bin"), "0123456789abcdef0123456789abcdef"
PINS = (Pin(FREEZE, "iris", IRIS, MD5), Pin(FREEZE, "again", IRIS, MD5, strict=False))
TEXT = json.dumps(pins_to_json(PINS, SPECS))


def test_a_note_gives_the_pins_back() -> None:
    assert pins_from_json(json.loads(TEXT), SPECS) == PINS
    assert pins_from_json(json.loads(json.dumps(pins_to_json((), SPECS))), SPECS) == ()


@pytest.mark.parametrize("name", ["renamed.bin", "iris.bin"])
def test_a_note_is_void_where_a_data_file_goes_or_comes_from_elsewhere(name: str) -> None:
    source = "data://.my/models/iris.bin" if name == "renamed.bin" else "data://.my/other/iris.bin"
    other = AlgorithmSpec("Iris", "python3", data_files=(DataFile(source, name),))
    assert pins_from_json(json.loads(TEXT), (other,)) is None


def test_a_note_of_an_older_version_is_void() -> None:
    assert pins_from_json(json.loads(TEXT.replace(', "strict": true', "")), SPECS) is None


@pytest.mark.parametrize("hidden", ["iris.bin", "data", "0123", "0123456789abcdef0123456789abcdef"])
def test_a_note_is_void_where_a_secret_was_hidden_in_it(hidden: str) -> None:
    assert pins_from_json(json.loads(TEXT.replace(hidden, "(sensitive)")), SPECS) is None


@pytest.mark.parametrize("note", [None, "", [], {}, {"pins": []}, {"pins": 1, "shipped": 2}])
def test_what_is_no_note_gives_nothing(note: Json) -> None:
    assert pins_from_json(note, SPECS) is None
