"""A jail for code that the cluster is given: bubblewrap (`bwrap`), where the machine has it and it works.

A program in it sees the system and its Python, what it is shown besides, and nothing of the user's: no home, no cluster, no
process but its own. The network stays, as algorithms call algorithms. It is no security boundary: the kernel is the same.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from algosync.emulator.processes import leash

PROBE_SECONDS = 10

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")

SETTINGS = (
    *("alternatives", "ca-certificates", "crypto-policies", "group", "gai.conf", "host.conf", "hosts", "ld.so.cache", "localtime"),
    *("mime.types", "nsswitch.conf", "passwd", "pki/ca-trust", "pki/tls/certs", "protocols", "resolv.conf", "services"),
    *("ssl/certs", "ssl/openssl.cnf", "timezone"),
)
"""What programs need of `/etc` to find hosts, users, certificates and libraries: no passwords, no keys."""

APART = ("--die-with-parent", "--unshare-pid", "--unshare-ipc", "--cap-drop", "ALL")

ALONE = ("--unshare-user", "--disable-userns", *APART)
"""With no user namespaces of its own: in one, who is root outside, too, mounts the machine's control groups, and writes to them."""

OLDER = ("--unshare-user-try", *APART)
"""How jails are alone that cannot forbid those: bubblewrap before 0.8, and machines that leave them to nobody or to root."""

SHARED_MEMORY = 2**30
"""Bytes that shared memory (`/dev/shm`) can take of the machine's, in each jail: no limit of a process counts it."""

LIMITED = ("--size", str(SHARED_MEMORY), "--tmpfs", "/dev/shm")  # noqa: S108 - it is not the machine's own
"""How a jail limits that."""

UNLIMITED = LIMITED[2:]
"""How older ones have shared memory at all."""

CLOSED = ("--remount-ro", "/proc", "--remount-ro", "/dev", "--remount-ro", "/")
"""What else is kept in memory is for reading, and so is all of `/proc`: who is root outside, too, owns the kernel there."""

KINDS = ((ALONE, LIMITED), (OLDER, LIMITED), (OLDER, UNLIMITED))
"""The best comes first."""


@dataclass(frozen=True, slots=True)
class Jail:
    """How to put programs into a jail. Without a `program` there is none, and commands stay what they are."""

    program: str | None = None
    alone: tuple[str, ...] = ALONE
    limits: tuple[str, ...] = LIMITED

    @property
    def told(self) -> str:
        """What people should know who have this machine run code."""
        if self.program:
            return "This cluster runs the code it is given, in a jail (bubblewrap): not a security boundary"
        return "This cluster runs the code it is given, without a jail, as bubblewrap (bwrap) is not here or does not work"

    def command(self, command: Iterable[str | Path], temporary: Path, shown: Iterable[Path], writable: Iterable[Path]) -> list[str]:
        """The command that runs a command in the jail, where `temporary` is `/tmp`, too; paths stay what they are outside.

        It is for a leash, from which the jail reads the environment of what runs in it. The first of `writable` is the folder it
        runs in. What is not there is not shown.
        """
        plain = list(map(str, command))
        if self.program is None:
            return plain
        folder, *others = writable
        return [
            *(self.program, *leash.READS_SETTINGS, *self.alone, *_system(), *self.limits),
            *("--bind", str(temporary), "/tmp"),  # noqa: S108 - it is not the machine's own
            *_bound("--ro-bind-try", [Path(sys.base_prefix), *shown]),
            *_bound("--bind", [folder, *others]),
            *(*CLOSED, "--chdir", str(folder), "--", *plain),
        ]


NO_JAIL = Jail()


def find() -> Jail:
    """The jail of this machine, tried once."""
    program = shutil.which("bwrap")
    if program is None:
        return NO_JAIL
    for alone, limits in KINDS:
        if _works([program, *alone, *_system(), *limits, *CLOSED, "/bin/true"]):
            return Jail(os.path.abspath(program), alone, limits)
    return NO_JAIL


def _works(command: list[str]) -> bool:
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command, and the machine's own
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PROBE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _system() -> list[str]:
    settings = [f"/etc/{name}" for name in SETTINGS]
    return [*_bound("--ro-bind-try", map(Path, (*SYSTEM, *settings))), "--proc", "/proc", "--dev", "/dev"]


def _bound(option: str, paths: Iterable[Path]) -> list[str]:
    return [word for path in paths for word in (option, str(path), str(path))]
