"""Places of states for the worlds: a folder of the machine, or a server, whose states and locks outlive the machine's processes."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Protocol

from states_server import TerraformServer

from algosync.state import Session, open_session, parse_address

__all__ = ["NAME", "FolderStates", "ServerStates", "StatePlace"]

NAME = "w.json"


_numbers = count(1)


class StatePlace(Protocol):
    """`keeps_machine`: whether the machine is there again after a command died on it."""

    @property
    def keeps_machine(self) -> bool: ...

    def open(self, machine: Path, name: str, *, exclusive: bool) -> Session: ...

    def freeze(self) -> None:
        """A command dies: what it still does has no effect."""

    def thaw(self) -> None:
        """The command has ended. Its lock is released, as its user would do."""

    def lose(self) -> None: ...


@dataclass(frozen=True)
class FolderStates:
    """The state is a part of the machine, and so is its lock."""

    keeps_machine: bool = True

    def open(self, machine: Path, name: str, *, exclusive: bool) -> Session:
        return open_session(str(machine / "state"), name, exclusive=exclusive)

    def freeze(self) -> None: ...

    def thaw(self) -> None: ...

    def lose(self) -> None: ...


@dataclass
class ServerStates:
    """States on a server in this process. The journal is on the machine."""

    server: TerraformServer
    keeps_machine: bool = True
    number: int = field(default_factory=lambda: next(_numbers))

    def __post_init__(self) -> None:
        self._frozen: tuple[dict[str, bytes], dict[str, dict[str, str]]] = {}, {}

    @property
    def address(self) -> str:
        return f"{self.server.url}/{self.number}"

    def open(self, machine: Path, name: str, *, exclusive: bool) -> Session:
        return open_session(self.address, name, exclusive=exclusive, journals=machine / "journals")

    def freeze(self) -> None:
        self._frozen = dict(self.server.states), dict(self.server.locks)

    def thaw(self) -> None:
        self.server.states, self.server.locks = self._frozen
        backend = parse_address(self.address)(NAME, "algosync state unlock")
        if (holder := backend.holder()) is not None:
            backend.break_lock(holder.lock_id)

    def lose(self) -> None:
        self.server.states.clear()
