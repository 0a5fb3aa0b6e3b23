"""One server process: start files, lock, listening socket, TLS, shutdown."""
