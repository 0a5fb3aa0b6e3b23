"""The collections that a source reads."""

import pytest

from algosync.core.tree import Blob
from algosync.sources.read_collections import collections_in


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('"data://<user>/Other/a b.bin"', {"Other": ["a b.bin"]}),
        ("'data://.my/Other/a.bin' 'data://jane/Other/b.bin'", {"Other": ["a.bin", "b.bin"]}),
        ("'data://.my/Other/a.bin' 'data://.my/Other'", {"Other": []}),
        ('f"data://.my/Other/{name}"', {"Other": []}),
        ('"data://.my/Other/%s" % name', {"Other": []}),
        ("data://.my/Other/a.bin, unquoted", {"Other": []}),
        ('"data://.my/Other/folder/a.bin"', {"Other": []}),
        ('"data://.my/Own/a.bin"', {}),
        ('"data://somebody/Other/a.bin"', {}),
        ('"data://.my/Other-2/a.bin" "data://.my/Other.d/a"', {}),
        ('"data://.algo/Other/a.bin"', {}),
    ],
)
def test_collections_of_the_same_owner_are_found(text: str, found: dict[str, list[str]]) -> None:
    assert collections_in({"src/Own.py": Blob(text.encode())}, "jane", "Own") == found


def test_only_files_under_src_count() -> None:
    assert collections_in({"README.md": Blob(b'"data://.my/Other/a.bin"')}, "jane", "Own") == {}
