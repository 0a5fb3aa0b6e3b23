"""The web pages of the local cluster, for people. They change nothing."""
