"""A directory with the layout of the Data API returns what a cluster would, and nothing outside of it."""

import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from algosync.cluster.directory import Directory, _stamp
from algosync.cluster.transfer import File, digest_file, stream
from algosync.core.error import AlgosyncError, NotFound, SourceError
from algosync.core.text import printable
from algosync.net import Retry


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "source" / "quality" / "models"
    folder.mkdir(parents=True)
    (folder / "a.bin").write_bytes(b"12345")
    (folder / "link").symlink_to("/etc/passwd")
    (folder / "folder").mkdir()
    (tmp_path / "secret").write_text("x")
    return tmp_path / "source"


def test_files_and_their_bytes(root: Path) -> None:
    store = Directory(root)
    assert {name: stat.size for name, stat in store.files(".my", "models").items()} == {"a.bin": 5}
    assert store.files("quality", "models").keys() == {"a.bin"}
    assert digest_file(File(store, (".my", "models", "a.bin")), lambda _: None, Retry())[1] == 5
    with stream(File(store, (".my", "models", "a.bin"))) as file:
        assert (file.read(2), file.read()) == (b"12", b"345")


def test_a_young_file_has_no_stamp(root: Path) -> None:
    assert Directory(root).files(".my", "models")["a.bin"].stamp is None


@pytest.mark.parametrize("name", [("nobody", "models"), ("quality", "nothing"), ("quality", "models/a.bin"), ("..", "source")])
def test_missing_files_are_not_found_or_refused(root: Path, name: tuple[str, str]) -> None:
    with pytest.raises((NotFound, SourceError)):
        Directory(root).files(*name)


@pytest.mark.parametrize("name", ["n" * 256, "é" * 128, "x\ud800", "\0", "..", ".", "", "a/b", "/etc", "a/../..", "quality/../.."])
@pytest.mark.parametrize("place", [0, 1, 2], ids=["owner", "collection", "file"])
def test_an_invalid_name_is_refused_in_every_position(root: Path, name: str, place: int) -> None:
    names = ["quality", "models", "a.bin"]
    names[place] = name
    with pytest.raises(SourceError) as caught, Directory(root).open(*names):
        pytest.fail("it was opened")
    assert caught.value.message == f"'{printable(name, 200)}' cannot be the name of a file"


def test_names_in_a_directory_are_only_names(root: Path) -> None:
    odd = os.fsencode(root / "quality/models") + b"/\xff\x1b[2J\n"
    with open(odd, "wb"):
        pass
    assert Directory(root).files("quality", "models").keys() == {"a.bin", "\udcff\x1b[2J\n"}


@pytest.mark.parametrize("link", ["quality", "quality/models"])
def test_a_folder_that_is_a_link_is_not_followed(root: Path, link: str) -> None:
    (root / link).rename(root.parent / "elsewhere")
    (root / link).symlink_to(root.parent / "elsewhere")
    with pytest.raises(SourceError, match="links are not followed"):
        Directory(root).files("quality", "models")


@pytest.mark.parametrize("name", ["link", "folder", "missing", "..", "../../../secret", "a\0b"])
def test_only_plain_files_are_read(root: Path, name: str) -> None:
    with pytest.raises(AlgosyncError), Directory(root).open(".my", "models", name):
        pytest.fail("it was opened")


def test_my_needs_one_owner(root: Path) -> None:
    (root / "second").mkdir()
    with pytest.raises(SourceError, match=r"exactly one folder OWNER in .*, which has 2: quality, second") as caught:
        Directory(root).files(".my", "models")
    assert caught.value.hint == "a source that is a folder is laid out as OWNER/COLLECTION/FILE; name the owner instead of `.my`"
    assert Directory(root).files("quality", "models").keys() == {"a.bin"}


def test_a_root_without_owners_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="which has none") as caught:
        Directory(tmp_path).files(".my", "models")
    assert caught.value.hint == "a source that is a folder is laid out as OWNER/COLLECTION/FILE; create the folder of an owner"


def test_a_missing_root(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        Directory(tmp_path / "nowhere")


# --- files that are links ---


def read(root: Path, name: str) -> bytes:
    with Directory(root).open("quality", "models", name) as download:
        return b"".join(download.blocks)


def test_a_link_to_a_file_in_the_directory_is_followed(root: Path) -> None:
    (root / "cache/ab").mkdir(parents=True)
    (root / "cache/ab/cd").write_bytes(b"model")
    (root / "quality/models/model.bin").symlink_to("../../cache/ab/cd")
    (root / "quality/models/again.bin").symlink_to("model.bin")
    files = Directory(root).files("quality", "models")
    assert {name: stat.size for name, stat in files.items()} == {"a.bin": 5, "model.bin": 5, "again.bin": 5}
    assert read(root, "model.bin") == read(root, "again.bin") == b"model"


@pytest.mark.parametrize("place", [".dvc/cache/files/md5/ab/cd", ".git/annex/objects/ab/cd"])
def test_a_link_into_the_cache_of_the_working_tree_is_followed(root: Path, place: str) -> None:
    target = root.parent / place
    target.parent.mkdir(parents=True)
    (root.parent / ".git").mkdir(exist_ok=True)
    target.write_bytes(b"model")
    (root / "quality/models/model.bin").symlink_to(target)
    assert Directory(root).files("quality", "models")["model.bin"].size == 5
    assert read(root, "model.bin") == b"model"


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("/etc/passwd", "leads out of "),
        ("../../../.git/config", "leads into the files of git"),
        ("missing", "leads nowhere: No such file or directory"),
        ("a.bin/x", "leads nowhere: Not a directory"),
        ("folder", "does not lead to a file"),
        ("model.bin", "leads nowhere: "),
    ],
)
def test_other_links_are_refused_by_name(root: Path, target: str, reason: str) -> None:
    (root.parent / ".git").mkdir()
    (root.parent / ".git/config").write_text("token")
    path = root / "quality/models/model.bin"
    path.symlink_to(target)
    files = Directory(root).files("quality", "models")
    assert files.keys() == {"a.bin"}
    for use in (lambda: files["model.bin"], lambda: read(root, "model.bin")):
        with pytest.raises(SourceError) as caught:
            use()
        assert caught.value.message.startswith(f"{path} is a link that {reason}")
    with pytest.raises(KeyError):
        files["nothing"]


def test_a_link_that_leads_to_another_file_has_another_stamp(root: Path) -> None:
    link = root / "quality/models/model.bin"
    statuses = []
    for name in ("one", "two"):
        (root / name).write_bytes(b"x")
        link.unlink(missing_ok=True)
        time.sleep(0.02)  # the clock of a file system may tick every 10 ms
        link.symlink_to(root / name)
        statuses.append((os.stat(root / "one"), os.lstat(link)))
    stamps = {_stamp(_older(file), _older(link_status)) for file, link_status in statuses}
    assert len(stamps) == 2
    assert None not in stamps
    assert _stamp(_older(statuses[0][0]), os.lstat(link)) is None


def _older(status: os.stat_result) -> os.stat_result:
    """The same an hour ago, with its nanoseconds."""
    values = {name: getattr(status, name) for name in dir(status) if name.startswith("st_")}
    return SimpleNamespace(**{**values, "st_ctime": status.st_ctime - 3600})  # type: ignore[return-value]  # stands in for a status


def test_the_owner_is_looked_up_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan lists a thousand collections, and each look-up asks about every owner."""
    looked, real = [], Directory._owners

    def owners(store: Directory) -> list[str]:
        looked.append(1)
        return real(store)

    monkeypatch.setattr(Directory, "_owners", owners)
    (root / "quality" / "others").mkdir()
    store = Directory(root)
    for collection in ("models", "others", "models"):
        store.files(".my", collection)
    assert len(looked) == 1
