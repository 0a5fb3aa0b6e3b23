"""Pushes that are meant to hurt the server, or everybody else who uses it."""

from pathlib import Path

import pytest
from emulated import Emulator
from gitwork import Work, needs_git


@needs_git
@pytest.mark.parametrize(("there", "wanted"), [("x/y", "x/y/z"), ("x/y/z", "x/y"), ("other", "long" * 75)])
def test_what_has_moved_is_built_although_another_ref_of_the_push_cannot_be(
    site: Emulator, tmp_path: Path, there: str, wanted: str
) -> None:
    """Refs are files: one cannot be a folder of others, nor have any length."""
    name = f"Conflict{len(there)}{len(wanted)}"
    site.create(name)
    work = Work(site, name, tmp_path / "work")
    work.run("push", "-q", "origin", f"master:{there}")
    (work.folder / ".adk").unlink()
    commit = work.commit("requirements.txt", "")
    said = work.run("push", "--porcelain", "origin", "master", f"master:{wanted}", code=1)
    assert f"!\trefs/heads/master:refs/heads/{wanted}\t[remote rejected] (failed to update ref)\n" in said.stdout
    assert site.fetch(name)[1] == commit.encode()
    builds = site.get(f"/v1/algorithms/local/{name}/builds")["results"]
    assert [build["commit_sha"] for build in builds] == [commit]
    work.run("push", "-q", "origin", "master:afterwards")
    assert list(site.root.glob("git/*.git/refs/**/*.lock")) == []
