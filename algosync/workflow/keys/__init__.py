"""Top-level keys of a workflow file that have a reader of their own."""
