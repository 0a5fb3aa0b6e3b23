"""Plan file: reads and writes the file of a saved plan."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shlex
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.core.error import AlgosyncError, Stale, UsageError
from algosync.core.text import printable

if TYPE_CHECKING:
    from algosync.core.planning.plan_inputs import PlanFile

__all__ = [
    "AGAIN",
    "is_plan_file",
    "read_plan_file",
    "require_digest_form",
    "require_no_plan",
    "require_writable",
    "sha256_of",
    "stale",
    "write_plan_file",
]

AGAIN = "look at the changes, and make the plan again: algosync plan --out FILE"
_DIGEST = r"sha256:[0-9a-f]{64}"
_REPORT_LIMIT = 256 << 20  # bytes of a report that is read to tell that it is one


def stale(what: str, moved: tuple[str, ...] = ()) -> Stale:
    """The error that something moved since a plan was saved. `moved`: as of `Stale`."""
    return Stale(f"the saved plan is stale: {what}", hint=AGAIN, moved=moved)


def is_plan_file(path: Path) -> bool:
    """Whether a file is a saved plan. UsageError: it is a report of `plan --json`, which cannot be applied."""
    from algosync.core.planning.plan_file_start import MAGIC, is_plan

    try:
        with path.open("rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return False
            start = file.read(len(MAGIC))
            if start.lstrip()[:1] == b"{" and _is_report(start + file.read(_REPORT_LIMIT)):
                hint = "save a plan with `algosync plan --out FILE`"
                raise UsageError(f"{printable(str(path))} is a report of `plan --json`, which is no saved plan", hint=hint)
    except (OSError, ValueError):  # reported by whoever reads it as a workflow
        return False
    return is_plan(start)


def require_no_plan(path: Path) -> None:
    """UsageError: a file that is to be a workflow is a saved plan."""
    from algosync.core.planning.plan_file_start import MAGIC, is_plan

    try:
        with path.open("rb") as file:
            saved = is_plan(file.read(len(MAGIC)))
    except OSError:  # reported by whoever reads it as a workflow
        return
    if saved:
        shown = printable(str(path))
        quoted = shlex.quote(shown)
        hint = f"`algosync show {quoted}` shows it, `algosync apply {quoted}` carries it out"
        raise UsageError(f"{shown} is a saved plan, not a workflow", hint=hint)


def _is_report(text: bytes) -> bool:
    from algosync.core.json_document import read_json

    if b'"resource_changes"' not in text:
        return False
    try:
        document = read_json(text)
    except ValueError:
        return False
    return isinstance(document, dict) and {"format_version", "resource_changes"} <= document.keys()


def read_plan_file(path: Path) -> PlanFile:
    """UsageError: it cannot be read. Corrupt: it is damaged. NewerFormat, Stale: it has another format."""
    from algosync.core.error import Corrupt
    from algosync.core.planning.plan_codec import decode_plan

    name = f"the saved plan {printable(str(path))}"
    try:
        return decode_plan(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}") from None
    except (Corrupt, Stale) as error:
        hint = error.hint or "make the plan again: algosync plan --out FILE"
        raise type(error)(f"{name} {error.message}", hint=hint) from None


def sha256_of(blocks: Iterable[bytes]) -> str:
    """The SHA-256 (hex) of a content that comes in blocks."""
    digest = hashlib.sha256()
    for block in blocks:
        digest.update(block)
    return digest.hexdigest()


def require_digest_form(digest: str) -> None:
    """UsageError: this is not how a plan's digest is written. Empty: none is given."""
    if digest and not re.fullmatch(_DIGEST, digest):
        raise UsageError("--plan-digest takes the digest that `algosync plan` shows: sha256:, then 64 hex digits")


def require_writable(path: Path) -> None:
    """UsageError: a plan cannot be saved there, or another file would be lost. Creates nothing."""
    shown = f"--out {printable(str(path))}"
    if not path.parent.is_dir():
        raise UsageError(f"{shown}: its folder does not exist")
    if path.is_dir() or (path.exists() and not path.is_file()):
        raise UsageError(f"{shown} is not a file")
    if path.exists() and path.stat().st_size and not is_plan_file(path):
        raise UsageError(f"{shown} is there already, and is no saved plan", hint="name another file")


def write_plan_file(path: Path, data: bytes) -> None:
    """Replaces the file atomically. Only its owner can read it, whatever the umask. AlgosyncError: it cannot be written."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        try:
            _write(temporary, data)
            os.replace(temporary, path)
        finally:
            with suppress(FileNotFoundError):
                temporary.unlink()
    except OSError as error:
        raise AlgosyncError(f"the plan was not saved: {printable(str(path))}: {error.strerror or error}") from None


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, 0o600)
        file.write(data)
        file.flush()
        os.fsync(descriptor)
