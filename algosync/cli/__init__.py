"""The command line: the one place that names concrete things."""
