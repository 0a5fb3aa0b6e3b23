"""The options of `algosync drift` about the bytes of data files."""

from typing import TYPE_CHECKING, Annotated

import typer

from algosync.cli.help import RARE
from algosync.cli.transferring.byte_count import byte_count
from algosync.core.error import UsageError
from algosync.core.lean import dataclass
from algosync.core.text import printable

if TYPE_CHECKING:
    from algosync.core.planning.coverage import Reading

__all__ = ["ReadingOptions"]

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
        return Reading(checksum, byte_count(given, "--read-budget") if given else None)
