"""Clocks of a world, and stores whose stamps come from them, as on the platform. The stores note who lists and writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from itertools import count

from fakes.clusters import FakeTime
from fakes.stores import FakeStore

from algosync.cluster.data import FileStat, Stored

__all__ = ["SETTLED", "ClockedStore", "Clocks", "WorldTime"]

SETTLED = 4
"""Seconds by `Date`, after which a client trusts a stamp that it has not recorded."""

_TOLERATED = SETTLED - 1.0  # seconds that `Date` may be ahead of the times that files get, so that none is trusted too early


@dataclass
class Clocks:
    """Times in seconds. `server`: that of both clusters; it never goes back. `local`: of this machine, `elapsed`: its clock that
    never goes back.

    `apart`: how far the `Date` of the servers' answers is ahead. `machines`: how far the machines are ahead that give files their
    times, in turn. `pace`: how long a request and its answer take each.
    """

    server: float = 1_600_000_000.0
    local: float = 1_600_000_000.0
    elapsed: float = 0.0
    apart: float = 0.0
    machines: tuple[float, ...] = (0.0,)
    pace: float = 0.4

    def pass_by(self, seconds: float) -> None:
        self.server += seconds
        self.local += seconds
        self.elapsed += seconds

    def answer(self) -> None:
        """A request takes a while before it is carried out, and after it.

        It takes a second if `Date` is far ahead: then a plan trusts every stamp, so each has to be another one.
        """
        self.pass_by(1.0 if self.apart > _TOLERATED else self.pace)

    def now(self) -> str:
        return datetime.fromtimestamp(self.local, timezone.utc).isoformat(timespec="seconds")

    def clock(self) -> float:
        return self.elapsed


@dataclass
class WorldTime(FakeTime):
    """The world's clocks go on while a command waits."""

    clocks: Clocks | None = None

    def pause(self, seconds: float) -> None:
        super().pause(seconds)
        if self.clocks is not None:
            self.clocks.pass_by(seconds)


class ClockedStore(FakeStore):
    """Stamps are the size and the time of the last write in whole seconds. A young file has none, by the `Date` of the answer.

    `log`: who did what, with the collection, and the file if there is one. `who`: who works now.
    """

    def __init__(self, owner: str, clocks: Clocks) -> None:
        super().__init__(owner)
        self._clocks = clocks
        self._written: dict[tuple[str, str, str], int] = {}
        self._turns = count()
        self.who: object = None
        self.log: list[tuple[object, str, str, str]] = []

    def files(self, owner: str, collection: str) -> Mapping[str, FileStat]:
        self.log.append((self.who, "list", collection, ""))
        self._clocks.answer()
        found, owner = super().files(owner, collection), self._named(owner)
        times = {name: datetime.fromtimestamp(self._written[owner, collection, name], timezone.utc) for name in found}
        self._clocks.answer()
        return {name: replace(stat, written=times[name]) for name, stat in found.items()}

    def put(self, owner: str, collection: str, name: str, blocks: Iterable[bytes], length: int) -> Stored:
        stored = super().put(owner, collection, name, blocks, length)
        self.log.append((self.who, "put", collection, name))
        self._clocks.answer()
        return replace(stored, date=str(self._date()))

    def overwritten_unseen(self, who: object) -> list[tuple[str, str]]:
        """The files that `who` wrote after somebody else did, although a later listing than the plan could have told it."""
        found, written, listed = [], dict[tuple[str, str], object](), dict[tuple[str, str], bool]()
        for by, act, collection, name in self.log:
            key = collection, name
            if by == who and act == "planned":
                written.clear()
            elif by == who and act == "list":
                listed |= {each: True for each in written if each[0] == collection}
            elif act == "put" and by != who:
                written[key], listed[key] = by, False
            elif act == "put" and written.pop(key, None) is not None and listed[key]:
                found.append(key)
        return found

    def write(self, owner: str, collection: str, name: str, data: bytes) -> str:
        self._clocks.answer()
        uri = super().write(owner, collection, name, data)
        machine = self._clocks.machines[next(self._turns) % len(self._clocks.machines)]
        self._written[owner, collection, name] = now = int(self._clocks.server + machine)
        self.set_stamp(owner, collection, name, f"{len(data)}@{now}")
        return uri

    def _date(self) -> int:
        return int(self._clocks.server + self._clocks.apart)

    def _stamp(self, owner: str, collection: str, name: str) -> str | None:
        stamp = super()._stamp(owner, collection, name)
        return stamp if self._date() - self._written[owner, collection, name] >= SETTLED else None

    def trusted_stamp(self, owner: str, collection: str, name: str) -> str:
        """The stamp that a file has when it is old enough."""
        return self._stamps[owner, collection, name]
