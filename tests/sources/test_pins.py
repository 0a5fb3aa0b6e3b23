"""The pins in a source record, and when they are not usable."""

import json

import pytest

from algosync.core.address import Address
from algosync.core.resource import Json
from algosync.core.workflow import AlgorithmSpec, DataFile
from algosync.sources.data_files import DataFiles, data_files_of
from algosync.sources.manifest import FREEZE
from algosync.sources.pins import Pin, pins_from_json, pins_to_json

SPECS = (AlgorithmSpec("Iris", "python3", data_files=(DataFile("data://.my/models/iris.bin", "iris.bin"),)),)
IRIS, MD5 = Address("data", "Iris", "iris.bin"), "0123456789abcdef0123456789abcdef"
PINS = (Pin(FREEZE, "iris", IRIS, MD5), Pin(FREEZE, "again", IRIS, MD5, strict=False))
FILES = data_files_of(SPECS)
TEXT = json.dumps(pins_to_json(PINS, FILES.digest_for("Iris")))


def read(value: Json, files: DataFiles = FILES, algorithm: str = "Iris") -> tuple[Pin, ...] | None:
    return pins_from_json(value, files.digest_for(algorithm), files.named)


def test_a_note_gives_the_pins_back() -> None:
    assert read(json.loads(TEXT)) == PINS
    assert read(json.loads(json.dumps(pins_to_json((), FILES.digest_for("Iris"))))) == ()


@pytest.mark.parametrize("name", ["renamed.bin", "iris.bin"])
def test_a_note_is_void_where_a_data_file_goes_or_comes_from_elsewhere(name: str) -> None:
    source = "data://.my/models/iris.bin" if name == "renamed.bin" else "data://.my/other/iris.bin"
    other = AlgorithmSpec("Iris", "python3", data_files=(DataFile(source, name),))
    assert read(json.loads(TEXT), data_files_of((other,))) is None


def test_a_note_is_void_for_another_algorithm() -> None:
    assert read(json.loads(TEXT), algorithm="Other") is None


def test_a_note_of_an_older_version_is_void() -> None:
    assert read(json.loads(TEXT.replace(', "strict": true', ""))) is None


@pytest.mark.parametrize("hidden", ["iris.bin", "data", "0123", "0123456789abcdef0123456789abcdef"])
def test_a_note_is_void_where_a_secret_was_hidden_in_it(hidden: str) -> None:
    assert read(json.loads(TEXT.replace(hidden, "(sensitive)"))) is None


@pytest.mark.parametrize("note", [None, "", [], {}, {"pins": []}, {"pins": 1, "shipped": 2}])
def test_what_is_no_note_gives_nothing(note: Json) -> None:
    assert read(note) is None
