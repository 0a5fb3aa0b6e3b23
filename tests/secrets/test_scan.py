"""The scanner finds each encoding of a secret in each kind of container."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from disguises import DISGUISES
from scan import Finding, Scanner, watching

KEY = "cN7/aRy+9&\"=kQ2'wLz"
SCANNER = Scanner({"key": KEY}, frozenset({"keys.db"}))


def _tar(data: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        member = tarfile.TarInfo("a/b")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def _zip(data: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/b", data)
    return stream.getvalue()


CONTAINERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zip": _zip,
    "tar": _tar,
    "zlib": zlib.compress,
    "tar.gz": lambda data: gzip.compress(_tar(data)),
    "zip in tar.gz": lambda data: gzip.compress(_tar(_zip(data))),
    "pack": lambda data: b"PACK\0\0\0\2\0\0\0\1" + zlib.compress(b"other") + b"\x95\x0a" + zlib.compress(data),
}


@pytest.mark.parametrize("disguise", [name for name in DISGUISES if name not in ("html-numbers", "html-hex", "json-slashes")])
def test_each_disguise_is_found(disguise: str) -> None:
    assert {finding.canary for finding in SCANNER.text(f"before {DISGUISES[disguise](KEY)} behind", "here")} == {"key"}


@pytest.mark.parametrize("disguise", ["reversed", "beginning", "end", "utf-16"])
def test_parts_and_shifted_encodings_are_found(disguise: str) -> None:
    planted = {
        "reversed": KEY[::-1].encode(),
        "beginning": KEY[:12].encode(),
        "end": KEY[-12:].encode(),
        "utf-16": KEY.encode("utf-16-le"),
    }
    assert Finding("key", disguise, "here") in set(SCANNER.data(b"x" + planted[disguise] + b"x", "here"))


@pytest.mark.parametrize("container", CONTAINERS)
def test_containers_are_opened(container: str) -> None:
    findings = list(SCANNER.data(CONTAINERS[container](b"a lot " * 50 + KEY.encode() + b" more" * 50), "here"))
    assert "raw" in {finding.disguise for finding in findings}


def test_folders_are_read_by_name_and_content(tmp_path: Path) -> None:
    name = KEY.replace("/", "")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_text(KEY)
    (tmp_path / "link").symlink_to(KEY)
    (tmp_path / "keys.db").write_text(KEY)
    findings = set(Scanner({"key": KEY, "name": name}, frozenset({"keys.db"})).folder(tmp_path))
    assert {finding.place for finding in findings if finding.disguise == "raw"} == {"a/file", "link"}
    (tmp_path / name).touch()
    assert Finding("name", "raw", f"name of {name}") in set(Scanner({"name": name}).folder(tmp_path))


def test_children_are_seen() -> None:
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()', {KEY!r}], env={{'A': {KEY!r}}})"
    process = subprocess.Popen([sys.executable, "-c", child], stdin=subprocess.PIPE)
    try:
        with watching(process.pid) as seen:
            while len([kind for kind, data in list(seen) if KEY.encode() in data]) < 2:
                assert process.poll() is None
    finally:
        process.communicate(b"\n")


def test_innocent_text_has_no_findings() -> None:
    assert list(SCANNER.text("simple Authorization: *** and cN7/aRy and nothing else", "here")) == []
