"""Puts the files of an example into a folder, or those of a wrong version."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from examples import WORKFLOWS, Example
from wrong_version import WrongVersion

__all__ = ["laid_out", "replaced_once"]


def laid_out(example: Example, folder: Path, wrong: WrongVersion | None = None) -> Path:
    """Sources and data files as a worker gets them: with the owner's name, and the configuration that the platform adds.

    Return the folder.
    """
    for source in example.sources:
        shutil.copytree(WORKFLOWS / source, folder / source, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / source / "algorithmia.conf").write_text(json.dumps({"algoname": Path(source).name}))
    for data in example.data:
        (folder / data).mkdir(parents=True)
        for path in (WORKFLOWS / data).iterdir():
            (folder / data / path.name).symlink_to(path)
    if wrong:
        replaced_once(folder / wrong.file, wrong.old, wrong.new)
    for path in folder.rglob("*.py"):
        path.write_text(path.read_text(encoding="utf-8").replace("<user>", "local"), encoding="utf-8")
    return folder


def replaced_once(path: Path, old: str, new: str) -> None:
    """The file gets a new copy, so that nothing that it links to changes."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{path.name} has {text.count(old)} times {old!r}"
    path.unlink()
    path.write_text(text.replace(old, new), encoding="utf-8")
