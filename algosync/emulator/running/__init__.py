"""Builds and calls of algorithms: the worker pool and what runs inside a worker."""
