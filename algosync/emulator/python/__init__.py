"""Python interpreters and environments that algorithms run in."""
