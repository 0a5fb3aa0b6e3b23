"""A folder and its archives by GNU tar, bsdtar and Python give one tree, whatever tools have left in the folder."""

from __future__ import annotations

import os
import subprocess
import tarfile
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

from algosync.core.error import SourceError
from algosync.core.tree import Blob, tree_id
from algosync.sources.archive import SourceFiles, read_archive, read_folder
from algosync.sources.ignored_files import IgnoreRules

MODULE = b"def apply(input):\n    return 1\n"
BASE = {"requirements.txt": Blob(b"numpy\n"), "src/Hello.py": Blob(MODULE)}


def file(path: str, data: bytes = b"x", mode: int = 0o644) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
        (folder / path).chmod(mode)

    return write


def folder(path: str) -> Callable[[Path], None]:
    return lambda top: (top / path).mkdir(parents=True)


def link(path: str, target: str) -> Callable[[Path], None]:
    return lambda top: (top / path).symlink_to(target)


def hard_link(path: str, target: str) -> Callable[[Path], None]:
    return lambda top: os.link(top / target, top / path)


def all_of(*steps: Callable[[Path], None]) -> Callable[[Path], None]:
    def run(top: Path) -> None:
        for step in steps:
            step(top)

    return run


def environment(path: str) -> Callable[[Path], None]:
    return lambda top: venv.create(top / path, with_pip=False, symlinks=True)


COPY = {"src/copy.py": Blob(MODULE)}
IGNORE = ".algosyncignore"
# What is in the folder, which files come on top of BASE, and what is left out.
ODDITIES: dict[str, tuple[Callable[[Path], None], dict[str, Blob], tuple[str, ...]]] = {
    "nothing": (all_of(), {}, ()),
    "ds-store": (all_of(file(".DS_Store"), file("src/.DS_Store")), {}, (".DS_Store", "src/.DS_Store")),
    "apple-double": (all_of(file("._src"), file("src/._Hello.py")), {}, ("._src", "src/._Hello.py")),
    "apple-double-of-the-top": (file("._."), {}, ("._.",)),
    "macosx": (file("__MACOSX/src/._Hello.py"), {}, ("__MACOSX/",)),
    "git": (all_of(file(".git/HEAD"), file(".git/objects/ab/c"), folder(".git/refs")), {}, (".git/",)),
    "git-with-odd-names": (all_of(file(".git/refs/a\\b"), file(".git/" + "d/" * 40 + "x")), {}, (".git/",)),
    "git-worktree": (file(".git", b"gitdir: /elsewhere\n"), {}, (".git",)),
    "git-of-a-submodule": (file("src/vendor/.git"), {}, ("src/vendor/.git",)),
    "git-taken-back": (all_of(file(".git/HEAD"), file(IGNORE, b"!.git\n")), {}, (".git/",)),
    "gitignore-is-not-used": (
        all_of(file(".gitignore", b"*.bin\n"), file("src/x.bin")),
        {".gitignore": Blob(b"*.bin\n"), "src/x.bin": Blob(b"x")},
        (),
    ),
    "pycache": (file("src/__pycache__/Hello.cpython-311.pyc"), {}, ("src/__pycache__/",)),
    "empty-pycache": (folder("src/__pycache__"), {}, ("src/__pycache__/",)),
    "pyc": (all_of(file("src/Hello.pyc"), file("src/a/b.pyo")), {}, ("src/Hello.pyc", "src/a/b.pyo")),
    "venv": (environment(".venv"), {}, (".venv/",)),
    "venv-of-another-name": (environment("my env"), {}, ("my env/",)),
    "venv-below-src": (environment("src/env"), {}, ("src/env/",)),
    "broken-link-in-a-venv": (all_of(folder(".venv/bin"), link(".venv/bin/python", "/missing")), {}, (".venv/",)),
    "hard-link": (hard_link("src/copy.py", "src/Hello.py"), COPY, ()),
    "hard-link-into-what-is-left-out": (
        all_of(file(".git/x", MODULE), hard_link("src/copy.py", ".git/x")),
        COPY,
        (".git/",),
    ),
    "link": (link("src/copy.py", "Hello.py"), COPY, ()),
    "link-to-a-link": (all_of(link("a", "src/b"), link("src/b", "Hello.py")), {"a": Blob(MODULE), "src/b": Blob(MODULE)}, ()),
    "link-to-a-folder": (link("code", "src"), {"code/Hello.py": Blob(MODULE)}, ()),
    "hard-linked-link": (
        all_of(link("src/copy.py", "Hello.py"), lambda top: os.link(top / "src/copy.py", top / "src/x", follow_symlinks=False)),
        {**COPY, "src/x": Blob(MODULE)},
        (),
    ),
    "broken-link-that-is-ignored": (all_of(link("cache", "/missing"), file(IGNORE, b"cache\n")), {}, ("cache",)),
    "empty-folder": (folder("src/empty"), {}, ()),
    "executable": (file("src/run", b"#!", 0o755), {"src/run": Blob(b"#!", executable=True)}, ()),
    "group-may-write": (file("src/x", b"x", 0o664), {"src/x": Blob(b"x")}, ()),
    "executable-for-others-only": (file("src/x", b"x", 0o655), {"src/x": Blob(b"x")}, ()),
    "ignored-by-pattern": (
        all_of(file("tests/data.bin"), file("src/notes.rst"), file(IGNORE, b"# comment\n/tests/\n*.rst\n")),
        {},
        ("src/notes.rst", "tests/"),
    ),
    "ignored-but-for-one": (
        all_of(file("notes/a"), file("notes/b"), file(IGNORE, b"/notes/*\n!/notes/b\n")),
        {"notes/b": Blob(b"x")},
        ("notes/a",),
    ),
    "ignored-and-empty": (all_of(folder("build"), file(IGNORE, b"build/\n")), {}, ("build/",)),
    "default-taken-back": (
        all_of(file("src/a.pyc"), file("src/b.pyc"), file(IGNORE, b"!a.pyc\n")),
        {"src/a.pyc": Blob(b"x")},
        ("src/b.pyc",),
    ),
    "folder-taken-back": (
        all_of(file("src/__pycache__/a.txt"), file("src/__pycache__/a.pyc"), file(IGNORE, b"!__pycache__/\n")),
        {"src/__pycache__/a.txt": Blob(b"x")},
        ("src/__pycache__/a.pyc",),
    ),
    "below-an-ignored-folder-nothing-is-taken-back": (
        all_of(file("src/__pycache__/a.txt"), file(IGNORE, b"!a.txt\n")),
        {},
        ("src/__pycache__/",),
    ),
    "long-names": (file("src/" + "n" * 200, b"1"), {"src/" + "n" * 200: Blob(b"1")}, ()),
    "unicode": (file("src/ünï/空", b"1"), {"src/ünï/空": Blob(b"1")}, ()),
}


def python_tar(archive: Path, folder: Path, name: str) -> None:
    with tarfile.open(archive, "w:gz") as out:
        out.add(folder / name, name)


def gnu_tar(archive: Path, folder: Path, name: str) -> None:
    subprocess.run(["tar", "-czf", archive, "-C", folder, name], check=True)


def bsd_tar(archive: Path, folder: Path, name: str) -> None:
    subprocess.run(["bsdtar", "-czf", archive, "-C", folder, name], check=True)


PACKERS = [
    python_tar,
    pytest.param(gnu_tar, marks=pytest.mark.needs("tar")),
    pytest.param(bsd_tar, marks=pytest.mark.needs("bsdtar")),
]


def written(top: Path, oddity: str) -> Path:
    file("src/Hello.py", MODULE)(top)
    file("requirements.txt", b"numpy\n")(top)
    ODDITIES[oddity][0](top)
    return top


def archived(path: Path) -> SourceFiles:
    with path.open("rb") as stream:
        return read_archive(stream)


@pytest.mark.parametrize("oddity", ODDITIES)
def test_what_tools_leave_in_a_folder_is_left_out(tmp_path: Path, oddity: str) -> None:
    _, files, left_out = ODDITIES[oddity]
    expected = SourceFiles({**BASE, **files}, left_out)
    assert read_folder(written(tmp_path / "Hello", oddity)) == expected


@pytest.mark.parametrize("around", [".", "Hello"])
@pytest.mark.parametrize("pack", PACKERS)
def test_a_folder_and_its_archives_have_one_tree(tmp_path: Path, pack: Callable[[Path, Path, str], None], around: str) -> None:
    for number, (oddity, (_, files, left_out)) in enumerate(ODDITIES.items()):
        place = tmp_path / str(number)
        top = written(place / "Hello", oddity)
        pack(place / "x.tar.gz", top if around == "." else place, around)
        found = archived(place / "x.tar.gz")
        assert (oddity, found) == (oddity, SourceFiles({**BASE, **files}, left_out))
        assert tree_id(found.files) == tree_id(read_folder(top).files)


@pytest.mark.parametrize("pack", PACKERS)
def test_macos_files_beside_the_only_folder_are_left_out(tmp_path: Path, pack: Callable[[Path, Path, str], None]) -> None:
    written(tmp_path / "in/Hello", "nothing")
    all_of(file("__MACOSX/Hello/._src"), file("._Hello"), file(".DS_Store"))(tmp_path / "in")
    pack(tmp_path / "x.tar.gz", tmp_path / "in", ".")
    expected = SourceFiles(BASE, (".DS_Store", "._Hello", "__MACOSX/"))
    assert archived(tmp_path / "x.tar.gz") == expected == read_folder(tmp_path / "in")


PATTERNS = {
    "whitelist": ("*\n!*/\n!*.py\n!requirements.txt\n", ["src/Hello.py", "src/x.bin", "requirements.txt", "a/b.txt", "a/c.py"]),
    "anchored": ("/a\nb/c\n", ["a", "x/a", "b/c", "x/b/c"]),
    "folders-only": ("data/\n", ["data/x", "src/data"]),
    "double-star": ("**/x\na/**\nc/**/d\n", ["x", "p/q/x", "a/b/c", "c/d", "c/e/f/d"]),
    "classes": ("[ab].txt\n?.rst\n\\#x\n\\!y\nz\\ \n", ["a.txt", "c.txt", "1.rst", "12.rst", "#x", "!y", "z "]),
    "order": ("*.txt\n!keep.txt\nkeep.txt\n", ["keep.txt", "a.txt"]),
    "below-an-ignored-folder": ("a/\n!a/b\n", ["a/b", "a/c"]),
    "below-an-open-folder": ("a/*\n!a/b/\n", ["a/b/x", "a/c/x"]),
    "deepest": ("a/**/\n!c/**/\n", ["a/x", "a/b/x", "c/x"]),
    "spaces": ("a  \n", ["a", "a  "]),
}


@pytest.mark.needs("git")
@pytest.mark.parametrize("name", PATTERNS)
def test_patterns_mean_what_they_mean_to_git(tmp_path: Path, name: str) -> None:
    text, paths = PATTERNS[name]
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    file(".gitignore", text.encode())(tmp_path)
    for path in paths:
        file(path)(tmp_path)
    command = ["git", "-C", str(tmp_path), "ls-files", "--others", "--exclude-standard", "-z"]
    kept = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
    rules = IgnoreRules(text.encode())
    assert [path for path in paths if rules.topmost(path, ()) is None] == [path for path in paths if path in kept]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"\xff", ".algosyncignore is not UTF-8"),
        (b"#" * 70_000, ".algosyncignore is larger than 65536 bytes"),
        (b"a\n" * 1001, ".algosyncignore has more than 1000 patterns"),
        (b"*a" * 6, ".algosyncignore has a pattern with more than 5 stars: *a*a*a*a*a*a"),
        (b"!", ".algosyncignore has an invalid pattern"),
        (b"src\n", "the source has no folder src at its top"),
    ],
)
def test_an_ignore_file_that_cannot_be_used_is_refused(tmp_path: Path, text: bytes, message: str) -> None:
    top = written(tmp_path / "Hello", "nothing")
    file(IGNORE, text)(top)
    python_tar(tmp_path / "x.tar.gz", top, ".")
    with pytest.raises(SourceError) as of_folder:
        read_folder(top)
    with pytest.raises(SourceError) as of_archive:
        archived(tmp_path / "x.tar.gz")
    assert of_folder.value.message.startswith(message)
    assert of_archive.value.message.startswith(message)


def test_an_ignore_file_that_is_a_link_is_refused(tmp_path: Path) -> None:
    top = written(tmp_path / "Hello", "nothing")
    all_of(file("rules"), link(IGNORE, "rules"))(top)
    with pytest.raises(SourceError, match="is a symbolic link"):
        read_folder(top)
