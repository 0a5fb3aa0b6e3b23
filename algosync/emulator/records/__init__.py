"""What the local cluster stores: metadata in SQLite, file contents by id."""
