"""`state unlock`: it asks before it releases a lock, also one whose text cannot be read."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import cast

import pytest
import typer
from typer.testing import CliRunner

from algosync.cli import approval
from algosync.cli.state import unlock as module
from algosync.cli.terminal import Terminal
from algosync.core.error import AlgosyncError
from algosync.state import Backend, Holder
from algosync.state.holder import ANOTHER

NAMED = Holder("algosync apply", "jane@host, pid 1", "2026-01-01T00:00:00+00:00", "id-1")


@dataclass
class LockedBackend:
    """A backend that is locked by `found`."""

    found: Holder
    can_break_lock: bool = True
    where: str = "https://host/state"
    broken: list[str] = field(default_factory=list)

    def holder(self) -> Holder:
        return self.found

    def break_lock(self, lock_id: str) -> None:
        if not self.can_break_lock:
            raise AlgosyncError("its lock ends with the process")
        self.broken.append(lock_id)


def unlock(
    monkeypatch: pytest.MonkeyPatch, backend: LockedBackend, *arguments: str, answer: str | None = None
) -> AlgosyncError | None:
    """The error of the command. `answer`: what the user enters; None: nobody can be asked."""
    monkeypatch.setattr(module, "_backends", lambda *_: [cast("Backend", backend)])
    monkeypatch.setattr(approval, "can_prompt", lambda *_, **__: answer is not None)
    app = typer.Typer()
    app.command()(module.unlock)
    terminal = Terminal(io.StringIO(), io.StringIO(), (False, False), live=False)
    result = CliRunner().invoke(app, list(arguments), obj=terminal, input=answer)
    assert result.exception is None or isinstance(result.exception, AlgosyncError), result.exception
    return result.exception


@pytest.mark.parametrize(("holder", "force"), [(NAMED, "id-1"), (ANOTHER, "''")])
def test_it_asks_whatever_the_id_is(monkeypatch: pytest.MonkeyPatch, holder: Holder, force: str) -> None:
    backend = LockedBackend(holder)
    refused = unlock(monkeypatch, backend)
    assert refused is not None
    assert refused.hint == f"use --force {force}, or run it in a terminal"
    assert unlock(monkeypatch, backend, answer="no\n") is not None
    assert unlock(monkeypatch, backend, "--force", "other") is not None
    assert backend.broken == []
    assert unlock(monkeypatch, backend, answer="yes\n") is None
    assert unlock(monkeypatch, backend, "--force", holder.lock_id) is None
    assert backend.broken == [holder.lock_id] * 2


def test_it_does_not_ask_for_what_it_cannot_do(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = unlock(monkeypatch, LockedBackend(ANOTHER, can_break_lock=False))
    assert refused is not None
    assert refused.message == "its lock ends with the process"
