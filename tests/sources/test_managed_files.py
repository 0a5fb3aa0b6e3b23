"""Which files are managed, whether the marker `.adk` belongs to a source, and how a placeholder is filled in."""

from __future__ import annotations

import pytest
from hypothesis import given
from trees import TREES

from algosync.core.tree import Blob, tree_id
from algosync.sources.managed_files import managed, merge, with_marker
from algosync.sources.placeholders import fill_owner


@given(destination=TREES, archive=TREES)
def test_the_managed_part_of_a_merge_is_what_was_with_marker(destination: dict[str, Blob], archive: dict[str, Blob]) -> None:
    want = with_marker(archive, "Hello")
    merged = merge(destination, want)
    ours = managed(merged, want.keys())
    assert ours == want
    assert tree_id(ours) == tree_id(want)
    tree_id(merged)  # raises if a path is both a file and a folder
    assert merge(merged, want) == merged


@given(destination=TREES, archive=TREES)
def test_a_merge_keeps_unmanaged_files(destination: dict[str, Blob], archive: dict[str, Blob]) -> None:
    want = with_marker(archive, "Hello")
    unmanaged = destination.items() - managed(destination, want.keys()).items()
    assert unmanaged <= merge(destination, want).items()
    assert {path for path in destination if path.partition("/")[0] == "algorithmia.conf"} <= dict(unmanaged).keys()


def test_files_of_the_destination_s_template_stay_outside_src() -> None:
    destination = {
        "algorithmia.conf": Blob(b"theirs"),
        "README.md": Blob(b"theirs"),
        ".adk": Blob(b""),
        "src/template.py": Blob(b"theirs"),
        "requirements.txt": Blob(b"theirs"),
    }
    want = {"src/Hello.py": Blob(b"ours"), "requirements.txt": Blob(b"ours")}
    assert merge(destination, want) == want | {"algorithmia.conf": Blob(b"theirs"), "README.md": Blob(b"theirs")}


def test_the_owner_is_inserted_into_text_files_only() -> None:
    tree = {
        "text": Blob("é data://<user>/x <user>".encode(), executable=True),
        "nul": Blob(b"\0<user>"),
        "latin": Blob(b"\xe9<user>"),
        "link": Blob(b"<user>", kind="symlink"),
    }
    assert fill_owner(tree, "quality") == tree | {"text": Blob("é data://quality/x quality".encode(), executable=True)}


APPLY = b"def apply(input):\n    return 1\n"
KIT = b"from Algorithmia import ADK\ndef apply(input):\n    return 1\nADK(apply).init('x')\n"
LAYOUTS = {
    "apply": (APPLY, False),
    "apply-imported": (b"from .other import run as apply\n", False),
    "apply-assigned": (b"apply = print\n", False),
    "apply-in-try": (b"try:\n    import x\nexcept ImportError:\n    pass\nelse:\n    def apply(i): ...\n", False),
    "apply-and-the-word-in-a-string": (APPLY + b"'''ADK(apply).init()'''\n# ADK(apply).init()\n", False),
    "apply-with-a-kit-for-trying-out": (
        APPLY + b"if __name__ == '__main__':\n    from adk import ADK\n    ADK(apply).init(1)\n",
        False,
    ),
    "kit": (KIT, True),
    "kit-by-module": (b"import adk\nk = adk.ADK(print)\nk.init()\n", True),
    "kit-renamed": (b"from adk import ADK as Kit\ndef apply(i): ...\nKit(apply).init()\n", True),
    "kit-in-if": (b"from adk import ADK\nif True:\n    ADK(print).init()\n", True),
    "kit-unless-main": (b"from adk import ADK\nif __name__ != '__main__':\n    ADK(print).init()\n", True),
}
UNCLEAR = {
    "kit-in-a-function": b"from adk import ADK\ndef main():\n    ADK(apply).init()\ndef apply(i): ...\nmain()\n",
    "python-2": b"print 'hello'\ndef apply(input): return 1\n",
    "neither": b"x = 1\n",
    "no-text": b"\xff\xfe\0",
    "deep": b"x = " + b"(" * 100_000,
    "deep-operators": b"x = " + b"-" * 200_000 + b"1",
    "long": b"x = 1 #" + b" " * (5 << 20),
    "chain": b"x" + b".a" * 100_000,
    "sum": KIT + b"x = " + b"1+" * 130_000 + b"1",
    "endless-string": KIT + b"x = '''",
}


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("carried", [True, False])
def test_the_marker_fits_the_code(name: str, carried: bool) -> None:
    source, wanted = LAYOUTS[name]
    archive = {"src/Hello.py": Blob(source)} | ({".adk": Blob(b"theirs")} if carried else {})
    marker = {".adk": Blob(b"theirs" if carried else b"")} if wanted else {}
    assert with_marker(archive | {"algorithmia.conf": Blob(b"")}, "Hello") == {"src/Hello.py": Blob(source)} | marker


@pytest.mark.parametrize(("source", "marker"), [(KIT, {".adk": Blob(b"")}), (APPLY, {})])
def test_a_folder_where_the_marker_belongs_is_left_out(source: bytes, marker: dict[str, Blob]) -> None:
    kept = {"src/Hello.py": Blob(source), ".adk.d/x": Blob(b"1")}
    want = with_marker(kept | {".adk/settings": Blob(b"1"), ".adk/a/b": Blob(b"2")}, "Hello")
    assert want == kept | marker
    assert tree_id(want) == tree_id(kept | marker)


@pytest.mark.parametrize("name", UNCLEAR)
def test_if_the_layout_is_unclear_the_archive_decides(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    marked = {"src/Hello.py": Blob(UNCLEAR[name]), ".adk": Blob(b"")}
    without = {"src/Hello.py": Blob(UNCLEAR[name])}
    assert with_marker(marked, "Hello") == marked
    assert with_marker(without, "Hello") == without
    assert with_marker({".adk": Blob(b""), "src/Other.py": Blob(APPLY)}, "Hello").keys() == {".adk", "src/Other.py"}
    assert capfd.readouterr() == ("", "")


@pytest.mark.filterwarnings("error")
def test_a_stray_backslash_prints_no_warning() -> None:
    assert with_marker({"src/Hello.py": Blob(APPLY + b"x = '\\d'\n"), ".adk": Blob(b"")}, "Hello").keys() == {"src/Hello.py"}
