"""`python -m algosync`."""

from algosync.cli.main import main

main()
