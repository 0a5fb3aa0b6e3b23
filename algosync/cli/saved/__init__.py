"""Saved plans: what is saved, the file, and how a command works from it."""
