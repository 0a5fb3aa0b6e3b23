"""What is ignored by default is not counted among the files of an archive, and nothing that is ignored among those of a folder."""

from __future__ import annotations

from pathlib import Path

from packing import SRC, packed, read

from algosync.sources.archive import ArchiveLimits, read_folder

FEW = ArchiveLimits(entries=4)


def test_default_names_in_an_archive_do_not_count() -> None:
    ignored = [(f"src/__pycache__/{number}.pyc", b"") for number in range(6)]
    assert set(read(packed(*ignored), FEW)) == {SRC[0]}


def test_ignored_files_of_a_folder_do_not_count(tmp_path: Path) -> None:
    for name in ("src/Hello.py", *(f"notes/{number}" for number in range(10))):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * 100)
    (tmp_path / ".algosyncignore").write_text("/notes/\n")
    assert set(read_folder(tmp_path, ArchiveLimits(entries=4, size=500)).files) == {"src/Hello.py"}
