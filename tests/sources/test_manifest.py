"""Model manifests: rewritten URIs, pins, refusals, and checksums that the platform's own tools accept."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algosync.core.address import Address
from algosync.core.error import SourceError
from algosync.core.tree import Blob
from algosync.core.workflow import AlgorithmSpec, DataFile
from algosync.sources.data_file_uris import DataFileUris, data_file_uris, uri_index
from algosync.sources.data_files import data_files_of
from algosync.sources.manifest import FREEZE, MANIFEST, AdaptedManifests, adapt_manifests, lock_checksum
from algosync.sources.pins import Pin

MODEL = "data://.my/models/iris-1.bin"
IRIS = AlgorithmSpec(
    "Iris", "python3", data_files=(DataFile(MODEL, "iris.bin"), DataFile("data://lab/labels/names.txt", "names.txt"))
)
OTHER = AlgorithmSpec(
    "Other", "python3", data_files=(DataFile(MODEL, "copy.bin"), DataFile("data://.my/models/words.bin", "words.bin"))
)
SOURCES = data_files_of((IRIS, OTHER)).sources
URIS = data_file_uris(IRIS, uri_index(SOURCES, "jane", "quality"))
MD5 = "0123456789abcdef0123456789abcdef"


def entry(uri: str, name: str = "model", **more: object) -> dict[str, object]:
    return {"name": name, "source_uri": uri, "fail_on_tamper": True, **more}


def manifest(*uris: str, **more: object) -> dict[str, object]:
    return {"required_files": [entry(uri, f"m{n}") for n, uri in enumerate(uris)], "optional_files": [], **more}


def frozen(*uris: str, **more: object) -> dict[str, object]:
    files = [entry(uri, f"m{n}", md5_checksum=MD5) for n, uri in enumerate(uris)]
    document = {"required_files": files, "optional_files": [], "timestamp": "1637000000.5", **more}
    return {**document, "lock_checksum": lock_checksum(document)}


def adapted(path: str, document: object, among: DataFileUris = URIS) -> AdaptedManifests:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return adapt_manifests({path: Blob(data), "src/Iris.py": Blob(b"")}, among)


def uris(found: AdaptedManifests, path: str) -> list[str]:
    return [each["source_uri"] for each in json.loads(found.blobs[path].data)["required_files"]]


@pytest.mark.parametrize(
    ("uri", "moved"),
    [
        pytest.param(MODEL, "data://jane/Iris/iris.bin", id="as the workflow names it"),
        pytest.param("data://quality/models/iris-1.bin", "data://jane/Iris/iris.bin", id="by its owner's name"),
        pytest.param("data://lab/labels/names.txt", "data://jane/Iris/names.txt", id="another owner's file"),
        pytest.param("data://.my/models/words.bin", "data://jane/Other/words.bin", id="another algorithm's"),
        pytest.param("data://jane/Iris/iris.bin", "data://jane/Iris/iris.bin", id="at the destination already"),
        pytest.param("data://jane/Other/copy.bin", "data://jane/Other/copy.bin", id="at the destination, twice there"),
        pytest.param("data://<user>/<algo>/iris.bin", "data://jane/Iris/iris.bin", id="placeholders"),
        pytest.param("data://.my/<algo>/iris.bin", "data://jane/Iris/iris.bin", id="my own, as in a payload"),
        pytest.param("data://<user>/Other/words.bin", "data://jane/Other/words.bin", id="placeholder of the owner"),
        pytest.param("data://<user>/shared/x.bin", "data://jane/shared/x.bin", id="elsewhere with a placeholder"),
        pytest.param("data://.my/elsewhere/x.bin", "data://.my/elsewhere/x.bin", id="elsewhere of the caller's"),
        pytest.param("data://else/models/iris-1.bin", "data://else/models/iris-1.bin", id="somebody else's"),
        pytest.param("s3+eu://bucket/iris-1.bin", "s3+eu://bucket/iris-1.bin", id="another store"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_uris_follow_the_data_files_of_the_workflow(uri: str, moved: str) -> None:
    found = adapted(MANIFEST, manifest(uri))
    assert uris(found, MANIFEST) == [moved]
    assert found.pins == ()
    assert uris(adapted(FREEZE, frozen(uri)), FREEZE) == [moved]


def test_without_a_named_owner_at_the_source_only_the_written_form_is_known() -> None:
    among = data_file_uris(IRIS, uri_index(SOURCES, "jane", None))
    found = adapted(MANIFEST, manifest(MODEL, "data://quality/models/iris-1.bin"), among)
    assert uris(found, MANIFEST) == ["data://jane/Iris/iris.bin", "data://quality/models/iris-1.bin"]


def test_of_two_files_with_one_source_the_own_one_counts_and_then_the_first() -> None:
    index = uri_index(SOURCES, "jane", "quality")
    third = AlgorithmSpec("Third", "python3")
    found = [data_file_uris(spec, index).at_destination(MODEL) for spec in (IRIS, OTHER, third)]
    assert found == ["data://jane/Iris/iris.bin", "data://jane/Other/copy.bin", "data://jane/Iris/iris.bin"]


def test_optional_files_are_rewritten_and_pinned_too() -> None:
    document = {"required_files": [], "optional_files": [entry(MODEL, "extra", md5_checksum=MD5)]}
    found = adapted(FREEZE, {**document, "lock_checksum": lock_checksum(document)})
    assert json.loads(found.blobs[FREEZE].data)["optional_files"][0]["source_uri"] == "data://jane/Iris/iris.bin"
    assert found.pins == (Pin(FREEZE, "extra", Address("data", "Iris", "iris.bin"), MD5),)


def test_only_files_of_the_workflow_are_pinned() -> None:
    found = adapted(FREEZE, frozen(MODEL, "data://.my/elsewhere/x.bin", "data://<user>/Other/words.bin"))
    assert found.pins == (
        Pin(FREEZE, "m0", Address("data", "Iris", "iris.bin"), MD5),
        Pin(FREEZE, "m2", Address("data", "Other", "words.bin"), MD5),
    )


def test_the_frozen_manifest_is_the_one_that_counts() -> None:
    plain = {"required_files": [entry(MODEL, "plain", md5_checksum="0" * 32)]}
    tree = {MANIFEST: Blob(json.dumps(plain).encode()), FREEZE: Blob(json.dumps(frozen(MODEL)).encode())}
    assert [pin.entry for pin in adapt_manifests(tree, URIS).pins] == ["m0"]
    del tree[FREEZE]
    assert [pin.entry for pin in adapt_manifests(tree, URIS).pins] == ["plain"]


def test_what_needs_no_change_keeps_its_bytes() -> None:
    text = json.dumps(frozen("data://jane/Iris/iris.bin"), indent=7).encode()
    assert adapted(FREEZE, text).blobs == {FREEZE: Blob(text)}
    text = b'{ "required_files" : [ ],"n":1.50}\n'
    assert adapted(MANIFEST, text).blobs == {MANIFEST: Blob(text)}


def test_everything_else_stays_in_its_order() -> None:
    before = frozen(MODEL, note="für <user>", aa=[1, 2.5, None, True, {"z": "\U0001f600", "a": float("inf")}])
    after = json.loads(adapted(FREEZE, before).blobs[FREEZE].data)
    expected = json.loads(json.dumps(before).replace("<user>", "jane"))
    expected["required_files"][0]["source_uri"] = "data://jane/Iris/iris.bin"
    expected["lock_checksum"] = lock_checksum(expected)
    assert str(after) == str(expected)


def test_lines_stay_lines_and_one_line_stays_one() -> None:
    assert adapted(MANIFEST, json.dumps(manifest(MODEL), indent=4).encode()).blobs[MANIFEST].data.count(b"\n") > 5
    assert b"\n" not in adapted(MANIFEST, manifest(MODEL)).blobs[MANIFEST].data


def test_a_manifest_of_another_tool_is_left_alone() -> None:
    assert adapted(MANIFEST, {"start_url": "<user>", "model_filepath": 1}).blobs == {}
    assert adapt_manifests({"src/model_manifest.json": Blob(b"no JSON")}, URIS).blobs == {}


# --- the manifest of the model deployment action ---


@pytest.mark.parametrize(
    ("path", "moved"),
    [
        ("quality/models/iris-1.bin", "jane/Iris/iris.bin"),
        ("data://quality/models/iris-1.bin", "data://jane/Iris/iris.bin"),
        (".my/models/iris-1.bin", "jane/Iris/iris.bin"),
        ("<user>/<algo>/iris.bin", "jane/Iris/iris.bin"),
    ],
)
def test_the_file_of_a_deployed_model_is_rewritten_and_pinned(path: str, moved: str) -> None:
    document = {"model_filepath": path, "model_md5_hash": MD5, "model_origin_repo": "x", "model_uploaded_utc": "2021"}
    found = adapted(MANIFEST, document)
    assert json.loads(found.blobs[MANIFEST].data) == {**document, "model_filepath": moved}
    assert found.pins == (Pin(MANIFEST, "model_filepath", Address("data", "Iris", "iris.bin"), MD5),)


def test_a_deployed_model_elsewhere_or_without_a_checksum_is_not_pinned() -> None:
    elsewhere = {"model_filepath": "else/models/x.bin", "model_md5_hash": MD5}
    assert adapted(MANIFEST, elsewhere).pins == ()
    assert json.loads(adapted(MANIFEST, elsewhere).blobs[MANIFEST].data) == elsewhere
    assert adapted(MANIFEST, {"model_filepath": "quality/models/iris-1.bin"}).pins == ()


# --- what the platform's own tools say ---


@dataclass
class LocalFiles:
    """Replaces the official client for downloads: every URI is the same file."""

    path: Path

    def file(self, uri: str) -> "LocalFiles":
        return self

    def getFile(self, as_path: bool = False) -> Any:  # noqa: N802  # the client's name
        return str(self.path) if as_path else self.path.open("rb")


@pytest.fixture
def official(tmp_path: Path) -> LocalFiles:
    model = tmp_path / "model.bin"
    model.write_bytes(b"model")
    return LocalFiles(model)


def freeze_officially(client: LocalFiles, document: object, folder: Path) -> bytes:
    from Algorithmia.client import Client

    (folder / MANIFEST).write_text(json.dumps(document))
    Client.freeze(client, str(folder / MANIFEST), str(folder))
    return (folder / FREEZE).read_bytes()


def load_as_adk(client: LocalFiles, folder: Path) -> Any:
    """Raises if the ADK would not start."""
    import Algorithmia  # noqa: F401  # before the ADK: they import each other
    from adk.modeldata import ModelData

    loaded = ModelData(client, str(folder / MANIFEST))
    loaded.initialize()
    return loaded


def test_the_official_freeze_is_frozen_anew_and_the_adk_takes_it(official: LocalFiles, tmp_path: Path) -> None:
    before = freeze_officially(official, manifest(MODEL, "data://.my/else/x.bin", note={"größe": [1, 2.0, None]}), tmp_path)
    found = adapted(FREEZE, before)
    assert found == adapted(FREEZE, before)
    assert found.blobs[FREEZE].data != before
    (tmp_path / FREEZE).write_bytes(found.blobs[FREEZE].data)
    loaded = load_as_adk(official, tmp_path)
    md5 = "20f35e630daf44dbfa4c3f68f5399d8c"
    assert {name: model.md5_checksum for name, model in loaded.models.items()} == {"m0": md5, "m1": md5}
    assert found.pins == (Pin(FREEZE, "m0", Address("data", "Iris", "iris.bin"), md5),)


def test_the_adk_refuses_what_is_only_rewritten(official: LocalFiles, tmp_path: Path) -> None:
    before = freeze_officially(official, manifest(MODEL), tmp_path)
    (tmp_path / FREEZE).write_bytes(before.replace(b".my/models/iris-1.bin", b"jane/Iris/iris.bin"))
    with pytest.raises(Exception, match="Manifest FreezeFile Tamper Detected"):
        load_as_adk(official, tmp_path)


def test_a_placeholder_put_in_after_freezing_explains_a_lock_that_does_not_match(official: LocalFiles, tmp_path: Path) -> None:
    before = freeze_officially(official, manifest("data://quality/Iris/iris.bin"), tmp_path)
    (tmp_path / FREEZE).write_bytes(adapted(FREEZE, before.replace(b"quality/Iris", b"<user>/Iris")).blobs[FREEZE].data)
    assert load_as_adk(official, tmp_path).manifest_data["required_files"][0]["source_uri"] == "data://jane/Iris/iris.bin"


def test_a_placeholder_elsewhere_does_not_explain_a_changed_checksum(official: LocalFiles, tmp_path: Path) -> None:
    before = freeze_officially(official, manifest("data://quality/Iris/iris.bin"), tmp_path)
    document = json.loads(before)
    document["required_files"][0]["md5_checksum"] = "0" * 32
    document["note"] = "<user>"
    with pytest.raises(SourceError, match="was changed after it was frozen"):
        adapted(FREEZE, json.dumps(document).encode())


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(["timestamp", "metadata", "<user>", "größe", "a"]), values))
def test_any_frozen_manifest_passes_the_adks_own_check(more: dict[str, object]) -> None:
    import Algorithmia  # noqa: F401  # before the ADK: they import each other
    from adk.modeldata import check_lock

    found = adapted(FREEZE, frozen(MODEL, **more))
    assert check_lock(json.loads(found.blobs[FREEZE].data))
    assert uris(found, FREEZE) == ["data://jane/Iris/iris.bin"]


# --- what is refused ---


def changed(document: dict[str, object], old: str, new: str) -> bytes:
    text = json.dumps(document)
    assert text.count(old) == 1
    return text.replace(old, new).encode()


DEEP = b'{"required_files": [], "x": ' + b"[" * 60 + b"]" * 60 + b"}"
VERY_DEEP = b"[" * 200_000


@pytest.mark.parametrize(
    ("path", "data", "message"),
    [
        pytest.param(MANIFEST, b"{", f"{MANIFEST} is not JSON", id="cut"),
        pytest.param(MANIFEST, b"", f"{MANIFEST} is not JSON", id="empty"),
        pytest.param(MANIFEST, b"\xff\xfe{\x00}\x00", f"{MANIFEST} is not JSON", id="UTF-16"),
        pytest.param(MANIFEST, b"\xef\xbb\xbf{}", f"{MANIFEST} is not JSON", id="byte order mark"),
        pytest.param(MANIFEST, b'{"a": "\\ud800"}', f"{MANIFEST} is not JSON", id="half a character"),
        pytest.param(MANIFEST, b'{"required_files": [], "required_files": []}', "'required_files' is there twice", id="duplicate"),
        pytest.param(MANIFEST, b'{"x": {"\\u001b[2J": 1, "\\u001b[2J": 1}}', r"'\\x1b\[2J' is there twice", id="escape sequence"),
        pytest.param(MANIFEST, b"[]", f"{MANIFEST} is not a JSON object", id="list"),
        pytest.param(MANIFEST, b"null", f"{MANIFEST} is not a JSON object", id="null"),
        pytest.param(MANIFEST, DEEP, f"{MANIFEST} is nested too deep", id="deep"),
        pytest.param(MANIFEST, VERY_DEEP, f"{MANIFEST} is nested too deep", id="very deep"),
        pytest.param(MANIFEST, b" " * (1 << 20) + b"{}", f"{MANIFEST} is too large for a manifest", id="huge"),
        pytest.param(MANIFEST, b'{"required_files": {}}', "required_files is not a list", id="files no list"),
        pytest.param(MANIFEST, b'{"required_files": null}', "required_files is not a list", id="files null"),
        pytest.param(
            MANIFEST, b'{"optional_files": [7]}', r"optional_files\[0\] is not an object with the texts", id="entry a number"
        ),
        pytest.param(MANIFEST, b'{"required_files": [{"name": "x"}]}', r"required_files\[0\] is not an object", id="no URI"),
        pytest.param(
            MANIFEST, b'{"required_files": [{"name": 1, "source_uri": ""}]}', r"\[0\] is not an object", id="name a number"
        ),
        pytest.param(
            MANIFEST,
            json.dumps({"required_files": [entry(MODEL, md5_checksum=7)]}).encode(),
            r"md5_checksum of required_files\[0\] is not a text",
            id="MD5 a number",
        ),
        pytest.param(FREEZE, manifest(MODEL), f"{FREEZE} has no lock_checksum", id="no lock"),
        pytest.param(FREEZE, {**manifest(MODEL), "lock_checksum": 1}, f"{FREEZE} has no lock_checksum", id="lock a number"),
        pytest.param(FREEZE, changed(frozen(MODEL), MD5, "f" * 32), f"{FREEZE} was changed after it was frozen", id="other MD5"),
        pytest.param(FREEZE, changed(frozen(MODEL), ".my", "quality"), f"{FREEZE} was changed after it was frozen", id="other URI"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_refused(path: str, data: object, message: str) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        adapted(path, data)
    assert caught.value.message.isprintable()


@given(st.binary(max_size=200) | values.map(lambda value: json.dumps(value).encode()), st.sampled_from([MANIFEST, FREEZE]))
def test_no_bytes_end_in_anything_but_a_refusal(data: bytes, path: str) -> None:
    refusal = ""
    try:
        adapted(path, data)
    except SourceError as error:
        refusal = error.message
    assert refusal == "" or refusal.startswith(path)


@pytest.mark.parametrize(("tamper", "strict"), [(True, True), (False, False), (None, True), (0, True), ("missing", True)])
def test_only_a_freeze_that_says_so_accepts_another_file(tamper: object, strict: bool) -> None:
    file = {"name": "m", "source_uri": MODEL, "md5_checksum": MD5, "fail_on_tamper": tamper}
    if tamper == "missing":
        del file["fail_on_tamper"]
    document = {"required_files": [file]}
    (pin,) = adapted(FREEZE, {**document, "lock_checksum": lock_checksum(document)}).pins
    assert pin.strict is strict
