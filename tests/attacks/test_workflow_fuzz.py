"""50,000 workflow texts: each loads as a valid workflow or reports faults, never anything else, and never slowly."""

from __future__ import annotations

import json
import os
import random
import re
import resource
import unicodedata
from pathlib import Path
from typing import Any, get_args

import pytest
from fuzzing import bounded, runs, seed
from workflow_mutations import BROKEN, KEY, document_text, mutated, with_pieces

from algosync import workflow
from algosync.core.error import WorkflowError
from algosync.core.secret import Secret
from algosync.core.workflow import AlgorithmSpec, License, Workflow
from algosync.workflow.fault import Faults, UnreadableError
from algosync.workflow.parsing.yaml_reader import read_yaml
from algosync.workflow.payload import payload_text

CHUNKS, TEMPLATE_CHUNKS = 10, 2
TEXTS, TEMPLATES = 49_800, 200
MEMORY = 150 * 1024  # KiB that the peak of this process may grow by; one text needs a few MiB


def check_workflow(loaded: Workflow) -> None:
    """Check the promises of `core.workflow`, independently of the loader."""
    names = [spec.name for spec in loaded.algorithms]
    assert names
    assert len({name.lower() for name in names}) == len(names)
    for spec in loaded.algorithms:
        check_algorithm(spec, names)
    done: set[str] = set()
    while ready := {spec.name for spec in loaded.algorithms if spec.name not in done and set(spec.depends_on) <= done}:
        done |= ready
    assert done == set(names)
    assert loaded.entrypoint in (names if loaded.tests else [*names, None])
    assert len({case.name for case in loaded.tests}) == len(loaded.tests)
    for case in loaded.tests:
        assert case.name.strip()
        assert 1 <= case.timeout <= 3000
        check_payload(case.payload)
    assert loaded.owner is None or re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}", loaded.owner)
    assert loaded.source_address is None or re.match(r"https?://[^/@]+(/|$)|file://.|local(:|$)", loaded.source_address)
    assert type(loaded.run_only) is bool
    assert Path(loaded.folder).is_absolute()
    assert KEY not in repr(loaded)
    repr(loaded).encode()


def check_algorithm(spec: AlgorithmSpec, names: list[str]) -> None:
    assert re.fullmatch(r"[A-Za-z]\w{0,254}", spec.name, re.ASCII)
    assert spec.language.strip()
    assert spec.details.label.strip()
    assert spec.code is None or spec.code.startswith(("data://", "file://"))
    files = [unicodedata.normalize("NFC", file.name).lower() for file in spec.data_files]
    assert len(set(files)) == len(files)
    for file in spec.data_files:
        assert file.name not in {"", ".", ".."}
        assert not set(file.name) & set("/\\\n\r\t\x00\x1b\x7f\u202e")
        assert file.source.startswith("data://")
        assert file.source.count("/") == 4
    assert spec.settings.license in get_args(License)
    assert spec.settings.source_visibility in {"open", "closed"}
    assert spec.settings.source_visibility == "open" or spec.settings.license == "apl"
    assert spec.settings.network_access in {"full", "isolated"}
    assert type(spec.settings.pipeline_enabled) is bool
    assert spec.publish.version_type in {"major", "minor", "revision"}
    assert spec.publish.callability in {"private", "public"}
    assert set(spec.depends_on) <= set(names)
    if spec.test_payload is not None:
        check_payload(spec.test_payload)


def check_payload(text: str) -> None:
    assert text.isascii()
    assert len(text) <= 10 * 1024**2

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs)
        assert not [value for _, value in pairs if isinstance(value, str) and "<algo>" in value]
        return dict(pairs)

    def refuse(word: str) -> Any:
        raise AssertionError(word)

    value = json.loads(text, parse_int=len, parse_float=len, parse_constant=refuse, object_pairs_hook=unique)
    json.dumps(value, ensure_ascii=False).encode()  # no half of a surrogate pair


def check_faults(error: WorkflowError) -> None:
    assert error.faults
    places = [(fault.line, fault.column) for fault in error.faults]
    assert places == sorted(places)
    assert min(min(place) for place in places) >= 1
    assert {fault.code for fault in error.faults} <= set(workflow.CODES)
    assert all(fault.message.isprintable() for fault in error.faults)
    assert KEY not in repr(error.faults)


def load(path: Path, data: bytes) -> bool:
    """Whether the file is valid. Any exception other than WorkflowError fails the test."""
    try:
        with bounded(data, 40_000_000):
            loaded = workflow.load(path, {}, [Secret(KEY)])
    except WorkflowError as error:
        check_faults(error)
        return False
    check_workflow(loaded)
    return True


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_texts_load_or_report_faults(tmp_path: Path, chunk: int) -> None:
    chance = random.Random(f"{seed()} {chunk}")
    paths = {suffix: tmp_path / f"w{suffix}" for suffix in (".json", ".yaml")}
    files = {suffix: os.open(path, os.O_RDWR | os.O_CREAT) for suffix, path in paths.items()}
    before, right, count = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, 0, runs(TEXTS // CHUNKS)
    for _ in range(count):
        suffix = chance.choice([".json", ".yaml"])
        data = mutated(chance, suffix)
        os.pwrite(files[suffix], data, 0)
        os.ftruncate(files[suffix], len(data))
        right += load(paths[suffix], data)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEMORY
    assert count < 100 or count * 0.05 < right < count * 0.5
    for file in files.values():
        os.close(file)


SEEDS = [path for path in sorted(BROKEN.glob("*.j2")) if not path.name.startswith(("expensive", "many", "large"))]


@pytest.mark.parametrize("chunk", range(TEMPLATE_CHUNKS))
def test_templates_load_or_report_faults(tmp_path: Path, chunk: int) -> None:
    chance = random.Random(f"{seed()} template {chunk}")
    for _ in range(runs(TEMPLATES // TEMPLATE_CHUNKS)):
        if chance.random() < 0.3:
            name, text = "w.yaml.j2", document_text(chance).replace("<algo>", "{{ [1, 'a'] | tojson }}")
        else:
            origin = chance.choice(SEEDS)
            name, text = f"w{''.join(origin.suffixes)}", with_pieces(chance, origin.read_text())
        data = text.encode("utf-8", "replace")
        (tmp_path / name).write_bytes(data)
        load(tmp_path / name, data)


@pytest.mark.parametrize("chunk", range(2))
def test_both_yaml_parsers_read_a_mutated_text_in_the_same_way(chunk: int) -> None:
    """If both parsers accept a text, values and faults are the same. Syntax errors and locations of empty values may differ."""
    chance = random.Random(f"{seed()} parsers {chunk}")
    count, compared = runs(200), 0
    for _ in range(count):
        text = mutated(chance, ".yaml").decode("utf-8", "replace")
        both = []
        for pure in (False, True):
            faults = Faults()
            try:
                value = payload_text(read_yaml(text, faults, pure=pure), "")
                both.append((value, [fault.code for fault in faults.found]))
            except UnreadableError:
                break
        if len(both) == 2:
            compared += 1
            assert both[0] == both[1]
    assert compared > count * 0.1
