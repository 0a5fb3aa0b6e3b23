"""`algosync`, also as `python -m algosync`: signals are ours before anything heavy is imported."""

from algosync.cli.interrupt import Signalled, install, leave

__all__ = ["main"]


def main() -> None:
    """Runs one command and exits."""
    try:
        install()
        from algosync.cli.main import main as run

        run()
    except Signalled as signalled:
        leave(signalled.exit_code)


if __name__ == "__main__":
    main()
