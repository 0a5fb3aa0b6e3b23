"""The command line. Only this package chooses concrete implementations and writes output."""
