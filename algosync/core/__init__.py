"""The pure core: nouns and verbs, standard library only; no IO, clock, randomness, threads or logging."""
