"""The git side of the local cluster: repositories, pushes and their limits."""
