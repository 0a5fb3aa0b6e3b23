"""Executors: carry out transfers on the workers of a Dask cluster. Imported only if a command is told to use one."""
