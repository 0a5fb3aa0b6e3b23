"""Where local clusters are kept, and how they are named."""

from __future__ import annotations

from pathlib import Path

from algosync.core.address import LOCAL_CLUSTER_NAME
from algosync.core.error import AlgosyncError, UsageError
from algosync.core.text import printable
from algosync.emulator.server import server_lock

__all__ = ["cluster_folder", "described", "emulator_command", "exists", "is_local", "local_name", "no_such_cluster"]


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


def cluster_folder(state: Path, name: str) -> Path:
    """The folder of the local cluster with this name. UsageError: the name is not valid."""
    _check_name(name, name)
    return state.resolve() / "local" / name


def exists(root: Path) -> bool:
    """Whether the folder holds a cluster. Lock files that a reset leaves, or the log of a failed first start, are no cluster."""
    return (root / "cluster.sqlite").exists() or (root.is_dir() and server_lock.taken(root))


def described(root: Path) -> str:
    """The cluster's name and its state folder, for messages about a missing cluster."""
    return f"{root.name} in {printable(str(root.parent.parent))}"


def no_such_cluster(root: Path) -> AlgosyncError:
    """The error for a cluster that does not exist."""
    return AlgosyncError(f"there is no local cluster {described(root)}", hint=emulator_command("start", root.name))


def emulator_command(verb: str, name: str) -> str:
    """The command line that does something with this cluster, for hints."""
    return f"algosync emulator {verb}" + ("" if name == "default" else f" --name {name}")


def _check_name(name: str, shown: str) -> None:
    if not LOCAL_CLUSTER_NAME.fullmatch(name):
        raise UsageError(f"{printable(shown, 100)!r} does not name a local cluster", hint="use letters, digits, - and _")
