"""The `algosync` command, also `python -m algosync`.

Until the command's own signal handlers are installed, a signal ends the process at once and quietly: nothing has been done yet.
"""

import os
import signal


def _leave_at_once(number: int, _frame: object) -> None:
    os._exit(128 + number)


for _number in (signal.SIGINT, signal.SIGTERM):
    if signal.getsignal(_number) in (signal.default_int_handler, signal.SIG_DFL):
        signal.signal(_number, _leave_at_once)


def main() -> None:
    """Run one command and exit."""
    from algosync.cli.interrupt import Signalled, leave

    try:
        from algosync.cli.main import main as run

        run()
    except Signalled as signalled:
        leave(signalled.exit_code)


__all__ = ["main"]

if __name__ == "__main__":
    main()
