"""Read one entry of `algorithms` into an AlgorithmSpec."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Literal

from algosync.core.environment import SHORTHANDS
from algosync.core.lean import dataclass
from algosync.core.workflow import AlgorithmSpec, DataFile, Details, Publish, Settings
from algosync.workflow.fault import quote
from algosync.workflow.keys.compare import read_compare
from algosync.workflow.keys.ignore import read_ignore
from algosync.workflow.local_files import default_code
from algosync.workflow.node import MapNode
from algosync.workflow.section import Section, nearest, text_of
from algosync.workflow.testing.reader import TestReader
from algosync.workflow.uri import algorithm_name_fault, code_fault, data_uri_fault, file_name_fault

if TYPE_CHECKING:
    from algosync.core.workflow import License, PublishReason, Readers
    from algosync.workflow.fault import Faults
    from algosync.workflow.node import Node, Scalar
    from algosync.workflow.testing.inputs import TestInputs

__all__ = ["ALGORITHM_KEYS", "AlgorithmEntry", "read_algorithm"]

_SETTINGS_KEYS = ("source_visibility", "license", "network_access", "pipeline_enabled")
_PUBLISH_KEYS = ("version_type", "callability", "release_notes", "on", "restore_data")
_DETAILS_KEYS = ("label", "summary", "tagline")
_COLLECTION_KEYS = ("read",)
_LIFECYCLE_KEYS = ("prevent_destroy",)
ALGORITHM_KEYS = (
    *("name", "code_path", "code", "language", "environment_name", "environment", "data_files", "test_payload"),
    *("expect", "tests", "gates", "details", "settings", "publish", "depends_on", "collection", "lifecycle", "compare", "ignore"),
)

_SETTINGS, _PUBLISH = Settings(), Publish()  # of algorithms that give none
_DISPLAY_NAME = re.compile(r"[A-Z ]")  # the display names of environments have them, shorthands have not
_VERSIONED = re.compile(r"([A-Za-z]+)( \d.*)")
_VISIBILITIES: tuple[Literal["open", "closed"], ...] = ("open", "closed")
_LICENSES: tuple[License, ...] = ("apl", "apache2", "gpl3", "mit")
_NETWORKS: tuple[Literal["full", "isolated"], ...] = ("full", "isolated")
_VERSION_TYPES: tuple[Literal["major", "minor", "revision"], ...] = ("major", "minor", "revision")
_REASONS: tuple[PublishReason, ...] = ("source", "settings", "data")
_CALLABILITIES: tuple[Literal["private", "public"], ...] = ("private", "public")
_READERS: tuple[Readers, ...] = ("my_algorithms", "public", "private")


@dataclass(frozen=True, slots=True)
class AlgorithmEntry:
    """A spec with the locations that checks across algorithms need. `name` is None if it was invalid.

    `tests`: reads more tests of the algorithm. `data_files`: the node and the path of each of the spec's data files.
    """

    spec: AlgorithmSpec
    name: Scalar | None
    path: str
    depends_on: tuple[tuple[Scalar, str], ...]
    section: Section
    tests: TestReader
    data_files: tuple[tuple[Node, str], ...] = ()


def read_algorithm(section: Section, folder: str, inputs: TestInputs) -> AlgorithmEntry:
    """Return the algorithm of a file in `folder`. `inputs`: of its tests.

    If a part is invalid, the fault is reported and a placeholder takes its place.
    """
    name = _read_name(section)
    text = name.text if name else ""
    language = _read_language(section)
    dependencies = _read_dependencies(section)
    files = _read_data_files(section)
    tests = TestReader(text, inputs)
    spec = AlgorithmSpec(
        name=text,
        language=language.text if language else "",
        code=_read_code(section) or default_code(text, folder),
        data_files=tuple(file for file, _, _ in files),
        tests=tests.own_tests(section),
        details=_read_details(section, text),
        settings=_read_settings(section),
        publish=_read_publish(section),
        depends_on=tuple(dependency.text for dependency, _ in dependencies),
        collection_read=_read_collection(section),
        prevent_destroy=_read_lifecycle(section),
        ignore=read_ignore(section),
        compare_with=read_compare(section),
    )
    return AlgorithmEntry(spec, name, section.path, dependencies, section, tests, tuple((node, path) for _, node, path in files))


def _read_name(section: Section) -> Scalar | None:
    name = section.text("name", required=True)
    if name and (wrong := algorithm_name_fault(name.text)):
        section.faults.add(name, section.where("name"), "invalid-name", f"{quote(name.text)}: {wrong}")
        return None
    return name


def _read_language(section: Section) -> Scalar | None:
    """Reports a text that is almost a shorthand, or in which Python is misspelled. Any other may be the name of an environment,
    which only a cluster knows.
    """
    key = section.spelling("language", "environment_name", "environment")
    language = section.text(key, required=True)
    if language and language.text not in SHORTHANDS and (hint := _meant(language.text)):
        message = f"there is no language {quote(language.text)}"
        section.faults.add(language, section.where(key), "unknown-language", message, hint)
    return language


def _meant(language: str) -> str | None:
    """A hint for a misspelled language. None: it is not known to be one."""
    if not _DISPLAY_NAME.search(language):
        return nearest(language, SHORTHANDS)
    named = _VERSIONED.fullmatch(language)
    if named is None or named[1].casefold() == "python" or not nearest(named[1], ["Python"]):
        return None
    return f"did you mean Python{named[2]}?"


def _read_code(section: Section) -> str | None:
    key = section.spelling("code_path", "code")
    code = section.text(key)
    if code is None:
        return None
    if wrong := code_fault(code.text):
        section.faults.add(code, section.where(key), "invalid-uri", f"{quote(code.text)}: {wrong}")
    return code.text


def _read_data_files(section: Section) -> list[tuple[DataFile, Node, str]]:
    """The valid data files with their nodes and paths."""
    files: list[tuple[DataFile, Node, str]] = []
    first: dict[str, tuple[str, int]] = {}  # name and line
    for node, path in section.list("data_files"):
        file = _read_data_file(node, path, section.faults)
        if file is None:
            continue
        files.append((file, node, path))
        name, line = first.setdefault(_look_alike_key(file.name), (file.name, node.line))
        if len(first) < len(files):
            same = "is the name of" if name == file.name else f"looks like {quote(name)},"
            message = f"{quote(file.name)} {same} the data file on line {line}"
            section.faults.add(node, path, "duplicate-data-file", message, "rename it: {source: …, name: …}")
            files.pop()
    return files


def _look_alike_key(name: str) -> str:
    """Return a key that is equal for names that look alike to people or to file systems.

    It ignores case, Unicode normalization (two spellings of é) and invisible characters.
    """
    if name.isascii():
        return name.lower()
    visible = "".join(c for c in name if unicodedata.category(c) != "Cf")
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", visible).casefold())


def _read_data_file(node: Node, path: str, faults: Faults) -> DataFile | None:
    if not isinstance(node, MapNode):
        uri = _data_uri(text_of(node, path, faults), path, faults)
        return DataFile(uri, uri.rpartition("/")[2], node.line) if uri else None
    section = Section(node, path, faults, ("source", "name"))
    uri = _data_uri(section.text("source", required=True), section.where("source"), faults)
    name = section.text("name")
    if name and (wrong := file_name_fault(name.text)):
        faults.add(name, section.where("name"), "invalid-name", f"{quote(name.text)}: {wrong}")
        return None
    return DataFile(uri, name.text if name else uri.rpartition("/")[2], node.line) if uri else None


def _data_uri(uri: Scalar | None, path: str, faults: Faults) -> str | None:
    if uri and (wrong := data_uri_fault(uri.text)):
        faults.add(uri, path, "invalid-uri", f"{quote(uri.text)}: {wrong}")
        return None
    return uri.text if uri else None


def _read_details(section: Section, name: str) -> Details:
    details = section.section("details", _DETAILS_KEYS)
    if details is None:
        return Details(name)
    label = details.text("label")
    return Details(label.text if label else name, details.note("summary"), details.note("tagline"))


def _read_settings(section: Section) -> Settings:
    default = _SETTINGS
    settings = section.section("settings", _SETTINGS_KEYS)
    if settings is None:
        return default
    read = Settings(
        source_visibility=settings.choice("source_visibility", _VISIBILITIES, default.source_visibility),
        license=settings.choice("license", _LICENSES, default.license),
        network_access=settings.choice("network_access", _NETWORKS, default.network_access),
        pipeline_enabled=settings.boolean("pipeline_enabled", default=default.pipeline_enabled),
    )
    if read.source_visibility == "closed" and read.license != "apl":
        message = f"the license {read.license} needs open source; closed source needs apl"
        hint = "write source_visibility: open, or leave the license out"
        section.faults.add(settings.find("license") or settings.node, settings.where("license"), "closed-license", message, hint)
    return read


def _read_publish(section: Section) -> Publish:
    default = _PUBLISH
    publish = section.section("publish", _PUBLISH_KEYS)
    if publish is None:
        return default
    return Publish(
        version_type=publish.choice("version_type", _VERSION_TYPES, default.version_type),
        callability=publish.choice("callability", _CALLABILITIES, default.callability),
        release_notes=publish.note("release_notes"),
        on=frozenset(publish.choices("on", _REASONS)) or default.on,
        restore_data=publish.boolean("restore_data", default=default.restore_data),
    )


def _read_collection(section: Section) -> Readers | None:
    collection = section.section("collection", _COLLECTION_KEYS)
    return collection.choice("read", _READERS, "my_algorithms") if collection else None


def _read_lifecycle(section: Section) -> bool:
    lifecycle = section.section("lifecycle", _LIFECYCLE_KEYS)
    return lifecycle.boolean("prevent_destroy", default=False) if lifecycle else False


def _read_dependencies(section: Section) -> tuple[tuple[Scalar, str], ...]:
    texts = ((text_of(node, path, section.faults), path) for node, path in section.list("depends_on"))
    return tuple((text, path) for text, path in texts if text)
