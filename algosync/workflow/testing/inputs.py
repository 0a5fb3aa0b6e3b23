"""Inputs: reads the files that tests name. What is wrong with one is a fault with its place in that file."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.core.lean import dataclass
from algosync.core.testing.expectation import ExpectationCheck, nothing_wrong
from algosync.workflow.fault import Faults, Location, UnreadableError, quote
from algosync.workflow.file import decoded
from algosync.workflow.leak import check_nodes, check_text
from algosync.workflow.node import MAX_SIZE
from algosync.workflow.parsing.json_reader import read_json
from algosync.workflow.payload import MAX_PAYLOAD, json_text, payload_text
from algosync.workflow.section import nearest
from algosync.workflow.uri import path_fault

if TYPE_CHECKING:
    from algosync.workflow.node import Node, Scalar
    from algosync.workflow.section import Section
    from algosync.workflow.testing.named_files import NamedFiles

__all__ = ["TestInputs", "read_baseline_file", "read_path", "read_payload_file", "read_schema_file", "report_unreadable"]


@dataclass(frozen=True, slots=True)
class TestInputs:
    """What reading tests needs besides the document. `check`: of expectations. `keys`: API keys that no file may hold."""

    __test__ = False  # without this pytest would collect the class

    files: NamedFiles
    check: ExpectationCheck = nothing_wrong
    keys: tuple[str, ...] = ()


def read_path(section: Section, key: str) -> Scalar | None:
    """Return the path of a key. None: there is none, or it is invalid, which is reported."""
    node = section.text(key)
    if node and (wrong := path_fault(node.text)):
        section.report(key, "invalid-name", f"{quote(node.text)}: {wrong}")
        return None
    return node


def read_payload_file(section: Section, key: str, inputs: TestInputs, algorithm: str) -> str | None:
    """Return the JSON text of a payload with `<algo>` replaced. None: there is no such key, or a fault was reported."""
    content = _content(section, key, inputs, MAX_PAYLOAD)
    if content is None:
        return None
    root = _json(content, section.faults, inputs, "a payload file is JSON: a text needs double quotes")
    text = payload_text(root, algorithm) if root else None
    if root and text is None:
        _report_size(section, key, MAX_PAYLOAD)
    return text


def read_schema_file(section: Section, key: str, inputs: TestInputs) -> str | None:
    """Return the JSON text of a schema. None: there is no such key, or a fault was reported."""
    content = _content(section, key, inputs, MAX_SIZE)
    root = _json(content, section.faults, inputs, "a schema file is JSON") if content else None
    return json_text(root) if root else None


def read_baseline_file(section: Section, key: str, inputs: TestInputs) -> str | None:
    """Return the text of a baseline. None: there is no such key, no such file yet, or a fault was reported."""
    content = _content(section, key, inputs, MAX_SIZE, required=False)
    if content is None:
        return None
    found = Faults()
    text = None
    with suppress(UnreadableError):
        text, _ = _text(content, found, inputs)
    section.faults.include(found, content.path)
    return text


@dataclass(frozen=True, slots=True)
class _FileContent:
    path: str
    data: bytes


def _content(section: Section, key: str, inputs: TestInputs, limit: int, *, required: bool = True) -> _FileContent | None:
    place = read_path(section, key)
    if place is None:
        return None
    try:
        data = inputs.files.content(place.text, limit)
    except (OSError, ValueError) as error:
        if required or not isinstance(error, FileNotFoundError):
            report_unreadable(section, key, inputs.files, error)
        return None
    if len(data) > limit:
        _report_size(section, key, limit)
        return None
    return _FileContent(place.text, data)


def _report_size(section: Section, key: str, limit: int) -> None:
    code = "payload-too-large" if limit == MAX_PAYLOAD else "too-large"
    section.report(key, code, f"the file is larger than {limit // 1024**2} MiB")


def report_unreadable(section: Section, key: str, files: NamedFiles, error: Exception) -> None:
    """Report a file that is missing, with the nearest name, or cannot be read."""
    path = getattr(section.find(key), "text", "")
    if not isinstance(error, FileNotFoundError):
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not a file"
        section.report(key, "unreadable-file", f"{quote(path)} cannot be read: {reason}")
        return
    wanted = Path(files.folder, path)
    hint = nearest(wanted.name, _names(wanted.parent)) or "paths are relative to the workflow file"
    section.report(key, "missing-file", f"{quote(path)} does not exist", hint)


def _names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError:
        return []


def _json(content: _FileContent, faults: Faults, inputs: TestInputs, hint: str) -> Node | None:
    """Return the value of a JSON file. None: a fault was reported."""
    found = Faults()
    root = None
    with suppress(UnreadableError):
        text, leaked = _text(content, found, inputs)
        if not text.strip():
            found.stop(Location(1, 1), "empty", "the file has no content", hint)
        root = read_json(text, found)
        check_nodes(root, [key for key in inputs.keys if key not in leaked], found)
    faults.include(found, content.path)
    return None if found.found else root


def _text(content: _FileContent, faults: Faults, inputs: TestInputs) -> tuple[str, frozenset[str]]:
    """Return the text and the keys that are in it. Raises UnreadableError if the content is not UTF-8."""
    text = decoded(content.data, faults)
    return text, check_text(text, inputs.keys, faults)
