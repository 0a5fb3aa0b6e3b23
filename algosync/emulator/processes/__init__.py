"""Child processes of the local cluster: how they are started, jailed, stopped and cleaned up after."""
