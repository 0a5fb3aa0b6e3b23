"""Readers of JSON and YAML: text in, nodes with their places out."""
