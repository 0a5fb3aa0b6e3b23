"""Payloads at the source: URIs of the destination's data become those that the workflow took the files from."""

import json

import pytest

from algosync.core.address import Address
from algosync.sources.payload_uris import PayloadUris

MODEL, NAMED = Address("data", "One", "m.pb"), Address("data", "Two", "größe 1.txt")
URIS = PayloadUris({MODEL: "data://.my/models/v3.pb", NAMED: "data://ada/texts/größe.txt"}, "jane")


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("data://.my/One/m.pb", "data://.my/models/v3.pb"),
        ("data://jane/One/m.pb", "data://.my/models/v3.pb"),
        ({"deep": [{"of": "data://jane/One/m.pb"}], "n": 1}, {"deep": [{"of": "data://.my/models/v3.pb"}], "n": 1}),
        ("compare data://.my/One/m.pb, data://jane/One/m.pb.", "compare data://.my/models/v3.pb, data://.my/models/v3.pb."),
        ({"data://.my/One/m.pb": 1}, {"data://.my/models/v3.pb": 1}),
        ("data://.my/Two/größe 1.txt", "data://ada/texts/größe.txt"),
        ("data://.my/One/m.pb.bak", "data://.my/One/m.pb.bak"),
        ("data://.my/One/m.pb2", "data://.my/One/m.pb2"),
        ("data://other/One/m.pb", "data://other/One/m.pb"),
        ("data://.my/models/v3.pb", "data://.my/models/v3.pb"),
        (1.50, 1.50),
    ],
)
def test_the_uri_at_the_source(here: object, there: object) -> None:
    assert json.loads(URIS.at_source(json.dumps(here))) == there


def test_all_else_of_a_payload_stays_as_it_is() -> None:
    assert URIS.at_source('{"n":1.50,"big":12345678901234567890,"u":"data://.my/One/m.pb"}') == (
        '{"n":1.50,"big":12345678901234567890,"u":"data://.my/models/v3.pb"}'
    )


def test_of_two_names_the_longer_one_counts() -> None:
    uris = PayloadUris({Address("data", "One", name): f"data://.my/m/{name}2" for name in ("a", "a.b", "a.b.c")}, "jane")
    assert uris.at_source('["data://.my/One/a.b","data://.my/One/a","data://.my/One/a.b.c"]') == (
        '["data://.my/m/a.b2","data://.my/m/a2","data://.my/m/a.b.c2"]'
    )


def test_without_data_files_nothing_changes() -> None:
    assert PayloadUris({}, "jane").at_source('"data://.my/One/m.pb"') == '"data://.my/One/m.pb"'
