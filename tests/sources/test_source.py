"""From a spec to a tree with its pins."""

import gzip
import hashlib
import json
import shutil
import tarfile
from io import BytesIO
from pathlib import Path

import pytest
from fakes.stores import FakeStore

from algosync.core.address import Address
from algosync.core.error import NotFound, SourceError
from algosync.core.secret import Secret
from algosync.core.tree import Blob, tree_id
from algosync.core.workflow import AlgorithmSpec, DataFile
from algosync.net import Retry
from algosync.sources.manifest import FREEZE, MANIFEST, lock_checksum
from algosync.sources.pins import Pin
from algosync.sources.source import Sources, SourceTree
from algosync.sources.store import SourceStore

APPLY = b"def apply(input):\n    return '<user>'\n"
FILLED = Blob(APPLY.replace(b"<user>", b"jane"))
KEY = "simSecretKey01"


def packed(files: dict[str, bytes]) -> bytes:
    out = BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, BytesIO(data))
    return gzip.compress(out.getvalue())


def written(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def read(spec: AlgorithmSpec, folder: Path = Path("nowhere"), store: FakeStore | None = None) -> SourceTree:
    return sources_of(spec, folder=folder, store=store).tree(spec)


def sources_of(*specs: AlgorithmSpec, folder: Path = Path("nowhere"), store: FakeStore | None = None) -> Sources:
    return Sources(specs, folder, "jane", SourceStore(store, "https://source", Retry()), (Secret(KEY), Secret("short")))


FILES = {"src/Hello.py": APPLY, "src/__init__.py": b"", "algorithmia.conf": b"theirs", ".adk": b""}
EXPECTED = {"src/Hello.py": FILLED, "src/__init__.py": Blob(b"")}


def test_the_same_code_gives_the_same_tree_wherever_it_comes_from(tmp_path: Path) -> None:
    store = FakeStore()
    archive = store.write("quality", "code", "Hello.tar.gz", packed(FILES))
    written(tmp_path / "algorithms" / "Hello", FILES)
    written(tmp_path, {"Hello.tar.gz": packed(FILES)})
    codes = [None, "file://algorithms/Hello", "file://Hello.tar.gz", archive]
    trees = [read(AlgorithmSpec("Hello", "python3", code), tmp_path, store) for code in codes]
    assert trees == [SourceTree(EXPECTED, tree_id(EXPECTED))] * 4
    assert not any(tree.has_manifest for tree in trees)


def test_a_source_is_read_once(tmp_path: Path) -> None:
    written(tmp_path / "algorithms" / "Hello", FILES)
    spec = AlgorithmSpec("Hello", "python3")
    sources = sources_of(spec, folder=tmp_path)
    first = sources.tree(spec)
    shutil.rmtree(tmp_path)
    assert sources.tree(spec) is first


def test_the_manifest_is_adapted_and_its_pins_are_known(tmp_path: Path) -> None:
    md5 = hashlib.md5(b"iris").hexdigest()
    model = "data://.my/models/iris-1.bin"
    document = {"required_files": [{"name": "iris", "source_uri": model, "md5_checksum": md5}]}
    frozen = {**document, "lock_checksum": lock_checksum(document)}
    written(tmp_path / "algorithms" / "Hello", {**FILES, FREEZE: json.dumps(frozen).encode()})
    spec = AlgorithmSpec("Hello", "python3", data_files=(DataFile(model, "iris.bin"),))
    tree = read(spec, tmp_path, FakeStore())
    assert tree.pins == (Pin(FREEZE, "iris", Address("data", "Hello", "iris.bin"), md5),)
    assert json.loads(tree.files[FREEZE].data)["required_files"][0]["source_uri"] == "data://jane/Hello/iris.bin"
    assert tree.has_manifest


def test_a_manifest_is_adapted_without_a_source_cluster(tmp_path: Path) -> None:
    document = {"required_files": [{"name": "x", "source_uri": "data://<user>/other/x"}]}
    written(tmp_path / "algorithms" / "Hello", {**FILES, MANIFEST: json.dumps(document).encode()})
    tree = read(AlgorithmSpec("Hello", "python3"), tmp_path)
    assert b"data://jane/other/x" in tree.files[MANIFEST].data
    assert tree.pins == ()


def test_a_file_of_unknown_encoding_is_named_in_a_note(tmp_path: Path) -> None:
    written(tmp_path / "algorithms" / "Hello", {**FILES, "notes.txt": b"\xe9 <user>"})
    (note,) = read(AlgorithmSpec("Hello", "python3"), tmp_path).notes
    assert note.startswith("notes.txt: <user> is not filled in")


def test_a_missing_local_archive_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"its code cannot be read: .*/algorithms/Hello: No such file or directory"):
        read(AlgorithmSpec("Hello", "python3"), tmp_path)


def test_a_missing_archive_on_the_source_is_not_found() -> None:
    with pytest.raises(NotFound, match="the source has no data://"):
        read(AlgorithmSpec("Hello", "python3", "data://.my/code/Hello.tar.gz"), store=FakeStore())


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"src/Hello.py": b"KEY = 'simSecretKey01'"}, "src/Hello.py holds an API key"),
        ({"src/Hello.py": APPLY, "x": "simSecretKey01".encode("utf-16")}, "x holds an API key"),
        ({"src/Other.py": APPLY}, "there is no src/Hello.py, which the platform starts; there is src/Other.py"),
        ({"src/__init__.py": b""}, "there is no src/Hello.py, which the platform starts; there is src/__init__.py"),
        ({"src/Hello_test.py": b"", "src/x.py": b""}, "there is no src/Hello.py, which the platform starts; there is src/x.py"),
    ],
)
def test_code_that_cannot_be_used_is_refused(tmp_path: Path, files: dict[str, bytes], message: str) -> None:
    written(tmp_path / "algorithms" / "Hello", files)
    with pytest.raises(SourceError) as caught:
        read(AlgorithmSpec("Hello", "python3"), tmp_path)
    assert caught.value.message == message


@pytest.mark.parametrize(
    "files",
    [
        {"src/Hello.py": b"word = 'short'"},  # too short to be recognized as a key
        {"src/Hello/__init__.py": APPLY},
        {"src/Algorithm.py": APPLY},
        {"src/main.rs": b""},  # another language than Python
    ],
)
def test_code_that_the_platform_can_start_is_accepted(tmp_path: Path, files: dict[str, bytes]) -> None:
    written(tmp_path / "algorithms" / "Hello", files)
    assert read(AlgorithmSpec("Hello", "python3"), tmp_path).files.keys() == files.keys()
