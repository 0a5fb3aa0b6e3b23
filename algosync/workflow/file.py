"""Workflow files: the format by file name, and the checked text."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Literal

from algosync.core.error import UsageError
from algosync.core.lean import dataclass
from algosync.workflow.fault import Location
from algosync.workflow.node import MAX_SIZE

if TYPE_CHECKING:
    from pathlib import Path

    from algosync.workflow.fault import Faults

__all__ = ["SUFFIXES", "Format", "decoded", "format_of", "read_text"]

_SYNTAX: dict[str, Literal["json", "yaml"]] = {".json": "json", ".yaml": "yaml", ".yml": "yaml"}
SUFFIXES = tuple(suffix + template for suffix in _SYNTAX for template in ("", ".j2"))


@dataclass(frozen=True, slots=True)
class Format:
    """`stem` is the file's name without its suffixes. Only a `template` (`.j2`) is rendered."""

    stem: str
    syntax: Literal["json", "yaml"]
    template: bool


def format_of(path: Path) -> Format:
    """Return the format according to the file's name. Raises UsageError if the name has none of the suffixes."""
    template = path.suffix == ".j2"
    name = path.with_suffix("") if template else path
    syntax = _SYNTAX.get(name.suffix)
    if syntax is None:
        raise UsageError(f"{path} is not a workflow file by its name", hint=f"a name ends in {', '.join(SUFFIXES)}")
    return Format(name.stem, syntax, template)


def read_text(path: Path, faults: Faults) -> str:
    """Return the file's text. Raises UsageError if it cannot be read. Reports a fault and raises UnreadableError if it is too large
    or not UTF-8.
    """
    data = _read_bytes(path)
    if len(data) > MAX_SIZE:
        faults.stop(Location(1, 1), "too-large", f"the file is larger than {MAX_SIZE // 1024**2} MiB")
    return decoded(data, faults)


def decoded(data: bytes, faults: Faults) -> str:
    """Return the text of a file. Reports a fault and raises UnreadableError if it is not UTF-8 or has a byte order mark."""
    if data.startswith(b"\xef\xbb\xbf"):
        faults.stop(Location(1, 1), "encoding", "the file begins with a byte order mark", "save it as UTF-8 without one")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line, column = before.count(b"\n") + 1, len(before[before.rfind(b"\n") + 1 :].decode("utf-8")) + 1
        faults.stop(Location(line, column), "encoding", f"byte 0x{data[error.start]:02x} is not UTF-8", "save the file as UTF-8")


def _read_bytes(path: Path) -> bytes:
    """Read at most one byte more than the maximum size. Accepts regular files only: others could block, or never end."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UsageError(f"{path} is not a file")
        with path.open("rb") as file:
            return file.read(MAX_SIZE + 1)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:  # a NUL in the path
        raise UsageError(f"cannot read {str(path)!r}: {error}") from error
