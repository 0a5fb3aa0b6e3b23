"""The backends whose states are not on this machine."""
