"""Formats for other programs and for pages: each module turns the outline of a subject into one format."""
