"""algosync: export algorithms from one Algorithmia cluster to another, declaratively, and test them there."""

__version__ = "0.1.0"
