"""What a command did, for the history beside the state."""
