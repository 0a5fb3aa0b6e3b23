"""Injected faults: which requests fail, and how."""
