"""The `algosync` command, also `python -m algosync`.

Until the command's own signal handlers are installed, a signal ends the process at once and quietly: nothing has been done yet.
"""

import gc
import os
import signal
import sys


def _leave_at_once(number: int, _frame: object) -> None:
    os._exit(128 + number)


for _number in (signal.SIGINT, signal.SIGTERM):
    if signal.getsignal(_number) in (signal.default_int_handler, signal.SIG_DFL):
        signal.signal(_number, _leave_at_once)


_COLLECT_AFTER = 200_000
"""New objects after which Python looks for cycles among them. Nearly all that a command makes stays until its end, and hardly any
of it is in a cycle. With Python's own number, 700, the search takes a fifth of the time of a large plan, and with 50,000 still a
twentieth; the memory is the same. A long run that leaves cycles behind holds at most so many objects too long, about 20 MB. A
failed request leaves none (`net/host.py`): it would also hold the bytes that were sent.
"""


def main() -> None:
    """Run one command and exit."""
    if _answered(sys.argv[1:]):
        os._exit(0)
    gc.set_threshold(_COLLECT_AFTER)
    from algosync.cli.interrupt import Signalled, leave

    try:
        from algosync.cli.main import main as run

        run()
    except Signalled as signalled:
        leave(signalled.exit_code)


def _answered(arguments: list[str]) -> bool:
    """Whether a prompt answer is written: `--version` and `--help` need no command. The command line reports a failure to write."""
    from algosync.cli.command_table import prompt_answer

    text = prompt_answer(arguments)
    try:
        return text is not None and os.write(1, text.encode()) > 0
    except OSError:
        return False


__all__ = ["main"]

if __name__ == "__main__":
    main()
