"""The `algosync` command, also `python -m algosync`. Installs the signal handlers before the slow imports."""

from algosync.cli.interrupt import Signalled, install, leave

__all__ = ["main"]


def main() -> None:
    """Run one command and exit."""
    try:
        install()
        from algosync.cli.main import main as run

        run()
    except Signalled as signalled:
        leave(signalled.exit_code)


if __name__ == "__main__":
    main()
