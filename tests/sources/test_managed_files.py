"""Which files are managed, whether the marker `.adk` belongs to a source, and how a placeholder is filled in."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from trees import TREES

from algosync.core.tree import Blob, tree_id
from algosync.sources.managed_files import managed, merge, with_marker
from algosync.sources.placeholders import FilledTree, fill_owner


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
        "link": Blob(b"<user>", kind="symlink"),
    }
    filled = fill_owner(tree, "quality")
    assert filled.files == tree | {"text": Blob("é data://quality/x quality".encode(), executable=True)}
    assert filled.notes == ()


ENCODED = {
    "latin-1": ("src/x.py", "# -*- coding: latin-1 -*-\n# é <user>\n".encode("latin-1")),
    "second-line": ("src/x.py", "#!/usr/bin/env python\n# vim: set fileencoding=cp1252 :\n# € <user>\n".encode("cp1252")),
    "koi8-r": ("src/x.pyi", "# coding=koi8-r\n# ж <user>\n".encode("koi8-r")),
    "shift-jis": ("src/x.py", "# coding: shift_jis\n# 表 <user>\n".encode("shift_jis")),
    "iso-2022-jp": ("src/x.py", "# coding: iso-2022-jp\n# 日本 <user> 日本\n".encode("iso-2022-jp")),
    "utf-8-mark": ("src/x.py", "\ufeff# é <user>\n".encode()),
    "utf-8-mark-and-declaration": ("src/x.py", "\ufeff# coding: utf-8\n# é <user>\n".encode()),
    "utf-16-le": ("requirements.txt", codecs.BOM_UTF16_LE + "a <user>\n".encode("utf-16-le")),
    "utf-16-be": ("requirements.txt", codecs.BOM_UTF16_BE + "a <user>\n".encode("utf-16-be")),
    "utf-32-le": ("x", codecs.BOM_UTF32_LE + "a <user>\n".encode("utf-32-le")),
    "utf-32-be": ("x", codecs.BOM_UTF32_BE + "a <user>\n".encode("utf-32-be")),
}
CODECS = {"second-line": "cp1252", "utf-8-mark": "utf-8", "utf-8-mark-and-declaration": "utf-8"}


@pytest.mark.parametrize("name", ENCODED)
def test_the_owner_is_inserted_by_the_encoding_of_the_file(name: str) -> None:
    path, data = ENCODED[name]
    codec = CODECS.get(name, name)
    filled = fill_owner({path: Blob(data)}, "quality")
    assert filled.files[path].data == data.decode(codec).replace("<user>", "quality").encode(codec)
    assert filled.notes == ()


UNKNOWN = {
    "latin-1-without-declaration": ("src/x.py", b"# \xe9\n# <user>\n"),
    "latin-1-further-down": ("src/x.py", b"1\n2\n3\n# \xe9 <user>\n"),
    "no-such-encoding": ("src/x.py", b"# coding: klingon\n# <user>\n"),
    "not-a-text-encoding": ("src/x.py", b"# coding: rot13\n# <user>\n"),
    "wrong-declaration": ("src/x.py", b"# coding: ascii\n# \xe9 <user>\n"),
    "latin-1-text": ("notes.txt", b"\xe9 <user>"),
    "half-a-character": ("x", codecs.BOM_UTF16_LE + b"<\0u\0s\0e\0r\0>\0a"),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_file_of_unknown_encoding_stays_and_is_named(name: str) -> None:
    path, data = UNKNOWN[name]
    filled = fill_owner({path: Blob(data)}, "quality")
    assert filled.files == {path: Blob(data)}
    assert filled.notes == (f"{path}: <user> is not filled in, because the file's encoding is not known; save it as UTF-8",)


@pytest.mark.parametrize(
    "data", [codecs.BOM_UTF16_LE + b"\0\xd8", codecs.BOM_UTF16_LE, b"\xff\xfe\0\0\1", b"\xe9", b"\0<user>\xe9"]
)
def test_a_file_without_the_placeholder_is_not_named(data: bytes) -> None:
    filled = fill_owner({"src/x.py": Blob(data), "x": Blob(data)}, "quality")
    assert filled == FilledTree({"src/x.py": Blob(data), "x": Blob(data)})


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
