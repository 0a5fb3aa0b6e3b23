"""In-memory implementations of the ports of the core, for unit tests."""
