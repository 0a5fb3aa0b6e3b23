"""The quick look for bytes: it is only sure about plain folders, and what it rules out the whole reading would not find either."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from algosync.core.workflow import AlgorithmSpec, Workflow
from algosync.sources.called_algorithms import call_warnings
from algosync.sources.code import has_nowhere

CALL = b"algo('<user>/Nobody')\n"


@pytest.fixture
def src(tmp_path: Path) -> Path:
    folder = tmp_path / "algorithms" / "One" / "src"
    (folder / "inner").mkdir(parents=True)
    (folder / "One.py").write_bytes(b"def apply(input):\n    return input\n")
    (folder / "empty.py").write_bytes(b"")
    (folder / "inner" / "more.py").write_bytes(b"x = 1\n")
    return folder


def warnings(src: Path) -> list[str]:
    return list(call_warnings(Workflow("w", str(src.parents[2]), (AlgorithmSpec("One", "python3"),))))


def test_a_plain_folder_without_the_bytes_is_ruled_out(src: Path) -> None:
    assert has_nowhere(b"<user>/", str(src))


@pytest.mark.parametrize("place", ["One.py", "inner/more.py", "__pycache__/One.pyc"])
def test_the_bytes_are_found_anywhere(src: Path, place: str) -> None:
    (src / place).parent.mkdir(exist_ok=True)
    (src / place).write_bytes(b"\0" * 2000 + CALL)
    assert not has_nowhere(b"<user>/", str(src))


def test_what_it_cannot_tell_is_not_ruled_out(src: Path, tmp_path: Path) -> None:
    assert not has_nowhere(b"<user>/", str(tmp_path / "gone"))
    assert not has_nowhere(b"<user>/", str(src / "One.py"))
    assert not has_nowhere(b"<user>/", f"{src}\0")
    os.mkfifo(src / "pipe")
    assert not has_nowhere(b"<user>/", str(src))
    (src / "pipe").unlink()
    (src / "link.py").symlink_to("One.py")
    assert not has_nowhere(b"<user>/", str(src))


def test_nothing_is_taken_out_of_a_pipe(src: Path) -> None:
    os.mkfifo(src / "pipe")
    pipe = os.open(src / "pipe", os.O_RDWR | os.O_NONBLOCK)
    try:
        os.write(pipe, b"kept")
        assert not has_nowhere(b"<user>/", str(src))
        assert os.read(pipe, 10) == b"kept"
    finally:
        os.close(pipe)


@pytest.mark.parametrize("told", [0, 100])
def test_a_file_of_another_size_than_the_system_tells_is_not_ruled_out(
    src: Path, told: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = os.fstat

    def fstat(file: int) -> os.stat_result:
        found = list(status(file))
        return os.stat_result([*found[:6], told, *found[7:]])  # some file systems tell 0 of each file

    monkeypatch.setattr("algosync.sources.code.os.fstat", fstat)
    assert not has_nowhere(b"<user>/", str(src))


def test_a_large_file_and_many_files_are_left_to_the_whole_reading(src: Path) -> None:
    (src / "model.bin").write_bytes(b"x" * (5 << 20))
    assert not has_nowhere(b"<user>/", str(src))
    (src / "model.bin").unlink()
    for number in range(5000):
        (src / f"f{number}.py").touch()
    assert not has_nowhere(b"<user>/", str(src))


def test_a_call_that_only_the_whole_reading_sees_is_warned_of(src: Path) -> None:
    (src.parent / "shared.py").write_bytes(CALL)
    (src / "call.py").symlink_to("../shared.py")
    assert [warning.partition(" calls ")[0] for warning in warnings(src)] == ["Warning: One: src/call.py:1"]


def test_a_folder_around_the_source_is_looked_into(src: Path) -> None:
    (src / "One.py").write_bytes(CALL)
    (src.parent / "Inner").mkdir()
    src.rename(src.parent / "Inner" / "src")
    assert [warning.partition(" calls ")[0] for warning in warnings(src)] == ["Warning: One: src/One.py:1"]


def test_sources_without_calls_are_not_read_by_the_rules_of_sources(src: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("algosync.sources.code.read_folder")  # NameError: it would be called
    assert warnings(src) == []
    (src / "One.py").write_bytes(CALL)
    with pytest.raises(NameError):
        warnings(src)
