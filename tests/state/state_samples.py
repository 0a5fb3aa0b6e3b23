"""Samples and strategies for the tests of the state: addresses, records, states and entries."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from hypothesis import strategies as st

from algosync.core.address import Address
from algosync.core.resource import Json, Record
from algosync.core.state import State
from algosync.state.entry import Entry, Forget, Intent, Result

HELLO = Address("algorithm", "Hello")
WEIGHTS = Address("data", "Hello", "weights «β».pb")
NAME = "hello@local~me.json"

texts = st.text(max_size=20)
addresses = st.builds(
    Address,
    st.sampled_from(("algorithm", "data", "source", "version", "test")),
    st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,5}", fullmatch=True),
    st.none() | texts,
)
values: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
records = st.builds(
    Record,
    addresses,
    digest=texts,
    source_stamp=st.none() | texts,
    destination_stamp=st.none() | texts,
    size=st.none() | st.integers(0, 10**12),
    attributes=st.dictionaries(texts, values, max_size=3),
    private=st.dictionaries(texts, values, max_size=2),
)
states = st.builds(
    State,
    texts,
    st.integers(0, 10**9),
    st.lists(records, max_size=6).map(lambda found: {record.address: record for record in found}),
    st.none() | texts,
)
entries: st.SearchStrategy[Entry] = st.one_of(
    st.builds(Intent, addresses, texts), st.builds(Result, records), st.builds(Forget, addresses)
)


def a_record(address: Address = HELLO, number: int = 0, **attributes: Json) -> Record:
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    return Record(address, digest, f"source {number}", f"destination {number}", size=number, attributes=attributes)


def a_state(size: int) -> State:
    """A state of about `size` kB."""
    found = [a_record(Address("data", "Hello", f"file {n}"), n, collection="QAWorkflow", note="ä" * 10) for n in range(size * 4)]
    return State("0b0e5c0a-8a9b-4a39-9b5f-4e3c9f6d1a11", 41, {record.address: record for record in found})


def sealed(body: str) -> bytes:
    """A state file with a valid seal. `body`: everything before the seal."""
    digest = hashlib.sha256(body.encode()).hexdigest()
    return f'{body},\n  "sha256": "{digest}"\n}}\n'.encode()


def forged(**fields: Json) -> bytes:
    """A state file with a valid seal, with some fields replaced or added."""
    document = {"format_version": 1, "lineage": "L", "serial": 1, "records": {}, **fields}
    return sealed(json.dumps(document)[:-1])


def tree(folder: Path) -> dict[str, bytes]:
    """All files below a folder with their content, without `.gitignore`."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ".gitignore")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
