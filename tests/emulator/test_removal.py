"""Folders that others' code has filled, however: they go, and nothing else does."""

import contextlib
import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from emulated import DEADLINE, emulator, start

from algosync.emulator.processes import removal
from algosync.emulator.processes.removal import discard, remove

NOBODY = 65534


@pytest.fixture(autouse=True)
def cleared(tmp_path: Path) -> Iterator[None]:
    """pytest would remove with `shutil.rmtree` what a test has left."""
    yield
    remove(tmp_path)


def deep(folder: Path, name: str, count: int) -> None:
    """A chain of folders with a file in each, made from inside: its path is longer than any may be."""
    folder.mkdir(exist_ok=True)
    here = os.open(folder, os.O_RDONLY)
    for _ in range(count):
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(os.open("file", os.O_WRONLY | os.O_CREAT, dir_fd=below))
        os.close(here)
        here = below
    os.close(here)


def test_a_folder_of_any_depth(tmp_path: Path) -> None:
    deep(tmp_path / "folder", "e", 3000)
    deep(tmp_path / "folder", "long" * 50, 30)
    remove(tmp_path / "folder")
    assert list(tmp_path.iterdir()) == []
    remove(tmp_path / "folder")
    remove(tmp_path / "nowhere" / "folder")


def test_links_are_removed_and_never_followed(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    (kept / "below").mkdir(parents=True)
    kept.chmod(0o500)
    (tmp_path / "way").symlink_to(tmp_path)
    for place in (tmp_path / "link", tmp_path / "folder" / "below" / "link"):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(kept)
    os.mkfifo(tmp_path / "folder" / "pipe")
    remove(tmp_path / "link")
    remove(tmp_path / "way" / "folder")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["below", "kept", "way"]
    assert kept.stat().st_mode & 0o777 == 0o500


def test_folders_that_nobody_may_read_or_change(tmp_path: Path) -> None:
    """Whoever runs the tests: root may do anything anyway, so this is somebody else's process."""
    script = (
        "import os, sys; from pathlib import Path; from algosync.emulator.processes.removal import remove; os.chdir(sys.argv[1]);"
        f"os.getuid() or (os.chown('.', {NOBODY}, {NOBODY}), os.setgid({NOBODY}), os.setuid({NOBODY}));"
        "[Path('folder', *['below'] * count).mkdir() for count in range(4)];"
        "[os.chmod(Path('folder', *['below'] * count), mode) for count, mode in ((3, 0), (2, 0o300), (1, 0o500), (0, 0))];"
        "remove(Path('folder'))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_removed_is_told_and_the_rest_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As with a file that the system keeps, which only root can make."""
    folder, unlink = tmp_path / "folder", os.unlink
    for name in ("one", "two"):
        (folder / name).mkdir(parents=True)
        (folder / name / name).touch()

    def refuse(name: str, *, dir_fd: int) -> None:
        if name == "one":
            raise OSError(errno.EPERM, "Operation not permitted", name)
        unlink(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", refuse)
    with pytest.raises(PermissionError) as raised:
        remove(folder)
    assert (raised.value.strerror, raised.value.filename) == ("Operation not permitted", str(folder))
    assert [path.name for path in folder.rglob("*")] == ["one", "one"]
    discard(folder)
    assert caplog.messages == [f"{folder} is not removed: Operation not permitted"]


def test_who_never_stops_writing_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Faster than any removal: below each folder there is another one by the time that it is looked at."""
    monkeypatch.setattr(removal, "PATIENCE_SECONDS", 0.2)
    folder, rename = tmp_path / "folder", os.rename
    (folder / "first" / "next").mkdir(parents=True)

    def follow(name: str, new: str, *, src_dir_fd: int, dst_dir_fd: int) -> None:
        rename(name, new, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
        os.mkdir(f"{new}/next", dir_fd=dst_dir_fd)

    monkeypatch.setattr(os, "rename", follow)
    with pytest.raises(OSError, match="Directory not empty"):
        remove(folder)


def test_a_folder_that_is_still_written_to(tmp_path: Path) -> None:
    """Each folder that is made is below the last one; when their writer has ended, nothing is left of any."""
    (tmp_path / "folder").mkdir()
    here = os.open(tmp_path / "folder", os.O_RDONLY)

    def write() -> None:
        nonlocal here
        # Until the one that it is in is removed.
        with contextlib.suppress(FileNotFoundError):
            for _ in range(2000):
                os.mkdir("next", dir_fd=here)
                here, last = os.open("next", os.O_RDONLY, dir_fd=here), here
                os.close(last)

    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive():
        discard(tmp_path / "folder")
    os.close(here)
    remove(tmp_path / "folder")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("entries", [0, 3])
def test_a_folder_that_another_has_made_anew_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entries: int) -> None:
    """It has the name of the one that is removed, and nothing else in common."""
    folder, rmdir = tmp_path / "folder", os.rmdir
    folder.mkdir()

    def anew(name: str, *, dir_fd: int) -> None:
        """Who writes into it keeps it there; then all of it goes, and another comes."""
        monkeypatch.undo()
        rmdir(name, dir_fd=dir_fd)
        for number in range(entries):
            (folder / str(number)).mkdir(parents=True)
        folder.mkdir(exist_ok=True)
        raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), name)

    monkeypatch.setattr(os, "rmdir", anew)
    remove(folder)
    assert len(list(folder.iterdir())) == entries


def test_a_cluster_starts_whatever_has_been_left(tmp_path: Path, environments: Path) -> None:
    """Folders without end, of calls, builds, packages that a build has made, and refs from before their names had limits."""
    root, cache = tmp_path / "root", tmp_path / "environments"
    site = start(root, environments)
    algorithm = site.create("Any")["id"]
    site.stop(signal.SIGKILL)
    left = [root / "run", root / "builds" / "unknown", root / "git" / "unknown.git", cache / "venv-3.11-unfinished"]
    for folder in left:
        folder.mkdir(parents=True, exist_ok=True)
        deep(folder, "e", 1100)
    refs = root / "git" / f"{algorithm}.git" / "refs"
    deep(refs, "a", 1100)
    (refs / "late.lock").touch()
    with emulator(root, cache) as again:
        assert [folder for folder in left if folder.exists()] == []
        assert not (refs / "late.lock").exists()
        assert again.get("/v1/data/") == {"folders": [{"name": "local"}]}
