"""Git repositories of algorithms: storage, pushes and their limits."""
