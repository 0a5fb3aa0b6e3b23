"""Nouns of tests: cases, expectations, answers, and measures of many calls. Pure."""
