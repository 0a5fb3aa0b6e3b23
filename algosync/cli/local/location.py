"""Where local clusters are kept, how they are named, and messages about them."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from algosync.core.address import LOCAL_CLUSTER_NAME
from algosync.core.error import AlgosyncError, UsageError
from algosync.core.lean import dataclass
from algosync.core.text import printable
from algosync.state.durable import EVERYTHING, PRIVATE_FILES, ignore_in_git, make_folder

__all__ = [
    "LocalHome",
    "created_note",
    "described",
    "emulator_command",
    "exists",
    "is_local",
    "local_home",
    "local_name",
    "make_root",
    "no_such_cluster",
]

_DEFAULT = Path("state/local")


@dataclass(frozen=True, slots=True)
class LocalHome:
    """`former` is the folder below `--state` where older versions kept the clusters, unless it is the same or does not count."""

    folder: Path
    former: Path | None = None

    def root(self, name: str) -> Path:
        """The folder of a cluster, which need not exist. UsageError: the name is not valid."""
        _check_name(name, name)
        root = self.folder / name
        if self.former is not None and exists(self.former / name) and not exists(root):
            return self.former / name
        return root

    def clusters(self) -> Iterator[Path]:
        """The folders of all clusters that exist, by name."""
        names = {path.name for folder in (self.folder, self.former) if folder for path in folder.glob("*") if exists(path)}
        for name in sorted(names):
            yield self.folder / name if exists(self.folder / name) or self.former is None else self.former / name

    def note(self, root: Path) -> str | None:
        """The note to print if the cluster is in the former folder."""
        if root.parent == self.folder:
            return None
        return (
            f"Note: The local cluster {root.name} is in {printable(str(root.parent))}, where older versions kept it. "
            f"New ones are kept in {printable(str(self.folder))} (--local-home)."
        )

    def others(self, name: str) -> str | None:
        """A hint for a cluster that does not exist: the nearest name, else the first names that do exist. None: there are none."""
        names = [each.name for each in self.clusters() if each.name != name]
        if near := get_close_matches(name, names, n=1):
            return f"did you mean {near[0]}?"
        return f"there are: {', '.join(names[:10])}" if names else None


def local_home(given: Path | None, state: str) -> LocalHome:
    """The home that is given, else the default one. `state`: the address of the states."""
    if given is not None:
        return LocalHome(given.resolve())
    folder = _DEFAULT.resolve()
    scheme, separator, path = state.rpartition("://")
    former = (Path(path) / "local").resolve() if not separator or scheme == "file" else folder
    return LocalHome(folder, None if former == folder else former)


def make_root(root: Path) -> None:
    """Create the folder of a cluster, for its owner only, if it is missing. Git ignores it, because it holds a key.

    OSError: it cannot be created.
    """
    if root.parent == _DEFAULT.resolve():
        make_folder(root.parent.parent, PRIVATE_FILES)
    make_folder(root)
    ignore_in_git(root, EVERYTHING)  # also in a folder of an older version


def is_local(address: str) -> bool:
    """Whether the address is `local` or `local:NAME`. UsageError: the name is not valid."""
    if address == "local":
        return True
    if not address.startswith("local:"):
        return False
    _check_name(address.removeprefix("local:"), address)
    return True


def local_name(address: str) -> str:
    """The cluster's name in `local` or `local:NAME`."""
    return address.partition(":")[2] or "default"


def exists(root: Path) -> bool:
    """Whether the folder holds a cluster. Lock files that a reset leaves, or the log of a failed first start, are no cluster."""
    from algosync.emulator.server import server_lock

    return (root / "cluster.sqlite").exists() or (root.is_dir() and server_lock.taken(root))


def described(root: Path) -> str:
    """The cluster's name and the folder of local clusters, for messages about a missing cluster."""
    return f"{root.name} in {printable(str(root.parent))}"


def created_note(root: Path, others: str | None) -> str:
    """The note that a missing cluster is created. `others`: a hint at those that exist, because the name may be a mistake."""
    note = f"There is no local cluster {described(root)} yet. It is created now."
    return f"{note} ({others})" if others else note


def no_such_cluster(root: Path, others: str | None = None) -> AlgosyncError:
    """The error for a cluster that does not exist. `others`: a hint at those that do."""
    hint = "; ".join(filter(None, (others, emulator_command("start", root.name))))
    return AlgosyncError(f"there is no local cluster {described(root)}", hint=hint)


def emulator_command(verb: str, name: str) -> str:
    """The command line that does something with this cluster, for hints."""
    return f"algosync emulator {verb}" + ("" if name == "default" else f" --name {name}")


def _check_name(name: str, shown: str) -> None:
    """UsageError: the name is not valid. `shown`: how the user wrote it."""
    if not LOCAL_CLUSTER_NAME.fullmatch(name):
        raise UsageError(f"{printable(shown, 100)!r} does not name a local cluster", hint="use letters, digits, - and _")
