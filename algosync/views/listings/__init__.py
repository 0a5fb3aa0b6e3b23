"""Lists that commands print: published versions, and the history."""
