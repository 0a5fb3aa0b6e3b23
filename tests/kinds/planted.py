"""Planted drift: many applied algorithms on a cluster in memory, and changes that somebody makes behind algosync's back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from fakes.clusters import OWNER, FakeAlgorithm, FakeCluster, FakeTime, context_of
from fakes.ledger import FakeLedger
from fakes.stores import FakeStore

from algosync.core.event import StepFailed
from algosync.core.planning.change import Drift
from algosync.core.planning.coverage import Examined, Reading
from algosync.core.planning.plan import Plan, PlanHeader
from algosync.core.tree import Blob
from algosync.core.workflow import AlgorithmSpec, DataFile, Details, Workflow
from algosync.engine.apply import apply
from algosync.engine.drift import examine
from algosync.engine.plan import Scene, make_plan
from algosync.kinds import KINDS, PERFORMERS, Context

__all__ = ["AUTHOR", "CODE", "PLANTS", "Plant", "World", "world_of"]

CODE = b"def apply(input):\n    return input\n"
WEIGHTS = b"weights"
AUTHOR = "Somebody <else@localhost>"
HEADER = PlanHeader("w", None, "local", OWNER)


@dataclass
class World:
    """The destination after an apply of `specs`, and what is known of it."""

    folder: Path
    specs: tuple[AlgorithmSpec, ...]
    cluster: FakeCluster = field(default_factory=FakeCluster)
    store: FakeStore = field(default_factory=FakeStore)
    ledger: FakeLedger = field(default_factory=FakeLedger)

    @property
    def workflow(self) -> Workflow:
        return Workflow("w", str(self.folder), self.specs)

    def scene(self, *, recorded_only: bool = False) -> Scene[Context]:
        context = context_of(
            self.cluster,
            *self.specs,
            folder=self.folder,
            store=self.store,
            ledger=self.ledger,
            recorded_only=recorded_only,
            time=FakeTime(),
        )
        return Scene(KINDS, PERFORMERS, context, 2)

    def plan(self) -> Plan:
        return make_plan(self.workflow, self.scene(), self.ledger.records, HEADER)

    def apply(self) -> None:
        plan, scene = self.plan(), self.scene()
        assert [e for e in apply(plan, self.workflow, scene, self.ledger) if isinstance(e, StepFailed)] == []

    def examine(self, reading: Reading = Reading()) -> Examined:  # noqa: B008  # immutable
        return examine(self.workflow, self.scene(recorded_only=True), self.ledger.records, reading)

    def there(self, name: str) -> FakeAlgorithm:
        return self.cluster.algorithms.algorithms[name]

    def overwrite(self, name: str, content: bytes, file: str = "w.bin") -> None:
        self.cluster.data.write(OWNER, name, file, content)


def spec_of(name: str) -> AlgorithmSpec:
    return AlgorithmSpec(
        name,
        "python3",
        code=f"file://{name}",
        data_files=(DataFile("data://.my/models/w.bin", "w.bin"),),
        details=Details(name, "a summary", "a tagline"),
    )


def world_of(folder: Path, *names: str) -> World:
    """Algorithms that were applied, and are as they were left."""
    world = World(folder, tuple(map(spec_of, names)))
    world.store.write("quality", "models", "w.bin", WEIGHTS)
    for name in names:
        (folder / name / "src").mkdir(parents=True)
        for module in (name, "One"):
            (folder / name / "src" / f"{module}.py").write_bytes(CODE)
        (folder / name / "src" / "tool.py").write_bytes(b"x = 1\n")
    world.apply()
    return world


Found = Mapping[str, tuple[Drift, frozenset[str]]]


@dataclass(frozen=True)
class Plant:
    """`change`: changes the algorithm of a name. `found`: for each kind the sort of its finding and the attributes that differ.

    `files`: the changed files of the source, with the lines added and removed.
    """

    title: str
    change: Callable[[World, str], object]
    found: Found
    files: Mapping[str, tuple[int | None, int | None]] = field(default_factory=dict)


def changed(kind: str, *attributes: str) -> Found:
    return {kind: (Drift.CHANGED, frozenset(attributes))}


def sort(drift: Drift, *kinds: str) -> Found:
    return dict.fromkeys(kinds, (drift, frozenset()))


def _detail(name: str) -> Plant:
    return Plant(name, lambda world, one: world.there(one).details.update({name: "theirs"}), changed("algorithm", name))


def _setting(name: str, value: object, shown: str = "") -> Plant:
    def change(world: World, one: str) -> None:
        world.there(one).settings[name] = value

    return Plant(name, change, changed("algorithm", shown or name))


def _push(title: str, edit: Callable[[dict[str, Blob]], object], **files: tuple[int | None, int | None]) -> Plant:
    def change(world: World, one: str) -> None:
        repository = world.there(one).repository
        head = repository.head()
        assert head is not None
        tree = repository.tree(head)
        edit(tree)
        repository.push(head, tree, author=AUTHOR, message=title)

    named = {f"src/{name}.py": counts for name, counts in files.items()}
    drift = Drift.CHANGED if files else Drift.REWRITTEN
    return Plant(title, change, {"source": (drift, frozenset({"commit"}))}, named)


def _publish(title: str, found: Found, **settings: object) -> Plant:
    def change(world: World, one: str) -> None:
        newest = world.there(one).versions[0]
        world.there(one).versions.insert(0, replace(newest, number="9.9.9", settings={**newest.settings, **settings}))

    return Plant(title, change, found)


def _two_settings(world: World, one: str) -> None:
    world.there(one).settings.update(network_access="isolated", pipeline_enabled=False)


def _delete_algorithm(world: World, one: str) -> None:
    del world.cluster.algorithms.algorithms[one]


def _readers(readers: tuple[str, ...]) -> Callable[[World, str], object]:
    return lambda world, one: world.cluster.data.readers.update({(OWNER, one): readers})


PLANTS = (
    *(_detail(name) for name in ("label", "summary", "tagline")),
    _setting("source_visibility", "open"),
    _setting("license", "mit"),
    _setting("network_access", "isolated"),
    _setting("pipeline_enabled", value=False),
    _setting("algorithm_environment", "env-37", "environment"),
    Plant("two settings", _two_settings, changed("algorithm", "network_access", "pipeline_enabled")),
    Plant("public data", _readers(("user://*",)), changed("algorithm", "data_read")),
    Plant("private data", _readers(()), changed("algorithm", "data_read")),
    Plant("other bytes", lambda world, one: world.overwrite(one, b"WEIGHTS"), changed("data", "sha256")),
    Plant("other size", lambda world, one: world.overwrite(one, b"more weights"), changed("data", "sha256", "size")),
    Plant("a file is gone", lambda world, one: world.cluster.data.delete(OWNER, one, "w.bin"), sort(Drift.MISSING, "data")),
    Plant("one more file", lambda world, one: world.overwrite(one, b"x", "theirs"), sort(Drift.UNMANAGED, "theirs")),
    _push("an edited file", lambda tree: tree.update({"src/One.py": Blob(CODE + b"# mine\n# mine\n")}), One=(2, 0)),
    _push("a new file", lambda tree: tree.update({"src/new.py": Blob(b"1\n2\n3\n")}), new=(3, 0)),
    _push("a deleted file", lambda tree: tree.pop("src/tool.py"), tool=(0, 1)),
    _push("a binary file", lambda tree: tree.update({"src/blob.py": Blob(b"\0\1")}), blob=(None, None)),
    _push("an executable file", lambda tree: tree.update({"src/One.py": replace(tree["src/One.py"], executable=True)}), One=(0, 0)),
    _push("two files", lambda tree: tree.update({f"src/{n}.py": Blob(b"y\n") for n in ("One", "tool")}), One=(1, 2), tool=(1, 1)),
    _push("an empty commit", lambda tree: None),
    Plant("no history", lambda world, one: world.there(one).repository.rewrite(), sort(Drift.MISSING, "source")),
    _publish("public", changed("version", "version", "callability"), algorithm_callability="public"),
    _publish("isolated", changed("version", "version", "network_access"), network_access="isolated"),
    _publish("the same again", {"version": (Drift.REWRITTEN, frozenset({"version"}))}),
    Plant("no version", lambda world, one: world.there(one).versions.clear(), sort(Drift.MISSING, "version")),
    Plant("no algorithm", _delete_algorithm, sort(Drift.MISSING, "algorithm", "source", "version")),
)
