"""`algosync emulator reset`: end a local cluster and remove its data."""

from __future__ import annotations

from pathlib import Path

from algosync.cli.command import command
from algosync.cli.local.options import LocalClusterOptions
from algosync.cli.options import AutoApprove, NoInput
from algosync.cli.terminal import Terminal
from algosync.emulator.server.identity import IDENTITY

__all__ = ["remove_files", "reset"]

_DATABASE = ("cluster.sqlite", "cluster.sqlite-wal", "cluster.sqlite-shm")
"""In the order of removal. A database without its write-ahead log would return to an older state, with keys removed since."""


@command
def reset(terminal: Terminal, options: LocalClusterOptions, auto_approve: AutoApprove = False, no_input: NoInput = False) -> None:
    """Stop the local cluster and remove all its data, users and keys. Its states stay: the next plan creates everything again."""
    from algosync.cli.local.location import described, exists

    # Files without a cluster remain after a first start that failed, or after a reset that was interrupted.
    root = options.root(terminal)
    if not exists(root) and not _has_files(root):
        terminal.tell(f"There is no local cluster {described(root)}.")
        return
    if not auto_approve:
        _ask(options, root, terminal, no_input=no_input)
    if _removed(root):
        terminal.tell(f"The local cluster {options.name} and its data are removed.")
    else:
        terminal.tell(f"There is no local cluster {described(root)}.")


def _removed(root: Path) -> bool:
    """End the cluster and remove its files, except locks. False: there were only files, and no cluster.

    AlgosyncError: commands use the cluster, it does not end, or a file cannot be removed.
    """
    from algosync.cli.local.cluster_locks import exclusive_use
    from algosync.cli.local.location import exists
    from algosync.cli.local.server_process import end_server
    from algosync.core.error import AlgosyncError

    name = root.name
    with exclusive_use(root) as unused:
        if not unused:
            raise AlgosyncError(
                f"commands are using the local cluster {name}; nothing was changed", hint="try again when they have ended"
            )
        existed = exists(root)
        end_server(root)
        try:
            remove_files(root)
        except OSError as error:
            raise AlgosyncError(f"the local cluster {name} is not removed yet: {error.filename}: {error.strerror}") from None
    return existed


def remove_files(root: Path) -> None:
    """Remove the cluster's files, the database first. Other commands may be waiting for the locks, so they stay.

    The cluster also keeps its `.gitignore`, and its identity, so its states still belong to it: they show what it has lost.
    """
    from algosync.emulator.processes.removal import remove

    for name in _DATABASE:
        (root / name).unlink(missing_ok=True)
    for path in root.iterdir():
        if path.is_dir() and not path.is_symlink():
            remove(path)
        elif not _stays(path):
            path.unlink()


def _has_files(root: Path) -> bool:
    return root.is_dir() and not all(map(_stays, root.iterdir()))


def _stays(path: Path) -> bool:
    return path.suffix == ".lock" or path.name in (IDENTITY, ".gitignore")


def _ask(options: LocalClusterOptions, root: Path, terminal: Terminal, *, no_input: bool) -> None:
    from algosync.cli.approval import can_prompt, require_approval

    question = f"This removes all data, users and keys of the local cluster {options.name}: {root}"
    prompt = can_prompt(terminal, options.environ, no_input=no_input)
    require_approval(question, "reset was not approved; nothing was changed", terminal, prompt=prompt)
