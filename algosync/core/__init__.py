"""The pure core: data types and functions on them. Standard library only; no IO, clock, randomness, threads or logging."""
