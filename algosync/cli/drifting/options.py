"""The options of `algosync drift` about the bytes of data files."""

import re
from typing import TYPE_CHECKING, Annotated

import typer

from algosync.cli.help import RARE
from algosync.core.error import UsageError
from algosync.core.lean import dataclass
from algosync.core.text import printable

if TYPE_CHECKING:
    from algosync.core.planning.coverage import Reading

__all__ = ["ReadingOptions", "byte_count"]

_UNITS = {
    "": 1,
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
_SIZE = re.compile(r"([0-9]{1,15}) ?([A-Za-z]*)")
_WHOLE_BUDGET = "10GiB"


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """UsageError: `reading` refuses them."""

    checksum: Annotated[
        str,
        typer.Option(
            metavar="WHEN",
            help="When data files are read to compare them: auto (where size and time prove nothing), always.",
            rich_help_panel=RARE,
        ),
    ] = "auto"
    read_budget: Annotated[
        str,
        typer.Option(
            metavar="SIZE",
            help="Read at most so many bytes, such as 10GiB; what was not read for the longest time comes first. "
            f"Default: {_WHOLE_BUDGET} with --checksum always, else no limit.",
            show_default=False,
            rich_help_panel=RARE,
        ),
    ] = ""

    def __post_init__(self) -> None:
        _ = self.reading  # a wrong option ends the command before it does anything

    @property
    def reading(self) -> "Reading":
        """Without the times when files were read, which the session knows."""
        from algosync.core.planning.coverage import Reading
        from algosync.core.planning.target import Checksum

        words = [Checksum.AUTO.value, Checksum.ALWAYS.value]
        if self.checksum not in words:
            raise UsageError(f"--checksum {printable(self.checksum, 80)}: not one of {', '.join(words)}")
        checksum = Checksum(self.checksum)
        given = self.read_budget or (_WHOLE_BUDGET if checksum is Checksum.ALWAYS else "")
        return Reading(checksum, byte_count(given) if given else None)


def byte_count(text: str) -> int:
    """The bytes of a text such as `10GiB`. UsageError: it is no size."""
    found = _SIZE.fullmatch(text.strip())
    if found is None or found[2] not in _UNITS:
        units = ", ".join(filter(None, _UNITS))
        raise UsageError(f"--read-budget {printable(text, 80)}: not a size", hint=f"write a number and one of {units}")
    return int(found[1]) * _UNITS[found[2]]
