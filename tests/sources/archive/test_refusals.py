"""Every refusal of a source says how to pack it otherwise."""

from __future__ import annotations

import gzip

import pytest
from packing import member, packed, read, tar

from algosync.core.error import SourceError
from algosync.sources.archive import ArchiveLimits

FEW = ArchiveLimits(entries=3)
SMALL = ArchiveLimits(size=4096)
TIGHT = ArchiveLimits(ratio=2, grace=0)
PACK = "pack it again: tar -czf NAME.tar.gz -C FOLDER ."
LEAVE_OUT = "leave it out: of a folder by a line in .algosyncignore, of an archive with tar's --exclude"

REFUSED = {
    "entries": (packed(("src/a", b""), ("src/b", b""), ("src/c", b"")), FEW, "pack many small files into one"),
    "size": (packed(("src/a", b"x" * 5000)), SMALL, "put large files into data files"),
    "ratio": (packed(("src/a", bytes(100_000))), TIGHT, "files that compress so well"),
    "levels": (packed(("src/" + "a/" * 40 + "b", b"")), ArchiveLimits(), f"rename it, or {LEAVE_OUT}"),
    "long name": (packed(("src/" + "a" * 99, b"")), ArchiveLimits(name=50), f"rename it, or {LEAVE_OUT}"),
    "two cases": (packed(("src/A", b""), ("src/a", b"")), ArchiveLimits(), f"rename it, or {LEAVE_OUT}"),
    "absolute": (packed(("/src/a", b"")), ArchiveLimits(), PACK),
    "above": (packed(("src/../../a", b"")), ArchiveLimits(), PACK),
    "twice": (packed(("src/a", b""), ("src/a", b"")), ArchiveLimits(), PACK),
    "file and folder": (packed(("src/a", b""), ("src/a/b", b"")), ArchiveLimits(), PACK),
    "link out": (packed((member("src/a", kind=b"2", link="/etc/passwd"), b"")), ArchiveLimits(), "put the file itself there"),
    "fifo": (packed((member("src/a", kind=b"6"), b"")), ArchiveLimits(), LEAVE_OUT),
    "no src": (gzip.compress(tar(("a/b", b""))), ArchiveLimits(), "src/ and requirements.txt are at the top"),
    "no tar": (b"PK\x03\x04", ArchiveLimits(), PACK),
    "cut off": (packed()[:-20], ArchiveLimits(), PACK),
    "text": (gzip.compress(b"hello"), ArchiveLimits(), PACK),
    "ignored src": (packed((".algosyncignore", b"src\n")), ArchiveLimits(), "add the line !src to .algosyncignore"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_says_how_to_pack_it_otherwise(case: str) -> None:
    data, limits, hint = REFUSED[case]
    with pytest.raises(SourceError) as caught:
        read(data, limits)
    assert caught.value.hint is not None
    assert caught.value.hint.startswith(hint)
