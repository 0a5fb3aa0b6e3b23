"""The memory of local source folders: a folder that did not change is not read, and nothing else is believed."""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from algosync.core.secret import Secret
from algosync.core.workflow import AlgorithmSpec
from algosync.net import Retry
from algosync.sources.archive import folder_stamp as stamps
from algosync.sources.archive.folder_stamp import folder_stamp
from algosync.sources.remembered_facts import RememberedFacts, SourceFacts, memory_of
from algosync.sources.source import Sources
from algosync.sources.store import SourceStore

SPEC = AlgorithmSpec("Hello", "python3")
FACTS = SourceFacts("1" * 40, ["src/Hello.py"], {"README.md": "2" * 40}, {"Other": ["a.bin"]}, ["a note"])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source that is old enough to be remembered."""
    monkeypatch.setattr(stamps, "_SETTLED", -60.0)
    source = tmp_path / "algorithms" / "Hello"
    (source / "src").mkdir(parents=True)
    (source / "src" / "Hello.py").write_text("def apply(input):\n    return input\n")
    (source / "requirements.txt").write_text("algorithmia\n")
    return source


def sources(folder: Path, **options: object) -> Sources:
    store = SourceStore(None, "", Retry())
    memory = RememberedFacts(folder.parents[2] / "cache" / "memory.json")
    return Sources((SPEC,), folder.parents[1], "jane", store, memory=memory, **options)  # type: ignore[arg-type]  # those of Sources


def looked(folder: Path, **options: object) -> tuple[SourceFacts, bool]:
    """The facts, and whether the folder was read for them. They are saved for the next time."""
    found = sources(folder, **options)
    facts = found.facts(SPEC)
    found.memory.save()
    return facts, "Hello" in found.codes


def test_an_unchanged_folder_is_read_once(folder: Path) -> None:
    first, was_read = looked(folder)
    assert was_read
    assert looked(folder) == (first, False)


def rewrite_with_the_same_size_and_time(folder: Path) -> None:
    file = folder / "requirements.txt"
    before = file.stat()
    time.sleep(0.02)  # the clock of a file system may tick every 10 ms
    file.write_text("algorithmib\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES: dict[str, Callable[[Path], object]] = {
    "a longer file": lambda folder: (folder / "requirements.txt").write_text("algorithmia\nsix\n"),
    "a file of the same size and time": rewrite_with_the_same_size_and_time,
    "a new file": lambda folder: (folder / "src" / "more.py").write_text(""),
    "a removed file": lambda folder: (folder / "requirements.txt").unlink(),
    "a renamed file": lambda folder: (folder / "requirements.txt").rename(folder / "other.txt"),
    "another mode": lambda folder: (folder / "src" / "Hello.py").chmod(0o755),
    "an ignore file": lambda folder: (folder / ".algosyncignore").write_text("requirements.txt\n"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_folder_is_read_again(what: str, folder: Path) -> None:
    first, _ = looked(folder)
    CHANGES[what](folder)
    second, was_read = looked(folder)
    assert was_read
    assert second.id != first.id


def test_other_keys_owners_and_programs_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked(folder)
    assert looked(folder, secrets=(Secret("simKEYsimKEY"),))[1]
    monkeypatch.setattr("algosync.sources.source._program", lambda: "another")
    assert looked(folder)[1]


def test_a_young_file_and_a_link_are_not_believed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert folder_stamp(folder) == folder_stamp(folder) is not None
    (folder / "link").symlink_to("requirements.txt")
    assert folder_stamp(folder) is None
    (folder / "link").unlink()
    monkeypatch.setattr(stamps, "_SETTLED", 2.0)
    assert folder_stamp(folder) is None
    assert looked(folder)[1]
    assert looked(folder)[1]


def test_a_folder_that_is_too_large_or_deep_is_not_believed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deepest = folder.joinpath(*["inner"] * 60)
    deepest.mkdir(parents=True)
    assert folder_stamp(folder) is None
    (folder / "inner").rename(folder / ".git")  # git's own folder is not looked into
    assert folder_stamp(folder) is not None
    monkeypatch.setattr(stamps, "_MOST", 2)
    assert folder_stamp(folder) is None


def test_facts_come_back_as_they_were_saved(tmp_path: Path) -> None:
    file = tmp_path / "cache" / "algosync" / "sources" / "memory.json"
    memory = RememberedFacts(file)
    memory.note("Hello", "key", FACTS)
    memory.save()
    again = RememberedFacts(file)
    assert (again.find("Hello", "key"), again.find("Hello", "other"), again.find("Other", "key")) == (FACTS, None, None)
    assert [stat.S_IMODE(each.stat().st_mode) for each in (file, file.parent, file.parent.parent)] == [0o600, 0o700, 0o700]


def test_digests_of_data_files_come_back_as_long_as_they_are_needed(tmp_path: Path) -> None:
    file = tmp_path / "cache" / "memory.json"
    memory = RememberedFacts(file)
    memory.note_digest("a 1@2", "1" * 64)
    memory.note_digest("b 1@2", "2" * 64)
    memory.save()
    second = RememberedFacts(file)
    assert [second.find_digest(stamp) for stamp in ("a 1@2", "a 1@3")] == ["1" * 64, None]
    second.save()
    third = RememberedFacts(file)
    assert [third.find_digest(stamp) for stamp in ("a 1@2", "b 1@2")] == ["1" * 64, "2" * 64], "nothing is new, nothing is lost"
    third = RememberedFacts(file)
    third.find_digest("a 1@2")
    third.note_digest("b 1@3", "3" * 64)
    third.save()
    last = RememberedFacts(file)
    assert [last.find_digest(stamp) for stamp in ("a 1@2", "b 1@2", "b 1@3")] == ["1" * 64, None, "3" * 64]


def test_a_digest_that_turned_out_wrong_is_forgotten_and_no_other_one(tmp_path: Path) -> None:
    file = tmp_path / "cache" / "memory.json"
    memory = RememberedFacts(file)
    for stamp in ("a 1@2", "b 1@2"):
        memory.note_digest(stamp, "1" * 64)
    memory.save()
    memory = RememberedFacts(file)
    assert memory.find_digest("a 1@2")
    memory.forget_digest("a 1@2")
    assert memory.find_digest("a 1@2") is None
    memory.save()
    assert [RememberedFacts(file).find_digest(stamp) for stamp in ("a 1@2", "b 1@2")] == [None, "1" * 64]


def test_digests_never_take_the_room_of_facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("algosync.sources.remembered_facts._LARGEST", 2000)
    file = tmp_path / "cache" / "memory.json"
    memory = RememberedFacts(file)
    memory.note("Hello", "key", FACTS)
    for number in range(100):
        memory.note_digest(f"{number} 1@2", "1" * 64)
    memory.save()
    assert RememberedFacts(file).find("Hello", "key") == FACTS
    assert RememberedFacts(file).find_digest("1 1@2") is None


def test_a_memory_of_an_older_version_has_no_digests(tmp_path: Path) -> None:
    file = tmp_path / "memory.json"
    file.write_text(json.dumps({"format": 1, "entries": {}, "digests": {"a": "1" * 64, "b": "no digest"}}))
    file.chmod(0o600)
    assert [RememberedFacts(file).find_digest(stamp) for stamp in "ab"] == ["1" * 64, None]
    file.write_text('{"format": 1, "entries": {}}')
    assert RememberedFacts(file).find_digest("a") is None


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b'{"format": 1, "entries": {}, "digests": []}',
        b'{"format": 1, "entries": {}, "digests": {"a": 1}}',
        b"\xff",
        b"[]",
        b'{"format": 2, "entries": {}}',
        b'{"format": 1, "entries": {"Hello": ["key", {}]}}',
        b'{"format": 1, "entries": {"Hello": "key"}}',
        b"[" * 100_000,
        json.dumps(
            {"format": 1, "entries": {"Hello": ["key", {"id": 1, "paths": [], "blobs": {}, "reads": {}, "notes": []}]}}
        ).encode(),
    ],
)
def test_a_damaged_memory_is_no_memory(text: bytes, tmp_path: Path) -> None:
    file = tmp_path / "memory.json"
    file.write_bytes(text)
    memory = RememberedFacts(file)
    assert memory.find("Hello", "key") is None
    memory.note("Hello", "key", FACTS)
    memory.save()
    assert RememberedFacts(file).find("Hello", "key") == FACTS


def test_a_memory_that_others_may_write_is_not_believed(tmp_path: Path) -> None:
    file = tmp_path / "memory.json"
    memory = RememberedFacts(file)
    memory.note("Hello", "key", FACTS)
    memory.save()
    file.chmod(0o666)
    assert RememberedFacts(file).find("Hello", "key") is None


def test_a_memory_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    memory = RememberedFacts(tmp_path / "file" / "memory.json")
    memory.note("Hello", "key", FACTS)
    memory.save()


def test_the_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("algosync.sources.remembered_facts._MOST_FILES", 3)
    monkeypatch.setattr("algosync.sources.remembered_facts._LARGEST", 1000)
    for number in range(5):
        memory = RememberedFacts(tmp_path / "sources" / f"{number:032}.json")
        memory.note("Hello", "key", FACTS)
        memory.save()
    assert len(list((tmp_path / "sources").iterdir())) == 3
    for number in range(10):  # only what the last command looked at stays
        memory = RememberedFacts(tmp_path / "sources" / "4.json")
        memory.note(f"Hello{number}", "key", FACTS)
        memory.save()
    assert RememberedFacts(tmp_path / "sources" / "4.json").find("Hello9", "key") == FACTS


@pytest.mark.parametrize("others", ["write", "link"])
def test_nothing_is_removed_from_a_folder_that_is_no_cache(others: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("algosync.sources.remembered_facts._MOST_FILES", 1)
    documents = tmp_path / "documents"
    documents.mkdir()
    names = {"thesis.txt", "notes.json", f"{5:032}.json"}
    for name in names:
        (documents / name).write_text("")
        os.utime(documents / name, (1, 1))
    folder = tmp_path / "cache" / "algosync" / "sources"
    folder.parent.mkdir(parents=True, mode=0o700)
    folder.symlink_to(documents)
    if others == "write":
        documents.chmod(0o777)
    else:
        os.chown(folder, 12345, -1, follow_symlinks=False) if os.geteuid() == 0 else pytest.skip("only root makes a link of others")
    memory = RememberedFacts(folder / f"{1:032}.json")
    memory.note("Hello", "key", FACTS)
    memory.save()
    assert {each.name for each in documents.iterdir()} == names


def test_only_files_of_the_memory_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("algosync.sources.remembered_facts._MOST_FILES", 1)
    folder = tmp_path / "sources"
    folder.mkdir()
    for name in ("thesis.txt", "notes.json", f"{5:032}.json"):
        (folder / name).write_text("")
        os.utime(folder / name, (1, 1))
    memory = RememberedFacts(folder / f"{1:032}.json")
    memory.note("Hello", "key", FACTS)
    memory.save()
    assert {each.name for each in folder.iterdir()} == {"thesis.txt", "notes.json", f"{1:032}.json"}


def test_its_place_is_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert memory_of(tmp_path / "a").parent == tmp_path / "algosync" / "sources"
    assert memory_of(tmp_path / "a") != memory_of(tmp_path / "b")
