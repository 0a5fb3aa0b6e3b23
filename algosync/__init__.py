"""algosync: export algorithms between Algorithmia clusters, declaratively, and prove that they work there."""

__version__ = "0.1.0"
