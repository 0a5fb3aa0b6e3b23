"""The keys of a workflow file about tests, and the files that they name."""
