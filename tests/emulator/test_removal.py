"""Removal of folders that untrusted code has filled: everything in them is removed, and nothing else."""

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
    """Remove what a test has left. pytest would use `shutil.rmtree`."""
    yield
    remove(tmp_path)


def deep(folder: Path, name: str, count: int) -> None:
    """Create nested folders with a file in each. The resulting path exceeds the maximum length of paths."""
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


def test_folders_without_permissions(tmp_path: Path) -> None:
    """Permissions do not apply to root, so the test runs in a process of another user."""
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


def test_a_failure_is_reported_and_the_rest_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Simulates an immutable file, which only root could create."""
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


def test_removal_gives_up_on_a_folder_that_keeps_growing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each folder contains another one by the time it is read."""
    monkeypatch.setattr(removal, "PATIENCE_SECONDS", 0.2)
    folder, rename = tmp_path / "folder", os.rename
    (folder / "first" / "next").mkdir(parents=True)

    def follow(name: str, new: str, *, src_dir_fd: int, dst_dir_fd: int) -> None:
        rename(name, new, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
        os.mkdir(f"{new}/next", dir_fd=dst_dir_fd)

    monkeypatch.setattr(os, "rename", follow)
    with pytest.raises(OSError, match="Directory not empty"):
        remove(folder)


def test_a_folder_that_is_written_to_meanwhile(tmp_path: Path) -> None:
    """A thread keeps creating nested folders. When it has ended, all of them can be removed."""
    (tmp_path / "folder").mkdir()
    here = os.open(tmp_path / "folder", os.O_RDONLY)

    def write() -> None:
        nonlocal here
        # Ends when the current folder is removed.
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
def test_a_new_folder_of_the_same_name_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entries: int) -> None:
    """Another process has replaced the removed folder by a new one."""
    folder, rmdir = tmp_path / "folder", os.rmdir
    folder.mkdir()

    def anew(name: str, *, dir_fd: int) -> None:
        """Fail as if the folder was not empty, and meanwhile replace it by a new one."""
        monkeypatch.undo()
        rmdir(name, dir_fd=dir_fd)
        for number in range(entries):
            (folder / str(number)).mkdir(parents=True)
        folder.mkdir(exist_ok=True)
        raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), name)

    monkeypatch.setattr(os, "rmdir", anew)
    remove(folder)
    assert len(list(folder.iterdir())) == entries


def test_a_cluster_starts_despite_deep_leftovers(tmp_path: Path, environments: Path) -> None:
    """Deeply nested folders of calls, builds and packages, and refs from before their names had limits."""
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
