"""Faults on demand: which requests fail, and how."""
