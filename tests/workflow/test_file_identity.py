"""A workflow file is the same file in every checkout, from every folder, and in every spelling of its path."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Literal

import pytest

from algosync.workflow import file_identity


def written(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")
    return path


def test_a_path_starts_at_the_top_of_the_repository(tmp_path: Path) -> None:
    for checkout in ("one", "two"):
        (tmp_path / checkout / ".git").mkdir(parents=True)
        file = written(tmp_path / checkout / "team" / "workflows" / "w.json")
        for folder in (tmp_path, file.parent):
            assert file_identity(file, folder).path == "team/workflows/w.json"


def test_a_worktree_has_a_file_for_git(tmp_path: Path) -> None:
    written(tmp_path / ".git")
    assert file_identity(written(tmp_path / "a" / "w.json"), tmp_path / "a").path == "a/w.json"


def test_without_a_repository_it_starts_at_the_current_folder(tmp_path: Path) -> None:
    file = written(tmp_path / "a" / "w.json")
    assert file_identity(file, tmp_path).path == "a/w.json"
    assert file_identity(file, tmp_path / "a").path == "w.json"
    assert file_identity(file, tmp_path / "a" / "b").path == "../w.json"


def test_links_lead_to_the_file(tmp_path: Path) -> None:
    file = written(tmp_path / "a" / "w.json")
    (tmp_path / "link.json").symlink_to(file)
    (tmp_path / "folder").symlink_to(tmp_path / "a")
    for path in (tmp_path / "link.json", tmp_path / "folder" / "w.json"):
        assert file_identity(path, tmp_path) == file_identity(file, tmp_path)


@pytest.mark.parametrize("spelling", ["a/W.json", "A/w.JSON"])
def test_case_does_not_count(tmp_path: Path, spelling: str) -> None:
    one = file_identity(written(tmp_path / "a" / "w.json"), tmp_path)
    assert one.matches(spelling)
    assert one.finds(spelling)
    assert not one.matches("a/v.json")
    assert not one.finds("a/v.json")


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_both_forms_of_an_accent_are_one_name(tmp_path: Path, form: Literal["NFC", "NFD"]) -> None:
    name = unicodedata.normalize("NFC", "café.json")
    identity = file_identity(written(tmp_path / unicodedata.normalize(form, name)), tmp_path)
    assert identity.path == name
    assert identity.finds(name)


@pytest.mark.parametrize("path", ["gone/w.json", "a", "", "a/w.json/x", "a\0b", "x" * 5000])
def test_a_path_without_a_file_is_not_found(tmp_path: Path, path: str) -> None:
    """The path is read from a state, so it may be any text."""
    assert not file_identity(written(tmp_path / "a" / "w.json"), tmp_path).finds(path)
