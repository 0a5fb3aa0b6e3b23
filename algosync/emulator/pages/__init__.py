"""The read-only web pages of the local cluster."""
