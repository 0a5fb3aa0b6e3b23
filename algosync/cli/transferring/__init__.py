"""Transfers as the command line sees them: their options, what is read once, and how far they are."""
