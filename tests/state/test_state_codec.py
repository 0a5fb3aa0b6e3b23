"""The text of a state file: deterministic, decoded as it was encoded, and refused if a single bit differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from state_samples import a_state, forged, sealed, states

from algosync.core.address import Address
from algosync.core.codec import decode_state, encode_state
from algosync.core.error import Corrupt
from algosync.core.resource import Json, Record
from algosync.core.state import State

GOLDEN = Path(__file__).with_name("golden_state_v2.json")
RECORD: dict[str, Json] = {"attributes": {}, "destination_stamp": None, "digest": "d", "size": None, "source_stamp": None}
GOLDEN_STATE = State(
    lineage="5f2b8a52-1a5e-4f59-9f0e-0d6f1a3c7b11",
    serial=12,
    records={
        Address("algorithm", "Hello"): Record(
            Address("algorithm", "Hello"),
            "6ae8a75555209fd6c44157c0aed8016e763ff435a19cf186f76863140143ff72",
            source_stamp=None,
            destination_stamp="97d170e1550eee4afc0af065b78cda302a97674c",
            attributes={"environment": "Python 3.9", "network": True, "tags": ["a", "b"]},
        ),
        Address("data", "Hello", 'a "β".pb'): Record(
            Address("data", "Hello", 'a "β".pb'),
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            source_stamp="1024 2026-01-01T00:00:00.000Z",
            destination_stamp="1024 2026-01-02T00:00:00.000Z",
            size=1024,
        ),
    },
)


@given(states)
def test_decoding_is_the_inverse_of_encoding(state: State) -> None:
    assert decode_state(encode_state(state)) == state


@given(states)
def test_equal_states_have_equal_texts(state: State) -> None:
    backwards = State(state.lineage, state.serial, dict(reversed(list(state.records.items()))), state.file)
    assert encode_state(backwards) == encode_state(state)


@pytest.mark.parametrize("version", [1, 2])
def test_released_formats_stay_readable(version: int) -> None:
    assert decode_state(GOLDEN.with_name(f"golden_state_v{version}.json").read_bytes()) == GOLDEN_STATE


def test_the_newest_format_stays_as_released() -> None:
    assert encode_state(GOLDEN_STATE) == GOLDEN.read_bytes()


def test_a_state_with_its_workflow_file_has_format_2() -> None:
    """An older version refuses it as newer, instead of as damaged."""
    data = encode_state(replace(GOLDEN_STATE, file="a/w.json"))
    assert data.startswith(b'{\n  "format_version": 2,\n')
    assert decode_state(data).file == "a/w.json"
    assert decode_state(GOLDEN.read_bytes()).file is None


def test_every_flipped_bit_is_refused() -> None:
    data = encode_state(a_state(2))
    assert 1800 < len(data) < 3000
    accepted = []
    for bit in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            decode_state(bytes(flipped))
        except Corrupt:
            continue
        accepted.append(bit)
    assert accepted == []


def test_every_cut_and_every_addition_is_refused() -> None:
    data = encode_state(a_state(2))
    for damaged in (*(data[:length] for length in range(len(data))), data + b"\n", b"\n" + data, data + data):
        with pytest.raises(Corrupt):
            decode_state(damaged)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (forged(format_version=3), "was written by a newer algosync: format 3, this one reads 2"),
        (b'{"format_version": 7, "new": "layout"}', "was written by a newer algosync: format 7, this one reads 2"),
        (forged(format_version=0), "is damaged: there never was a format 0"),
        (forged(format_version=True), "is damaged: it has no format_version"),
        (b"[]", "is damaged: it has no format_version"),
        (forged(protected=[]), "is damaged: the state has an unknown field 'protected'"),
        (forged(serial=-1), "is damaged: serial is not a count"),
        (forged(serial=True), "is damaged: serial is not a count"),
        (forged(serial=1.0), "is damaged: serial is not a count"),
        (forged(lineage=None), "is damaged: lineage is not a text"),
        (forged(records=[]), "is damaged: records is not an object"),
        (forged(records={"algorithm.Hello": []}), "is damaged: algorithm.Hello is not an object"),
        (
            forged(records={"algorithm.Hello": {**RECORD, "size": "1"}}),
            "is damaged: size of algorithm.Hello is not a count",
        ),
        (
            forged(records={"algorithm.Hello": {**RECORD, "attributes": []}}),
            "is damaged: the attributes of algorithm.Hello are not an object",
        ),
        (forged(records={"algorithm.Hello": {"digest": "d"}}), "is damaged: algorithm.Hello lacks 'attributes'"),
        (forged(records={"Cluster.Hello": RECORD}), "is damaged: not an address: 'Cluster.Hello'"),
        (
            forged(records={r'data.Hello["\u0041"]': RECORD}),
            """is damaged: 'data.Hello["\\\\u0041"]' is not how data.Hello["A"] is written""",
        ),
        (sealed('{"format_version": 1, "serial": 1, "serial": 2'), "is damaged: not JSON ('serial' is there twice)"),
        (sealed('{"format_version": 1, "serial": NaN'), "is damaged: not JSON (NaN is not a finite number)"),
        (sealed('{"format_version": 1, "serial": 1e999'), "is damaged: not JSON (1e999 is not a finite number)"),
    ],
)
def test_a_forged_state_is_refused_and_says_why(data: bytes, message: str) -> None:
    with pytest.raises(Corrupt) as caught:
        decode_state(data)
    assert caught.value.message == message


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000,
        b'{"format_version": 1, "serial": ' + b"9" * 5000 + b"}",
        b"\xff\xfe{}",
        b"PK\x03\x04",
        b"",
        b"null",
        forged(records={"algorithm.Hello": {**RECORD, "attributes": {"a": "\ud800"}}, "x": "\udfff"}),
    ],
)
def test_anything_else_is_refused_without_a_traceback(data: bytes) -> None:
    with pytest.raises(Corrupt):
        decode_state(data)


def test_an_attribute_that_is_not_json_is_refused() -> None:
    hello = Address("algorithm", "Hello")
    for value in (b"bytes", {1, 2}, float("nan")):
        attributes: Mapping[str, Json] = {"value": value}  # type: ignore[dict-item]  # the type forbids these values
        record = Record(hello, "d", None, None, attributes=attributes)
        with pytest.raises((TypeError, ValueError)):
            encode_state(State("L", 1, {hello: record}))
