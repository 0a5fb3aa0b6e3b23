"""Which backend an address means, and what an address that means none says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from algosync import state
from algosync.core.error import UsageError
from algosync.state import BACKENDS, Backend, parse_address


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_path_is_a_folder_with_or_without_a_scheme(scheme: str, tmp_path: Path) -> None:
    backend = parse_address(f"{scheme}{tmp_path}")("a.json", "algosync apply")
    assert backend.where == f"{tmp_path}/a.json"
    assert backend.journal == tmp_path / "a.json.journal"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(UsageError) as caught:
        parse_address(str(file))
    assert caught.value.message == f"--state {file} is no folder"


@pytest.mark.parametrize("address", ["s4://bucket/a", "://a", "FILE:///tmp", "\x1b[2J://a"])
def test_an_unknown_scheme_names_the_known_ones(address: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_address(address)
    assert caught.value.message.isprintable()
    assert caught.value.message.endswith(": the scheme is unknown")
    assert caught.value.hint == f"use a folder, or one of: {known(BACKENDS)}"


def test_another_backend_is_one_more_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def parse_other(address: str) -> Callable[[str, str], Backend]:
        assert address == "other://bucket/prefix"
        return BACKENDS["file"](str(tmp_path))

    monkeypatch.setattr(state, "BACKENDS", {**BACKENDS, "other": parse_other})
    assert parse_address("other://bucket/prefix")("a.json", "test").where == f"{tmp_path}/a.json"
    with pytest.raises(UsageError) as caught:
        parse_address("third://")
    assert caught.value.hint == f"use a folder, or one of: {known([*BACKENDS, 'other'])}"


def known(schemes: Iterable[str]) -> str:
    return ", ".join(f"{scheme}://" for scheme in sorted(schemes))
