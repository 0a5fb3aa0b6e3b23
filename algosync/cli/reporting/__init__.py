"""What a command reports beyond its text: files of a run, its events, and what GitHub shows."""
